/**
 * The schema as plain data, and the check by it that every start goes through.
 *
 * zod says best what is wrong with a spec, but it takes a third of the time of a start and 12 MB
 * for as long as the supervisor lives. So a good spec is checked by the table of `plain.gen.ts`,
 * which is made from the zod schemas, and zod is only loaded when the table has a doubt. The table
 * may doubt what is good; it never takes what zod refuses, and tests hold that.
 *
 * @module
 */
import type { SpecConfig } from "../../schemas/pipeline.ts";
import { checkStoreUrl } from "../../schemas/url.ts";
import { checkGlob } from "../core/glob.ts";
import { isMapping } from "./tree.ts";

/** The checks that are functions, by the name under which the schemas register them. */
export type CheckName = "glob" | "store_url" | "redis_url";

/** What a value may be. */
export type Plain =
  | {
    readonly kind: "text";
    readonly least?: number;
    readonly most?: number;
    /** Sources of regular expressions, all of which match. */
    readonly patterns?: readonly string[];
    readonly check?: CheckName;
    /** Whether a reference to a secret may stand here. */
    readonly secret?: true;
  }
  | {
    readonly kind: "number";
    readonly whole?: true;
    readonly least?: number;
    readonly most?: number;
  }
  | { readonly kind: "truth" }
  | { readonly kind: "one_of"; readonly values: readonly (string | number)[] }
  | { readonly kind: "list"; readonly of: Plain; readonly least?: number; readonly most?: number }
  | { readonly kind: "named"; readonly name: Plain; readonly of: Plain }
  | { readonly kind: "mapping"; readonly options: Readonly<Record<string, PlainOption>> }
  | { readonly kind: "component"; readonly types: Readonly<Record<string, Plain>> }
  | { readonly kind: "either"; readonly of: readonly Plain[] }
  /** Only zod can tell. */
  | { readonly kind: "unknown" };

/** One option of a mapping. */
export interface PlainOption {
  readonly of: Plain;
  /** It may be left out. */
  readonly optional?: true;
  /** What stands for it where it is left out, as it comes out of the check. */
  readonly preset?: unknown;
}

/** The answer where only zod can tell. */
const DOUBT: unique symbol = Symbol("doubt");

const CHECKS: Readonly<Record<CheckName, (text: string) => string | undefined>> = {
  glob: checkGlob,
  store_url: (text) => checkStoreUrl(text, { sqlite: true }),
  redis_url: (text) => checkStoreUrl(text, { sqlite: false }),
};

/** The checked and completed spec, or undefined where zod has to be asked. */
export function takePlain(schema: Plain, tree: unknown): SpecConfig | undefined {
  const result = take(schema, tree);
  return isTaken(result) ? result : undefined;
}

/** That the table gives what zod gives is what the tests hold; a type cannot say it. */
function isTaken(result: unknown): result is SpecConfig {
  return result !== DOUBT;
}

function take(schema: Plain, value: unknown): unknown {
  switch (schema.kind) {
    case "text":
      return typeof value === "string" && isText(schema, value) ? value : DOUBT;
    case "number":
      return typeof value === "number" && isNumber(schema, value) ? value : DOUBT;
    case "truth":
      return typeof value === "boolean" ? value : DOUBT;
    case "one_of":
      return schema.values.some((one) => one === value) ? value : DOUBT;
    case "list":
      return Array.isArray(value) ? takeList(schema, value) : DOUBT;
    case "named":
      return isMapping(value) ? takeNamed(schema, value) : DOUBT;
    case "mapping":
      return isMapping(value) ? takeMapping(schema.options, value) : DOUBT;
    case "component":
      return isMapping(value) ? takeComponent(schema.types, value) : DOUBT;
    case "either":
      return takeEither(schema.of, value);
    case "unknown":
      return DOUBT;
  }
}

function isText(schema: Extract<Plain, { kind: "text" }>, text: string): boolean {
  const { least = 0, most = Infinity, patterns = [], check, secret } = schema;
  if (text.length < least || text.length > most) return false;
  if (secret === undefined && /\$\{(file|credential):/.test(text)) return false;
  if (!patterns.every((pattern) => new RegExp(pattern).test(text))) return false;
  return check === undefined || CHECKS[check](text) === undefined;
}

function isNumber(schema: Extract<Plain, { kind: "number" }>, number: number): boolean {
  const { whole, least = -Infinity, most = Infinity } = schema;
  if (!Number.isFinite(number) || (whole === true && !Number.isSafeInteger(number))) return false;
  return number >= least && number <= most;
}

function takeList(schema: Extract<Plain, { kind: "list" }>, list: readonly unknown[]): unknown {
  const { of, least = 0, most = Infinity } = schema;
  if (list.length < least || list.length > most) return DOUBT;
  const taken = list.map((item) => take(of, item));
  return taken.includes(DOUBT) ? DOUBT : taken;
}

function takeNamed(
  schema: Extract<Plain, { kind: "named" }>,
  mapping: Readonly<Record<string, unknown>>,
): unknown {
  const taken: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(mapping)) {
    const result = take(schema.of, value);
    if (result === DOUBT || take(schema.name, name) === DOUBT) return DOUBT;
    taken[name] = result;
  }
  return taken;
}

function takeMapping(
  options: Readonly<Record<string, PlainOption>>,
  mapping: Readonly<Record<string, unknown>>,
): unknown {
  if (!Object.keys(mapping).every((key) => Object.hasOwn(options, key))) return DOUBT;
  const taken: Record<string, unknown> = {};
  for (const [key, { of, optional, preset }] of Object.entries(options)) {
    if (Object.hasOwn(mapping, key)) {
      const result = take(of, mapping[key]);
      if (result === DOUBT) return DOUBT;
      taken[key] = result;
    } else if (preset !== undefined) taken[key] = structuredClone(preset);
    else if (optional === undefined) return DOUBT;
  }
  return taken;
}

function takeComponent(
  types: Readonly<Record<string, Plain>>,
  mapping: Readonly<Record<string, unknown>>,
): unknown {
  const type = mapping["type"];
  const schema = typeof type === "string" && Object.hasOwn(types, type) ? types[type] : undefined;
  return schema === undefined ? DOUBT : take(schema, mapping);
}

function takeEither(of: readonly Plain[], value: unknown): unknown {
  for (const one of of) {
    const result = take(one, value);
    if (result !== DOUBT) return result;
  }
  return DOUBT;
}
