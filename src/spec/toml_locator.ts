/**
 * Finds the text of a path in a TOML document. Loaded only when there is something to complain of.
 *
 * @module
 */
import { type AST, parseTOML } from "toml-eslint-parser";
import type { Locator, Part } from "./parsed.ts";
import type { SourceText, Spot } from "./source_text.ts";
import type { Path } from "./tree.ts";

/** One entry: where its key and its value stand, and the entries inside. */
interface Place {
  key: Spot | undefined;
  value: Spot | undefined;
  readonly inside: Map<string | number, Place>;
}

/** Reads the places of a text that has been read as values before. */
export function readTomlPlaces(source: SourceText): Locator {
  const root = place();
  try {
    for (const node of parseTOML(source.text, { tomlVersion: "latest" }).body[0].body) {
      if (node.type === "TOMLTable") addTable(root, node);
      else addEntry(root, node);
    }
  } catch (error) {
    // Where the two parsers do not agree, the complaint is worth more than its place.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
  }
  return new TomlLocator(root, source);
}

class TomlLocator implements Locator {
  readonly #root: Place;
  readonly #source: SourceText;

  constructor(root: Place, source: SourceText) {
    this.#root = root;
    this.#source = source;
  }

  find(path: Path, part: Part): { readonly spot: Spot; readonly steps: number } {
    let current = this.#root;
    let steps = 0;
    for (const step of path) {
      const next = current.inside.get(step);
      if (next === undefined) break;
      current = next;
      steps++;
    }
    const { key, value } = current;
    const wantsKey = part === "key" || steps < path.length;
    if (key !== undefined && (wantsKey || value === undefined || this.#far(key, value))) {
      return { spot: key, steps };
    }
    return { spot: value ?? key ?? { start: 0, end: 1 }, steps };
  }

  #far(key: Spot, value: Spot): boolean {
    return this.#source.at(key.start).line !== this.#source.at(value.start).line;
  }
}

function place(): Place {
  return { key: undefined, value: undefined, inside: new Map() };
}

function child(parent: Place, step: string | number): Place {
  let found = parent.inside.get(step);
  if (found === undefined) {
    found = place();
    parent.inside.set(step, found);
  }
  return found;
}

/** `[a.b]` and `[[a.b]]`: the resolved key has numbers in it for elements of arrays of tables. */
function addTable(root: Place, table: AST.TOMLTable): void {
  let current = root;
  let named = 0;
  for (const step of table.resolvedKey) {
    current = child(current, step);
    // An element of an array of tables is pointed at by the name of its array.
    const name = typeof step === "number" ? table.key.keys[named - 1] : table.key.keys[named++];
    current.key ??= spot(name);
  }
  for (const entry of table.body) addEntry(current, entry);
}

function addEntry(parent: Place, entry: AST.TOMLKeyValue): void {
  let current = parent;
  for (const key of entry.key.keys) {
    current = child(current, key.type === "TOMLBare" ? key.name : key.value);
    current.key ??= spot(key);
  }
  addValue(current, entry.value);
}

function addValue(target: Place, node: AST.TOMLContentNode): void {
  target.value ??= spot(node);
  if (node.type === "TOMLArray") {
    node.elements.forEach((element, index) => addValue(child(target, index), element));
  } else if (node.type === "TOMLInlineTable") {
    for (const entry of node.body) addEntry(target, entry);
  }
}

function spot(node: { readonly range: readonly [number, number] } | undefined): Spot | undefined {
  return node === undefined ? undefined : { start: node.range[0], end: node.range[1] };
}
