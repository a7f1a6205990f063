/**
 * The schema's complaints in words for the person who wrote the spec.
 *
 * @module
 */
import type { z } from "zod";
import { nearest } from "../core/nearest.ts";
import type { Finding } from "./finding.ts";
import { quote } from "./printable.ts";
import { componentType, isWholeNumber, optionNames, schemaAt } from "./schema_walk.ts";
import { type Path, typeName, valueAt } from "./tree.ts";

/** Any schema. */
type Schema = z.core.$ZodType;

/** What a message needs to know of the spec. */
export interface Spec {
  readonly schema: Schema;
  readonly tree: unknown;
  /** Whether the text at a path came from the environment, so that it is not repeated. */
  readonly isForeign: (path: Path) => boolean;
}

/** One issue as findings: an issue of several unknown keys is one finding for each. */
export function findingsOf(issue: z.core.$ZodIssue, spec: Spec): Finding[] {
  const path = stepsOf(issue);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownOption(path, key, spec));
  }
  if (issue.code === "invalid_key") {
    const message = issue.issues[0]?.message ?? "This name is not allowed";
    return [{ path, part: "key", message }];
  }
  const value = valueAt(spec.tree, path);
  if (value === undefined || (value === null && path.length === 0)) return [missing(path, issue)];
  if (issue.code === "invalid_union" && "discriminator" in issue) {
    return [unknownType(path, value, issue, spec)];
  }
  const suggestion = issue.code === "invalid_value"
    ? meant(value, issue.values, spec, path)
    : undefined;
  return [{ path, part: "value", message: describe(issue, value, spec, path), suggestion }];
}

function unknownOption(parent: Path, key: string, spec: Spec): Finding {
  const schema = schemaAt(spec.schema, parent, spec.tree);
  const names = optionNames(schema);
  const type = componentType(schema);
  const suggestion = nearest(key, names);
  const whose = type === undefined ? "" : ` of ${type}`;
  const known = suggestion === undefined && names.length > 0
    ? `; there ${names.length === 1 ? "is" : "are"} ${list(names)}`
    : "";
  const message = `Unknown option ${quote(key)}${whose}${known}`;
  return { path: [...parent, key], part: "key", message, suggestion };
}

function missing(path: Path, issue: z.core.$ZodIssue): Finding {
  const name = String(path.at(-1) ?? "");
  if (path.length === 0) return { path, part: "value", message: "The spec is empty" };
  const types = discriminators(issue);
  const hint = types.length > 0
    ? `; it is ${list(types, "or")}`
    : name === "version"
    ? "; write version: 1"
    : "";
  return { path, part: "key", message: `The option ${quote(name)} is missing${hint}` };
}

function unknownType(path: Path, value: unknown, issue: z.core.$ZodIssue, spec: Spec): Finding {
  const { kind, others } = kindAt(path, spec);
  const names = discriminators(issue);
  if (typeof value !== "string") {
    const message = `Expected the name of a ${kind}, got ${typeName(value)}; it is ${
      list(names, "or")
    }`;
    return { path, part: "value", message };
  }
  const other = others.get(value);
  if (other !== undefined) {
    return {
      path,
      part: "value",
      message: `${quote(value)} is a ${other}, and here stands a ${kind}`,
    };
  }
  const suggestion = nearest(value, names);
  const known = suggestion === undefined
    ? `; there ${names.length === 1 ? "is" : "are"} ${list(names)}`
    : "";
  const shown = spec.isForeign(path) ? "of this name" : quote(value);
  return { path, part: "value", message: `There is no ${kind} ${shown}${known}`, suggestion };
}

/** The kind of component that a path leads to, and the kinds of all types that are not of it. */
function kindAt(path: Path, spec: Spec): { kind: string; others: Map<string, string> } {
  const kinds = { source: "source", transforms: "transform", sinks: "sink" };
  const others = new Map<string, string>();
  let kind = "component";
  for (const [option, name] of Object.entries(kinds)) {
    if (path[2] === option) {
      kind = name;
      continue;
    }
    const steps = option === "source" ? [option] : [option, 0];
    const schema = schemaAt(spec.schema, ["pipelines", "x", ...steps], {});
    if (schema === undefined || !("options" in schema) || !Array.isArray(schema.options)) continue;
    for (const member of schema.options) {
      const type = componentType(member);
      if (type !== undefined) others.set(type, name);
    }
  }
  return { kind, others };
}

function meant(
  value: unknown,
  values: readonly unknown[],
  spec: Spec,
  path: Path,
): string | undefined {
  if (typeof value !== "string" || spec.isForeign(path)) return undefined;
  return nearest(value, values.filter((one) => typeof one === "string"));
}

function describe(issue: z.core.$ZodIssue, value: unknown, spec: Spec, path: Path): string {
  const got = typeof value === "string" && !spec.isForeign(path) ? quote(value) : typeName(value);
  switch (issue.code) {
    case "invalid_type":
      return wrongType(issue, value, schemaAt(spec.schema, path, spec.tree));
    case "invalid_value":
      if (path.length === 1 && path[0] === "version") {
        return "This portsync reads version 1 of specs";
      }
      return `Expected ${list(issue.values.map(String), "or")}, got ${got}`;
    case "too_small":
      return outOfRange(issue.origin, "at least", issue.minimum, value);
    case "too_big":
      return outOfRange(issue.origin, "at most", issue.maximum, value);
    case "invalid_union":
      return alternatives(issue, value);
    default:
      return issue.message;
  }
}

function wrongType(
  issue: z.core.$ZodIssueInvalidType,
  value: unknown,
  schema: Schema | undefined,
): string {
  if (issue.expected === "int" && typeof value === "number") {
    return `Expected a whole number, got ${value}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    return `Expected a number, got ${value}`;
  }
  const hint = issue.expected === "array" && typeof value === "string"
    ? "; a list stands in brackets, even of one"
    : "";
  const expected = isWholeNumber(schema) ? "int" : issue.expected;
  return `Expected ${typeWord(expected)}, got ${typeName(value)}${hint}`;
}

function alternatives(issue: z.core.$ZodIssueInvalidUnion, value: unknown): string {
  const words = new Set<string>();
  for (const [first] of issue.errors) {
    if (first?.code !== "invalid_type") return first?.message ?? issue.message;
    words.add(typeWord(first.expected));
  }
  return `Expected ${list([...words], "or")}, got ${typeName(value)}`;
}

function typeWord(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    string: "text",
    int: "a whole number",
    number: "a number",
    boolean: "true or false",
    array: "a list",
    object: "a mapping",
    record: "a mapping",
  };
  return words[expected] ?? expected;
}

function outOfRange(
  origin: string,
  bound: string,
  limit: number | bigint,
  value: unknown,
): string {
  const plural = Number(limit) === 1 ? "" : "s";
  if (origin === "array") {
    return `Expected ${bound} ${limit} ${plural === "" ? "entry" : "entries"}`;
  }
  if (origin === "string") return `Expected ${bound} ${limit} character${plural}`;
  return `Expected ${bound} ${limit}, got ${String(value)}`;
}

/** `a, b and c`, with at most eight of them. */
function list(words: readonly unknown[], join = "and"): string {
  const texts = words.map(String);
  const shown = texts.length > 12 ? [...texts.slice(0, 11), "others"] : texts;
  const last = shown.pop() ?? "nothing";
  return shown.length === 0 ? last : `${shown.join(", ")} ${join} ${last}`;
}

/** The type that was probably meant where a component's type is not known. */
export function meantType(issue: z.core.$ZodIssue, value: unknown): string | undefined {
  if (issue.code !== "invalid_union" || typeof value !== "string") return undefined;
  return nearest(value, discriminators(issue));
}

/** The path of an issue; a spec has no symbols in it. */
export function stepsOf(issue: z.core.$ZodIssue): Path {
  return issue.path.map((step) => typeof step === "number" ? step : String(step));
}

/** The types that a union of components knows. */
function discriminators(issue: z.core.$ZodIssue): string[] {
  const options: unknown = "options" in issue ? issue.options : undefined;
  return Array.isArray(options) ? options.filter((one) => typeof one === "string") : [];
}
