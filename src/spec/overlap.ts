/**
 * Whether two lists of patterns can match the same name.
 *
 * @module
 */
import { checkGlob } from "../core/glob.ts";

/** What can be said: classes such as `[a-z]` are not worked out, so they may be `perhaps`. */
export type Overlap = "surely" | "never" | "perhaps";

/** Compares two lists of patterns; undefined stands for every name. */
export function overlap(
  left: readonly string[] | undefined,
  right: readonly string[] | undefined,
): Overlap {
  if (left === undefined || right === undefined) return "surely";
  let answer: Overlap = "never";
  for (const one of left) {
    for (const other of right) {
      const pair = pairOverlap(one, other);
      if (pair === "surely") return pair;
      if (pair === "perhaps") answer = pair;
    }
  }
  return answer;
}

function pairOverlap(left: string, right: string): Overlap {
  if (checkGlob(left) !== undefined || checkGlob(right) !== undefined) return "perhaps";
  if (left === right) return "surely";
  // A class takes some character: as `?` it takes too many, left out it takes none.
  const widest = meets(tokens(left), tokens(right));
  if (!widest) return "never";
  return left.includes("[") || right.includes("[") ? "perhaps" : "surely";
}

/** `*`, `?` (also for a class) or one character. */
function tokens(pattern: string): string[] {
  return Array.from(pattern.replace(/\[[^\]]*\]/g, "?").replace(/\*+/g, "*"));
}

/** Whether two patterns without classes share a name: each cell says if the rests do. */
function meets(left: readonly string[], right: readonly string[]): boolean {
  let below: boolean[] = [];
  for (let row = left.length; row >= 0; row--) {
    const current: boolean[] = Array.from({ length: right.length + 1 }, () => false);
    for (let column = right.length; column >= 0; column--) {
      const a = left[row];
      const b = right[column];
      if (a === undefined && b === undefined) current[column] = true;
      else if (a === "*") {
        current[column] = below[column] === true ||
          (b !== undefined && b !== "." && current[column + 1] === true);
      } else if (b === "*") {
        current[column] = current[column + 1] === true ||
          (a !== undefined && a !== "." && below[column] === true);
      } else current[column] = together(a, b) && below[column + 1] === true;
    }
    below = current;
  }
  return below[0] === true;
}

function together(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a === "?") return b !== ".";
  if (b === "?") return a !== ".";
  return a === b;
}
