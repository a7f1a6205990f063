/**
 * What both parsers give: the tree, and a way to find where a part of it stands.
 *
 * @module
 */
import type { SourceText, Spot } from "./source_text.ts";
import type { Path } from "./tree.ts";

/** Which part of an entry is meant. */
export type Part = "key" | "value";

/** Finds the text of a path. */
export interface Locator {
  /**
   * Where the path's last step stands, or the deepest step before it that is there.
   *
   * A value that goes over several lines is answered by its key, where it has one.
   *
   * @returns the place and how many steps of the path lead to it
   */
  find(path: Path, part: Part): { readonly spot: Spot; readonly steps: number };
}

/** A parsed spec, unchecked. */
export interface Parsed {
  readonly source: SourceText;
  readonly tree: unknown;
  /** Made only when there is something to complain about. */
  locator(): Promise<Locator>;
}
