/**
 * Batches of any size as messages of a bounded one.
 *
 * @module
 */
import type { Batch } from "../../core/change.ts";
import type { Span } from "../codec/span.ts";
import { encodeChanges, isOverflow, MOST_CHANGES } from "./codec.ts";

/**
 * Writes as many of a batch's changes as fit, in their order.
 *
 * @param from the change to begin with
 * @returns the message's length, and the change to go on with
 * @throws {CodecError} "overflow" for a change that is too large by itself
 */
export function encodePart(
  target: Span,
  batch: Batch,
  from: number,
): { readonly length: number; readonly next: number } {
  let count = Math.min(batch.changes.length - from, MOST_CHANGES);
  for (;;) {
    const next = from + count;
    try {
      return { length: encodeChanges(target, partOf(batch, from, next)), next };
    } catch (error) {
      if (!isOverflow(error) || count <= 1) throw error;
      count = Math.ceil(count / 2);
    }
  }
}

/** A mark stands where it has to: what begins with the first part, what ends with the last. */
function partOf({ changes, mark }: Batch, from: number, next: number): Batch {
  const isEnd = mark === "dump-end";
  const marked = mark !== undefined && (isEnd ? next === changes.length : from === 0);
  const part = from === 0 && next === changes.length ? changes : changes.slice(from, next);
  return marked ? { changes: part, mark } : { changes: part };
}
