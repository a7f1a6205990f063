/**
 * Finds the text of a path in a YAML document.
 *
 * @module
 */
import type { Locator, Part } from "./parsed.ts";
import type { SourceText, Spot } from "./source_text.ts";
import type { Path } from "./tree.ts";
import { keyText, spotOf, type Targets, type YamlTests } from "./yaml_tree.ts";

/** Finds places in a document's nodes; an alias leads to the text that it repeats. */
export class YamlLocator implements Locator {
  readonly #tests: YamlTests;
  readonly #root: unknown;
  readonly #targets: Targets;
  readonly #source: SourceText;

  constructor(tests: YamlTests, root: unknown, targets: Targets, source: SourceText) {
    this.#tests = tests;
    this.#root = root;
    this.#targets = targets;
    this.#source = source;
  }

  find(path: Path, part: Part): { readonly spot: Spot; readonly steps: number } {
    let node: unknown = this.#root;
    let key: unknown;
    let steps = 0;
    for (const step of path) {
      node = this.#targets.get(node) ?? node;
      if (this.#tests.isSeq(node) && typeof step === "number" && step in node.items) {
        node = node.items[step];
        key = undefined;
      } else if (this.#tests.isMap(node)) {
        const pair = node.items.find((item) => keyText(this.#tests, item.key) === step);
        if (pair === undefined) break;
        node = pair.value;
        key = pair.key;
      } else break;
      steps++;
    }
    // What is missing is missing in the entry that was found, so its key is pointed at.
    const wanted = steps < path.length ? "key" : part;
    return { spot: this.#spot(key, node, wanted), steps };
  }

  #spot(key: unknown, value: unknown, part: Part): Spot {
    const ofKey = spotOf(key);
    const ofValue = spotOf(value);
    if (ofKey === undefined) return ofValue ?? { start: 0, end: 1 };
    if (part === "key" || ofValue === undefined || ofValue.end <= ofValue.start) return ofKey;
    const collection = this.#tests.isMap(value) || this.#tests.isSeq(value);
    const far = this.#source.at(ofValue.start).line !== this.#source.at(ofKey.start).line;
    return collection && far ? ofKey : ofValue;
  }
}
