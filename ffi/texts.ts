/**
 * Short texts inside native records. The kernel's names are bytes that repeat in every message, so
 * each is decoded once and then found again by its four words.
 *
 * @module
 */

/** A buffer of records, seen as words of four bytes and as bytes. */
export interface RecordView {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Up to 16 bytes that are probably text. */
export interface Text {
  /**
   * The text if `valid`; otherwise it is only for people, with every byte that is no printable
   * ASCII written as `\xNN`.
   */
  readonly text: string;
  /** Whether the bytes are UTF-8 and hold no control or formatting character. */
  readonly valid: boolean;
}

/** More than any machine has links; 100,000 names take some 20 MB. */
const MOST_TEXTS = 1 << 17;
const FIRST_SLOTS = 1 << 8;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Control, formatting (which can turn a terminal's text around) and line-breaking characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Makes a {@linkcode Text} of bytes that came from outside. */
export function readText(bytes: Uint8Array): Text {
  try {
    const text = decoder.decode(bytes);
    if (!UNPRINTABLE.test(text)) return { text, valid: true };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const escaped = Array.from(
    bytes,
    (byte) =>
      byte >= 0x20 && byte < 0x7f
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, "0")}`,
  );
  return { text: escaped.join(""), valid: false };
}

/** Finds the text of 16 zero-padded bytes by their words, decoding it at its first sight only. */
export class Texts {
  #words = new Uint32Array(FIRST_SLOTS * 4);
  #texts: (Text | undefined)[] = new Array(FIRST_SLOTS);
  #count = 0;
  readonly #most: number;

  /** @param most texts that are known at one time; a full table is forgotten and fills again */
  constructor(most = MOST_TEXTS) {
    this.#most = most;
  }

  /** How many texts are known. */
  get size(): number {
    return this.#count;
  }

  /** Reads the text of `size` bytes that begins at a word of a buffer. */
  read(words: Uint32Array, bytes: Uint8Array, word: number, size: number): Text {
    const a = words[word] ?? 0;
    const b = words[word + 1] ?? 0;
    const c = words[word + 2] ?? 0;
    const d = words[word + 3] ?? 0;
    const slot = this.#find(a, b, c, d);
    const known = this.#texts[slot];
    if (known !== undefined) return known;
    const text = readText(bytes.subarray(word * 4, word * 4 + Math.min(size, 16)));
    this.#put(slot, a, b, c, d, text);
    if (this.#count * 2 > this.#texts.length) this.#grow();
    return text;
  }

  /** The slot that holds these words, or the free one where they belong. */
  #find(a: number, b: number, c: number, d: number): number {
    const mask = this.#texts.length - 1;
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ d;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & mask;
    const words = this.#words;
    while (this.#texts[slot] !== undefined) {
      const at = slot * 4;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #put(slot: number, a: number, b: number, c: number, d: number, text: Text): void {
    this.#words.set([a, b, c, d], slot * 4);
    this.#texts[slot] = text;
    this.#count++;
  }

  #grow(): void {
    const [words, texts] = [this.#words, this.#texts];
    const forget = this.#count >= this.#most;
    const slots = forget ? FIRST_SLOTS : texts.length * 2;
    this.#words = new Uint32Array(slots * 4);
    this.#texts = new Array(slots);
    this.#count = 0;
    if (forget) return;
    texts.forEach((text, slot) => {
      if (text === undefined) return;
      const [a = 0, b = 0, c = 0, d = 0] = words.subarray(slot * 4, slot * 4 + 4);
      this.#put(this.#find(a, b, c, d), a, b, c, d, text);
    });
  }
}
