/**
 * The tree that a spec is before it is checked: what both notations have in common.
 *
 * @module
 */

/** Leads from the root of a spec to one value. */
export type Path = readonly (string | number)[];

/** What a spec may have at most. A switch's spec has a hundredth of it. */
export const LIMITS = {
  /** Bytes of a file. */
  bytes: 1 << 20,
  /** Mappings and lists inside each other. */
  depth: 64,
  /** Mappings, lists and values together, aliases counted as often as they are used. */
  values: 20_000,
  /** Words, brackets and line ends of a text, which bound the time that a parser takes. */
  lexemes: 100_000,
} as const;

/** Whether a value is a mapping. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The value at a path, or undefined. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value) && typeof step === "number") value = value[step];
    else if (isMapping(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

/** A path as people write it: `pipelines.port-sync.sinks[0].url`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z0-9_-]{1,80}$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step.length > 80 ? step.slice(0, 80) + "…" : step)}]`;
  }
  return text;
}

/** The name of a value's type, for people. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  if (typeof value === "boolean") return `${value}`;
  if (typeof value === "string") return "text";
  if (typeof value === "number" || typeof value === "bigint") {
    return Number.isInteger(Number(value)) ? "a whole number" : "a number";
  }
  return "a mapping";
}

/** The first value that goes over a limit or has a harmful key, for trees that were not watched. */
export function firstExcess(
  tree: unknown,
): { readonly path: Path; readonly message: string } | undefined {
  let values = 0;
  const waiting: { readonly value: unknown; readonly path: Path }[] = [{ value: tree, path: [] }];
  for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
    const { value, path } = entry;
    if (++values > LIMITS.values) {
      return { path, message: `The spec has more than ${LIMITS.values} values` };
    }
    if (path.length > LIMITS.depth) {
      return { path, message: `Nested deeper than ${LIMITS.depth} levels` };
    }
    if (Array.isArray(value)) {
      value.forEach((item: unknown, at) => waiting.push({ value: item, path: [...path, at] }));
    } else if (isMapping(value)) {
      for (const [key, item] of Object.entries(value)) {
        if (key === "__proto__") return { path: [...path, key], message: HARMFUL_KEY };
        waiting.push({ value: item, path: [...path, key] });
      }
    }
  }
  return undefined;
}

/** Why a key cannot be taken. */
export const HARMFUL_KEY = "The key __proto__ means something else to JavaScript; use another";
