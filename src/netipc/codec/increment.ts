/**
 * INCREMENT, a method for tests: a number, and the next one in the answer.
 *
 * @module
 */
import { BatchView } from "./batch.ts";
import { ENTRY_BYTES } from "./directory.ts";
import { require } from "./errors.ts";
import { type Span, Window } from "./span.ts";

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

/** Writes a batch of values and returns the length of the payload. */
export function encodeIncrements({ view, start, length }: Span, values: BigUint64Array): number {
  const items = start + values.length * ENTRY_BYTES;
  const size = values.length * (ENTRY_BYTES + INCREMENT_BYTES);
  require(length >= size, "overflow", "values to increment");
  for (const [i, value] of values.entries()) {
    view.setUint32(start + i * ENTRY_BYTES, i * INCREMENT_BYTES, true);
    view.setUint32(start + i * ENTRY_BYTES + 4, INCREMENT_BYTES, true);
    view.setBigUint64(items + i * INCREMENT_BYTES, value, true);
  }
  return size;
}

/** The values of a batch of `count`. */
export function decodeIncrements(payload: Span, count: number): BigUint64Array<ArrayBuffer> {
  const batch = new BatchView(payload, count);
  const item = new Window(payload);
  const values = new BigUint64Array(count);
  for (let i = 0; i < count; i++) values[i] = decodeIncrement(batch.move(item, i));
  return values;
}
