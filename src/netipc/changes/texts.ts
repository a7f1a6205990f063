/**
 * Texts in messages that repeat: names of tables, keys and fields, and most values.
 *
 * @module
 */

/** A text of the wire. */
export interface WireText {
  readonly text: string;
  /** What keeps it from being a value, a name or a key; undefined for most. */
  readonly fault: TextFault | undefined;
}

/** `no UTF-8` at all, or only unfit to be a name: a control character, or the separator. */
export type TextFault = "no UTF-8" | "unfit for a name";

interface Entry extends WireText {
  readonly bytes: Uint8Array;
}

const SLOTS = 1 << 13;
/** Longer texts are hardly ever the same twice. */
const LONGEST = 64;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// deno-lint-ignore no-control-regex -- these are what a name must not have
const UNFIT = /[\x00-\x1f\x7f-\x9f|\u2028\u2029]|\p{Cf}/u;

/** Decodes texts, each of them once as long as it keeps coming. */
export class WireTexts {
  readonly #slots: (Entry | undefined)[] = new Array(SLOTS).fill(undefined);

  /** The text of some bytes; from the first look on it is found by them. */
  read(bytes: Uint8Array, start: number, end: number): WireText {
    if (end - start > LONGEST) return decode(bytes, start, end);
    let hash = end - start;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    const slot = (hash ^ hash >>> 15) & SLOTS - 1;
    const entry = this.#slots[slot];
    if (entry !== undefined && isSame(entry.bytes, bytes, start, end)) return entry;
    const fresh = { ...decode(bytes, start, end), bytes: bytes.slice(start, end) };
    this.#slots[slot] = fresh;
    return fresh;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = start, i = 0; at < end; at++, i++) if (known[i] !== bytes[at]) return false;
  return true;
}

function decode(bytes: Uint8Array, start: number, end: number): WireText {
  try {
    const text = decoder.decode(bytes.subarray(start, end));
    return { text, fault: UNFIT.test(text) ? "unfit for a name" : undefined };
  } catch {
    return { text: "", fault: "no UTF-8" };
  }
}
