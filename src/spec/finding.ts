/**
 * Something wrong in the tree, before anybody has looked up where it stands.
 *
 * @module
 */
import type { Part } from "./parsed.ts";
import type { Path } from "./tree.ts";

/** Something wrong at a path. */
export interface Finding {
  readonly path: Path;
  readonly part: Part;
  /** One sentence without a full stop. */
  readonly message: string;
  /** The word that was probably meant. */
  readonly suggestion?: string | undefined;
  /** The piece of the value's text that is meant, such as `${NAME}`. */
  readonly fragment?: string;
}
