/**
 * `--set path=value`: changes of a tree from the command line, before it is checked.
 *
 * @module
 */
import { type Complaint, SpecError } from "./errors.ts";
import { quote } from "./printable.ts";
import type { Part } from "./parsed.ts";
import { SourceText, type Spot } from "./source_text.ts";
import { firstExcess, formatPath, isMapping, type Path, typeName } from "./tree.ts";

/** One `--set`, taken apart. */
interface Override {
  readonly source: SourceText;
  /** From 1. */
  readonly number: number;
  /** Steps into lists are numbers once the tree has been seen. */
  readonly path: (string | number)[];
  /** Where each step of the path stands in the argument, then the value. */
  readonly spots: readonly Spot[];
  readonly raw: string;
}

/** A tree with its overrides, which know what they changed. */
export interface Overridden {
  readonly tree: unknown;
  /** The texts as they were typed, by `JSON.stringify(path)`: the schema decides their type. */
  readonly typed: ReadonlyMap<string, string>;
  /**
   * The argument that made what a path leads to; undefined where the file did.
   *
   * @param steps how many steps of the path are in the file
   */
  find(path: Path, part: Part, steps: number): Argument | undefined;
}

/** A stretch of one `--set` argument. */
export interface Argument {
  readonly source: SourceText;
  /** From 1. */
  readonly number: number;
  readonly spot: Spot;
}

/**
 * Puts `--set` arguments into a tree, in their order. Mappings on the way are made.
 *
 * A value is read as JSON where it is JSON, and else as text.
 *
 * @throws {SpecError} for arguments that are no `path=value`, and for paths that lead nowhere
 */
export function override(tree: unknown, words: readonly string[]): Overridden {
  const complaints: Complaint[] = [];
  const overrides: Override[] = [];
  const typed = new Map<string, string>();
  let result = words.length === 0 ? tree : structuredClone(tree);
  words.forEach((word, index) => {
    const parsed = parse(word, index + 1);
    if ("message" in parsed) {
      complaints.push(parsed);
      return;
    }
    const { value, complaint } = readValue(parsed);
    const problem = complaint ?? put(result, parsed, value, (root) => result = root);
    if (problem !== undefined) complaints.push(problem);
    overrides.push(parsed);
    typed.set(JSON.stringify(parsed.path), parsed.raw);
  });
  if (complaints.length > 0) throw new SpecError(complaints);
  return {
    tree: result,
    typed,
    find: (path, part, steps) => findArgument(overrides, path, part, steps),
  };
}

function findArgument(
  overrides: readonly Override[],
  path: Path,
  part: Part,
  steps: number,
): Argument | undefined {
  let best: Override | undefined;
  let shared = 0;
  for (const one of overrides) {
    const common = commonSteps(one.path, path);
    if (common === one.path.length ? common < shared : common <= Math.max(steps, shared)) continue;
    best = one;
    shared = common;
  }
  if (best === undefined) return undefined;
  const isValue = part === "value" || shared < path.length;
  const whole = shared === best.path.length && isValue;
  const spot = best.spots[whole ? shared : Math.max(shared - 1, 0)] ?? { start: 0, end: 1 };
  return { source: best.source, number: best.number, spot };
}

function commonSteps(left: Path, right: Path): number {
  const differs = left.findIndex((step, index) => step !== right[index]);
  return differs < 0 ? left.length : differs;
}

function complain(
  where: Pick<Override, "source" | "number">,
  spot: Spot | undefined,
  message: string,
  options: { readonly path?: string; readonly suggestion?: string | undefined } = {},
): Complaint {
  const at = spot ?? { start: 0, end: 1 };
  return { ...where.source.complain(at, message, options), line: where.number };
}

const FIRST_STEP = /([A-Za-z0-9_-]+)/y;
const FURTHER_STEP = /\.([A-Za-z0-9_-]+)|\[(\d{1,4})\]/y;

function parse(word: string, number: number): Override | Complaint {
  const source = new SourceText("--set", word.replaceAll("\n", " "));
  const equals = word.indexOf("=");
  const left = equals < 0 ? word : word.slice(0, equals);
  if (equals <= 0) {
    const spot = { start: 0, end: word.length };
    return complain({ source, number }, spot, "Expected path=value after --set");
  }
  const path: (string | number)[] = [];
  const spots: Spot[] = [];
  for (let at = 0; at < left.length;) {
    const step = at === 0 ? FIRST_STEP : FURTHER_STEP;
    step.lastIndex = at;
    const found = step.exec(left);
    if (found === null) {
      const message = "Expected names with dots between, as in service.log_level=debug";
      return complain({ source, number }, { start: at, end: at + 1 }, message);
    }
    path.push(found[1] ?? Number(found[2]));
    spots.push({ start: left[at] === "." ? at + 1 : at, end: step.lastIndex });
    at = step.lastIndex;
  }
  spots.push({ start: equals + 1, end: word.length });
  return { source, number, path, spots, raw: word.slice(equals + 1) };
}

function readValue(one: Override): { readonly value: unknown; readonly complaint?: Complaint } {
  const value = jsonOrText(one.raw);
  const excess = firstExcess(value);
  if (excess === undefined) return { value };
  return { value: null, complaint: complain(one, one.spots.at(-1), excess.message) };
}

function jsonOrText(raw: string): unknown {
  try {
    const value: unknown = JSON.parse(raw);
    return value;
  } catch {
    return raw;
  }
}

function put(
  root: unknown,
  one: Override,
  value: unknown,
  setRoot: (root: unknown) => void,
): Complaint | undefined {
  let container: unknown = root;
  if (container === null) {
    container = {};
    setRoot(container);
  }
  for (const [index, step] of one.path.entries()) {
    const last = index === one.path.length - 1;
    const next = last ? value : {};
    if (Array.isArray(container)) {
      const at = Number(step);
      if (!Number.isInteger(at) || at > container.length) {
        const message = `Expected a number from 0 to ${container.length} in this list`;
        return complain(one, one.spots[index], message);
      }
      if (last || at === container.length) container[at] = next;
      one.path[index] = at;
      container = container[at];
    } else if (isMapping(container)) {
      const key = String(step);
      if (key === "__proto__") return complain(one, one.spots[index], "There is no such option");
      if (last || !Object.hasOwn(container, key)) container[key] = next;
      container = container[key];
    } else {
      const parent = quote(formatPath(one.path.slice(0, index)));
      const message = `${parent} is ${typeName(container)}, and nothing can be set in it`;
      return complain(one, one.spots[index], message);
    }
  }
  return undefined;
}
