/**
 * INCREMENT, a method for tests: a number, and the next one in the answer.
 *
 * @module
 */
import { require } from "./errors.ts";
import type { Span } from "./span.ts";

/** Bytes of request and response. */
export const INCREMENT_BYTES = 8;

/** The value of a request or response; bytes behind it are ignored. */
export function decodeIncrement({ view, start, length }: Span): bigint {
  require(length >= INCREMENT_BYTES, "truncated", "value to increment");
  return view.getBigUint64(start, true);
}

/** Writes a request or response and returns its length. */
export function encodeIncrement({ view, start, length }: Span, value: bigint): number {
  require(length >= INCREMENT_BYTES, "overflow", "value to increment");
  view.setBigUint64(start, value, true);
  return INCREMENT_BYTES;
}
