/**
 * The check phase: from text to a checked spec, or to everything that is wrong with it. It does no
 * I/O and starts nothing; the environment is looked up by a function that the caller gives.
 *
 * @module
 */
import type { z } from "zod";
import { sinkSchema, type SpecConfig, specSchema } from "../../schemas/pipeline.ts";
import { type Complaint, inOrder, SpecError } from "./errors.ts";
import type { Finding } from "./finding.ts";
import { type Environment, interpolate, type Interpolated } from "./interpolate.ts";
import { findingsOf, meantType, type Spec, stepsOf } from "./messages.ts";
import { type Overridden, override } from "./overrides.ts";
import type { Locator, Parsed } from "./parsed.ts";
import { applyRules } from "./rules.ts";
import { componentType, isSecret } from "./schema_walk.ts";
import { SourceText, type Spot } from "./source_text.ts";
import { formatPath, isMapping, type Path, valueAt } from "./tree.ts";

/** What the check is given beside the text. */
export interface CheckOptions {
  /** Where `${NAME}` is looked up; every name is unset when left out. */
  readonly environment?: Environment;
  /** `--set` arguments, each `path=value`. */
  readonly overrides?: readonly string[];
}

/** A spec that has passed the check. */
export interface Checked {
  /** The name of its file, as the operator gave it. */
  readonly file: string;
  readonly config: SpecConfig;
  /** Names of the environment that it refers to. */
  readonly environment: readonly string[];
  /** Complaints of later phases, with the places of their paths. */
  refuse(findings: readonly Finding[], options?: ErrorOptions): Promise<SpecError>;
}

/**
 * Checks the text of a spec. The notation follows from the file's name: `.yaml`, `.yml`, `.toml`.
 *
 * @throws {SpecError} with all that is wrong; never anything else, whatever the text is
 *
 * @example
 * ```ts
 * import { check } from "./check.ts";
 * import { SourceText } from "./source_text.ts";
 * const text = `
 * version: 1
 * pipelines:
 *   ports:
 *     source: { type: netlink }
 *     transforms: [{ type: ksync }]
 *     sinks: [{ type: state_db }]
 * `;
 * const { config } = await check(new SourceText("ports.yaml", text));
 * config.pipelines["ports"]?.source.type; // "netlink"
 * ```
 */
export async function check(source: SourceText, options: CheckOptions = {}): Promise<Checked> {
  const parsed = await parse(source);
  const overridden = override(parsed.tree, options.overrides ?? []);
  const interpolated = interpolate(overridden.tree, options.environment ?? (() => undefined));
  const judge = new Judge(overridden, interpolated);
  const { findings, config } = judge.judge();
  const refuse = (found: readonly Finding[], errorOptions?: ErrorOptions) =>
    complain(found, parsed, overridden, errorOptions);
  if (config === undefined || findings.length > 0) throw await refuse(findings);
  return { file: source.file, config, environment: [...interpolated.names].sort(), refuse };
}

async function parse(source: SourceText): Promise<Parsed> {
  if (/\.ya?ml$/i.test(source.file)) return await (await import("./yaml.ts")).parseYaml(source);
  if (/\.toml$/i.test(source.file)) return await (await import("./toml.ts")).parseToml(source);
  const message = "The name of a spec ends in .yaml, .yml or .toml, which says how to read it";
  const place = { start: 0, end: 1 };
  throw new SpecError([new SourceText(source.file, "").complain(place, message)]);
}

/** The types of all sinks. */
const SINKS: ReadonlySet<unknown> = new Set(sinkSchema.options.map(componentType));

/** Puts the schema and the rules to a tree. */
class Judge {
  readonly #interpolated: Interpolated;
  readonly #typed: ReadonlyMap<string, string>;
  #tree: unknown;

  constructor(overridden: Overridden, interpolated: Interpolated) {
    this.#interpolated = interpolated;
    this.#tree = interpolated.tree;
    this.#typed = new Map([...overridden.typed, ...interpolated.replaced]);
  }

  judge(): { readonly findings: readonly Finding[]; readonly config: SpecConfig | undefined } {
    let result = specSchema.safeParse(this.#tree);
    if (!result.success && this.#retype(result.error.issues)) {
      result = specSchema.safeParse(this.#tree);
    }
    const unset = new Set(this.#interpolated.findings.map(({ path }) => JSON.stringify(path)));
    const findings = [...this.#interpolated.findings, ...this.#misplacedSecrets()];
    const issues = result.success ? [] : result.error.issues;
    for (const finding of this.#findings(issues, this.#tree)) {
      // Where a name is not set there is no value to speak of.
      if (!unset.has(JSON.stringify(finding.path))) findings.push(finding);
    }
    findings.push(...applyRules(this.#tree, SINKS));
    return { findings, config: result.success ? result.data : undefined };
  }

  #findings(issues: readonly z.core.$ZodIssue[], tree: unknown): Finding[] {
    const isForeign = (path: Path) => this.#interpolated.replaced.has(JSON.stringify(path));
    const spec: Spec = { schema: specSchema, tree, isForeign };
    return issues.flatMap((issue) => [...findingsOf(issue, spec), ...this.#behind(issue, tree)]);
  }

  /** What is wrong inside of something whose name or type is wrong: the schema stops there. */
  #behind(issue: z.core.$ZodIssue, tree: unknown): Finding[] {
    const path = stepsOf(issue);
    if (issue.code === "invalid_key") {
      const mended = { version: 1, pipelines: { unnamed: valueAt(tree, path) } };
      return this.#below(["pipelines", "unnamed"], mended)
        .map((finding) => ({ ...finding, path: [...path, ...finding.path.slice(2)] }));
    }
    const meant = meantType(issue, valueAt(tree, path));
    return meant === undefined ? [] : this.#below(path.slice(0, -1), replaceAt(tree, path, meant));
  }

  /** The findings below a path in a tree that was mended there. */
  #below(top: Path, tree: unknown): Finding[] {
    const result = specSchema.safeParse(tree);
    if (result.success) return [];
    const inside = result.error.issues
      .filter((issue) => top.every((step, index) => issue.path[index] === step));
    return this.#findings(inside, tree);
  }

  /**
   * Gives texts from the environment and from `--set` the type that the schema wants: a text has
   * none of its own there. Says whether anything was changed.
   */
  #retype(issues: readonly z.core.$ZodIssue[]): boolean {
    let changed = false;
    for (const issue of issues) {
      const path = stepsOf(issue);
      const raw = this.#typed.get(JSON.stringify(path));
      if (raw === undefined) continue;
      const value = valueAt(this.#tree, path);
      if (typeof value === "object") continue;
      const other = typeof value === "string" ? plainValue(raw) : raw;
      if (other === undefined) continue;
      this.#tree = replaceAt(this.#tree, path, other);
      changed = true;
    }
    return changed;
  }

  #misplacedSecrets(): Finding[] {
    return this.#interpolated.references
      .filter((path) => !isSecret(specSchema, path, this.#tree))
      .map((path) => ({
        path,
        part: "value",
        message: "A secret's reference may only stand in an option for secrets, such as password",
      }));
  }
}

/** The number or truth value that a text is. */
function plainValue(text: string): number | boolean | undefined {
  if (text === "true") return true;
  if (text === "false") return false;
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined;
}

/** A tree with another value at a path; what is not on the way is shared. */
function replaceAt(tree: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(tree) && typeof step === "number") {
    return tree.with(step, replaceAt(tree[step], rest, value));
  }
  return isMapping(tree) ? { ...tree, [step]: replaceAt(tree[step], rest, value) } : tree;
}

async function complain(
  findings: readonly Finding[],
  parsed: Parsed,
  overridden: Overridden,
  options: ErrorOptions = {},
): Promise<SpecError> {
  const locator = await parsed.locator();
  const complaints = findings.map((finding) => place(finding, parsed.source, locator, overridden));
  return new SpecError(inOrder(complaints), options);
}

function place(
  finding: Finding,
  source: SourceText,
  locator: Locator,
  overridden: Overridden,
): Complaint {
  const { path, part, message, suggestion, fragment } = finding;
  const options = { path: formatPath(path), suggestion };
  const { spot, steps } = locator.find(path, part);
  const argument = overridden.find(path, part, steps);
  if (argument !== undefined) {
    const complaint = argument.source.complain(argument.spot, message, options);
    return { ...complaint, line: argument.number };
  }
  const narrowed = fragment === undefined ? spot : within(source, spot, fragment);
  return source.complain(narrowed, message, options);
}

function within(source: SourceText, spot: Spot, fragment: string): Spot {
  const at = source.text.slice(spot.start, spot.end).indexOf(fragment);
  if (at < 0) return spot;
  return { start: spot.start + at, end: spot.start + at + fragment.length };
}
