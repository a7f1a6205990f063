/**
 * STRING_REVERSE, a method for tests: a byte string, and its bytes backwards in the answer.
 *
 * @module
 */
import { require } from "./errors.ts";
import { bytesOf, type Span, type Text } from "./span.ts";

const STRING_AT = 8;

/**
 * The string of a request or response, in place and without its NUL.
 *
 * @throws {CodecError} for another offset than 8, a string outside, and a missing NUL
 */
export function decodeString({ view, bytes, start, length }: Span): Uint8Array {
  require(length >= STRING_AT, "truncated", "string");
  require(view.getUint32(start, true) === STRING_AT, "bad layout", "string");
  const size = view.getUint32(start + 4, true);
  require(STRING_AT + size + 1 <= length, "out of bounds", "string");
  const end = start + STRING_AT + size;
  require(bytes[end] === 0, "missing NUL", "string");
  return bytes.subarray(start + STRING_AT, end);
}

/** Writes a request or response and returns its length. */
export function encodeString({ view, bytes, start, length }: Span, text: Text): number {
  const string = bytesOf(text);
  const total = STRING_AT + string.length + 1;
  require(total <= length, "overflow", "string");
  view.setUint32(start, STRING_AT, true);
  view.setUint32(start + 4, string.length, true);
  bytes.set(string, start + STRING_AT);
  bytes[start + total - 1] = 0;
  return total;
}
