/**
 * Text to bytes and back, without a loss in either direction.
 *
 * Redis holds bytes; nearly all of them are UTF-8. A byte that is no part of valid UTF-8 becomes
 * the lone surrogate U+DC00 + byte (U+DC80 to U+DCFF), as in Python's `surrogateescape`, and
 * becomes the same byte again when it is written. So a key of any bytes can be read, compared,
 * written and deleted, and text never needs a second form.
 *
 * `as number` after an index says that the index was checked, which the compiler cannot see.
 *
 * @module
 */
import { RejectError } from "../../core/errors.ts";

/** Above this, the call into the built-in decoder costs less than decoding here. */
const LONG_TEXT = 192;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes `bytes` from `start` up to `end`. Never fails. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > LONG_TEXT) return decodeAny(bytes, start, end);
  let text = "";
  let at = start;
  let seen = 0;
  for (; at + 8 <= end; at += 8) {
    const a = bytes[at] as number, b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number, d = bytes[at + 3] as number;
    const e = bytes[at + 4] as number, f = bytes[at + 5] as number;
    const g = bytes[at + 6] as number, h = bytes[at + 7] as number;
    seen |= a | b | c | d | e | f | g | h;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    seen |= byte;
    text += String.fromCharCode(byte);
  }
  return seen < 0x80 ? text : decodeAny(bytes, start, end);
}

/** How many bytes a text takes. */
export function encodedLength(text: string): number {
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80 || isEscape(unit)) length += 1;
    else if (unit < 0x800) length += 2;
    else if (isHigh(unit) && isLow(text.charCodeAt(at + 1))) {
      length += 4;
      at++;
    } else length += 3;
  }
  return length;
}

/**
 * Writes a text at `at` and returns where it ends. `into` must have room for `encodedLength(text)`.
 *
 * @throws {RejectError} for half of a surrogate pair, which stands for no bytes
 */
export function encodeText(text: string, into: Uint8Array, at: number): number {
  for (let from = 0; from < text.length; from++) {
    const unit = text.charCodeAt(from);
    if (unit < 0x80) into[at++] = unit;
    else if (isEscape(unit)) into[at++] = unit & 0xff;
    else if (unit < 0x800) {
      into[at++] = 0xc0 | unit >> 6;
      into[at++] = 0x80 | unit & 0x3f;
    } else if (unit < 0xd800 || unit > 0xdfff) {
      into[at++] = 0xe0 | unit >> 12;
      into[at++] = 0x80 | unit >> 6 & 0x3f;
      into[at++] = 0x80 | unit & 0x3f;
    } else {
      const low = text.charCodeAt(++from);
      if (!isHigh(unit) || !isLow(low)) {
        throw new RejectError("A text holds half of a surrogate pair, which Redis cannot store");
      }
      const point = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
      into[at++] = 0xf0 | point >> 18;
      into[at++] = 0x80 | point >> 12 & 0x3f;
      into[at++] = 0x80 | point >> 6 & 0x3f;
      into[at++] = 0x80 | point & 0x3f;
    }
  }
  return at;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** Whether a lone unit stands for one byte that is no UTF-8. */
function isEscape(unit: number): boolean {
  return unit >= 0xdc80 && unit <= 0xdcff;
}

function decodeAny(bytes: Uint8Array, start: number, end: number): string {
  try {
    return strict.decode(bytes.subarray(start, end));
  } catch {
    return decodeEscaped(bytes, start, end);
  }
}

/** Decodes what is valid, and escapes each byte that is not. */
function decodeEscaped(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end;) {
    const length = sequenceLength(bytes, at, end);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 | bytes[at++] as number);
    } else {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** The length of the valid sequence at `at`, or 0; after table 3-7 of the Unicode standard. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const length = first >= 0xc2 && first <= 0xdf
    ? 2
    : first >= 0xe0 && first <= 0xef
    ? 3
    : first >= 0xf0 && first <= 0xf4
    ? 4
    : 0;
  if (length === 0 || at + length > end) return 0;
  const second = bytes[at + 1] as number;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let next = at + 2; next < at + length; next++) {
    if (((bytes[next] as number) & 0xc0) !== 0x80) return 0;
  }
  return length;
}
