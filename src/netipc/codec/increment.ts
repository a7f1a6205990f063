/**
 * INCREMENT, a method for tests: a number, and the next one in the answer.
 *
 * @module
 */
import { BatchView } from "./batch.ts";
import { ENTRY_BYTES } from "./directory.ts";
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

/** The values of a batch of `count`, in `values`, which has room for so many. */
export function decodeIncrements(
  payload: Span,
  count: number,
  values: BigUint64Array = new BigUint64Array(count),
): BigUint64Array {
  if (!isPacked(payload, count)) return decodeScattered(payload, count, values);
  const { bytes, start } = payload;
  const items = start + count * ENTRY_BYTES;
  const size = count * INCREMENT_BYTES;
  const target = new Uint8Array(values.buffer, values.byteOffset, size);
  target.set(bytes.subarray(items, items + size));
  return values;
}

/** Whether the items stand as everyone writes them: one behind the other, and all of 8 bytes. */
function isPacked({ view, start, length }: Span, count: number): boolean {
  if (length < count * (ENTRY_BYTES + INCREMENT_BYTES)) return false;
  for (let entry = start, at = 0; at < count * INCREMENT_BYTES; entry += ENTRY_BYTES, at += 8) {
    if (view.getUint32(entry, true) !== at) return false;
    if (view.getUint32(entry + 4, true) !== INCREMENT_BYTES) return false;
  }
  return true;
}

function decodeScattered(payload: Span, count: number, values: BigUint64Array): BigUint64Array {
  const batch = new BatchView(payload, count);
  // All or nothing: `values` may be those that are asked for again.
  values.set(BigUint64Array.from({ length: count }, (_, i) => decodeIncrement(batch.move(i))));
  return values;
}
