/**
 * INCREMENT, a method for tests: a number, and the next one in the answer.
 *
 * @module
 */
import { checkDirectory, ENTRY_BYTES } from "./directory.ts";
import { require } from "./errors.ts";
import type { Span } from "./span.ts";

/** Bytes of request and response. */
export const INCREMENT_BYTES = 8;
const RULES = { what: "batch", ordered: false, least: INCREMENT_BYTES };

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
export function encodeIncrements(
  { view, bytes, start, length }: Span,
  values: BigUint64Array,
): number {
  const items = start + values.length * ENTRY_BYTES;
  const size = values.length * (ENTRY_BYTES + INCREMENT_BYTES);
  require(length >= size, "overflow", "values to increment");
  for (let entry = start; entry < items; entry += ENTRY_BYTES) {
    view.setUint32(entry, entry - start, true);
    view.setUint32(entry + 4, INCREMENT_BYTES, true);
  }
  // Numbers are in the machine's order on the wire too.
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), items);
  return size;
}

/** The values of a batch of `count`. */
export function decodeIncrements(payload: Span, count: number): BigUint64Array<ArrayBuffer> {
  const { view, start } = payload;
  const items = checkDirectory(payload, 0, count, RULES);
  const values = new BigUint64Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = view.getBigUint64(items + view.getUint32(start + i * ENTRY_BYTES, true), true);
  }
  return values;
}
