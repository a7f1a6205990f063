/**
 * Parts of buffers, and byte strings as text.
 *
 * @module
 */

/**
 * A part of a buffer with both ways to read it. Decoders read spans in place; whoever owns the
 * buffer may move a span on to the next message, and what was decoded from it dies with that.
 */
export interface Span {
  /** The whole buffer. */
  readonly view: DataView;
  /** The same bytes as in `view`. */
  readonly bytes: Uint8Array;
  /** Where the part begins. */
  readonly start: number;
  /** How many bytes it has. */
  readonly length: number;
}

/** A span that moves: what is read from message after message is read through one of these. */
export class Window implements Span {
  /** The whole buffer. */
  view: DataView;
  /** The same bytes as in `view`. */
  bytes: Uint8Array;
  /** Where the part begins. */
  start = 0;
  /** How many bytes it has. */
  length = 0;

  constructor({ view, bytes }: Pick<Span, "view" | "bytes">) {
    this.view = view;
    this.bytes = bytes;
  }

  /** Moves to another part of the buffer. */
  to(start: number, length: number): this {
    this.start = start;
    this.length = length;
    return this;
  }

  /** Moves to a part of another buffer. */
  over({ view, bytes }: Pick<Span, "view" | "bytes">, start: number, length: number): this {
    this.view = view;
    this.bytes = bytes;
    return this.to(start, length);
  }
}

/** The span of all of these bytes. */
export function spanOf(bytes: Uint8Array): Span {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { view, bytes, start: 0, length: bytes.length };
}

/** A copy of the span's bytes. */
export function copyOf({ bytes, start, length }: Span): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(start, start + length));
}

/** The next multiple of 8, where items begin. */
export function align8(value: number): number {
  // The bits of a sum beyond 32 do not matter here, and a division would cost more.
  return value + (-value & 7);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are no UTF-8 stand as these code units plus the byte, as Python does it. */
const ESCAPE = 0xdc00;
const SHORT = 64;

/**
 * Byte strings of the wire as text, without loss: what is no UTF-8 becomes lone surrogates, which
 * {@linkcode encodeText} turns back. Check with `isWellFormed()` before showing it or storing it.
 */
export function decodeText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (end - start <= SHORT) {
    const short = decodeAscii(bytes, start, end);
    if (short !== undefined) return short;
  }
  const part = bytes.subarray(start, end);
  try {
    return decoder.decode(part);
  } catch {
    return decodePieces(part);
  }
}

/** Most names are short and plain, and a decoder costs more than they do. */
function decodeAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  for (const byte of bytes.subarray(start, end)) {
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Decodes what is UTF-8, one character at a time, and escapes the other bytes. */
function decodePieces(bytes: Uint8Array): string {
  const { view } = spanOf(bytes);
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const byte = view.getUint8(at);
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    try {
      text += decoder.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      text += String.fromCharCode(ESCAPE + byte);
      at++;
    }
  }
  return text;
}

/** The bytes of a text that {@linkcode decodeText} gave, or of any other. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  if (text.isWellFormed()) return encoder.encode(text);
  const parts: number[] = [];
  for (const character of text) {
    const unit = character.charCodeAt(0);
    if (unit >= ESCAPE + 0x80 && unit <= ESCAPE + 0xff) parts.push(unit - ESCAPE);
    else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}

/** A byte string in a method's message: text, or the bytes themselves. */
export type Text = string | Uint8Array;

/** The bytes of either form. */
export function bytesOf(text: Text): Uint8Array {
  return typeof text === "string" ? encodeText(text) : text;
}
