/**
 * Turns the nodes of a YAML document into plain values, within bounds.
 *
 * @module
 */
import type { Alias, Node, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { type Complaint, SpecError } from "./errors.ts";
import { quote } from "./printable.ts";
import type { SourceText, Spot } from "./source_text.ts";
import { HARMFUL_KEY, LIMITS } from "./tree.ts";

/** The library's tests of nodes, given because the library itself is loaded late. */
export interface YamlTests {
  readonly isAlias: (node: unknown) => node is Alias;
  readonly isMap: (node: unknown) => node is YAMLMap;
  readonly isSeq: (node: unknown) => node is YAMLSeq;
  readonly isScalar: (node: unknown) => node is Scalar;
}

/** What aliases stand for. */
export type Targets = ReadonlyMap<unknown, unknown>;

/**
 * The values of a document, and the node that each alias repeats.
 *
 * @throws {SpecError} for duplicate keys, keys that are no words, aliases without an anchor or
 * inside themselves, and for more values or levels than a spec may have
 */
export function readYamlTree(
  tests: YamlTests,
  source: SourceText,
  contents: Node | null,
): { readonly tree: unknown; readonly targets: Targets } {
  const reader = new Reader(tests, source);
  const tree = reader.read(contents, 0);
  if (reader.complaints.length > 0) throw new SpecError(reader.complaints);
  return { tree, targets: reader.targets };
}

/** The text of a key, as it stands: `1` and `yes` are words too. Undefined for a collection. */
export function keyText(tests: YamlTests, key: unknown): string | undefined {
  if (!tests.isScalar(key)) return undefined;
  if (typeof key.value === "string") return key.value;
  return key.source === undefined || key.source === "" ? undefined : key.source;
}

/** Where a node stands; an empty one has no width. */
export function spotOf(node: unknown): Spot | undefined {
  if (typeof node !== "object" || node === null || !("range" in node)) return undefined;
  const { range } = node;
  if (!Array.isArray(range)) return undefined;
  const [start, end]: unknown[] = range;
  return typeof start === "number" && typeof end === "number" ? { start, end } : undefined;
}

class Reader {
  readonly complaints: Complaint[] = [];
  readonly targets = new Map<unknown, unknown>();
  readonly #tests: YamlTests;
  readonly #source: SourceText;
  readonly #anchors = new Map<string, unknown>();
  readonly #open = new Set<unknown>();
  /** The alias that the file has at the place that is read; what it repeats stands elsewhere. */
  #outermost: Alias | undefined;
  #values = 0;

  constructor(tests: YamlTests, source: SourceText) {
    this.#tests = tests;
    this.#source = source;
  }

  read(node: unknown, depth: number): unknown {
    if (++this.#values > LIMITS.values) {
      throw this.#stop(
        node,
        `The spec has more than ${LIMITS.values} values, aliases counted each time`,
      );
    }
    if (depth > LIMITS.depth) throw this.#stop(node, `Nested deeper than ${LIMITS.depth} levels`);
    if (this.#tests.isAlias(node)) return this.#alias(node, depth);
    this.#keepAnchor(node);
    if (this.#tests.isScalar(node)) return node.value;
    if (!this.#tests.isMap(node) && !this.#tests.isSeq(node)) return null;
    this.#open.add(node);
    const value = this.#tests.isSeq(node)
      ? node.items.map((item) => this.read(item, depth + 1))
      : this.#mapping(node, depth);
    this.#open.delete(node);
    return value;
  }

  #keepAnchor(node: unknown): void {
    if (typeof node !== "object" || node === null || !("anchor" in node)) return;
    if (typeof node.anchor === "string") this.#anchors.set(node.anchor, node);
  }

  #alias(alias: Alias, depth: number): unknown {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      this.#complain(alias, `No anchor ${quote("&" + alias.source)} stands before this alias`);
      return null;
    }
    if (this.#open.has(target)) {
      this.#complain(alias, "This alias stands inside of what it repeats");
      return null;
    }
    this.targets.set(alias, target);
    const outermost = this.#outermost;
    this.#outermost ??= alias;
    const value = this.read(target, depth);
    this.#outermost = outermost;
    return value;
  }

  #mapping(node: YAMLMap, depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const first = new Map<string, Spot | undefined>();
    for (const pair of node.items) {
      const key = this.#key(pair);
      const value = this.read(pair.value, depth + 1);
      if (key === undefined) continue;
      if (first.has(key)) {
        const line = this.#source.at(first.get(key)?.start ?? 0).line;
        this.#complain(pair.key, `${quote(key)} is given twice; the first is in line ${line}`);
        continue;
      }
      first.set(key, spotOf(pair.key));
      result[key] = value;
    }
    return result;
  }

  #key(pair: Pair): string | undefined {
    let node: unknown = pair.key;
    this.#keepAnchor(node);
    if (this.#tests.isAlias(node)) node = this.#anchors.get(node.source);
    const key = keyText(this.#tests, node);
    if (key === undefined) {
      this.#complain(pair.key ?? pair.value, "Expected a word as key");
    } else if (key === "__proto__") {
      this.#complain(pair.key, HARMFUL_KEY);
      return undefined;
    } else if (key === "<<") {
      this.#complain(pair.key, "Merge keys are not YAML 1.2; write the options out");
      return undefined;
    }
    return key;
  }

  #complain(node: unknown, message: string): void {
    const spot = spotOf(node) ?? { start: 0, end: 1 };
    this.complaints.push(this.#source.complain(spot, message));
  }

  #stop(node: unknown, message: string): SpecError {
    this.#complain(this.#outermost ?? node, message);
    return new SpecError(this.complaints);
  }
}
