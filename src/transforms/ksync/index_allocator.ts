/**
 * Small numbers for entries, lowest free first.
 *
 * @module
 */

import { itemAt } from "./item_at.ts";

/** Hands out the lowest free number and takes each back once. */
export class IndexAllocator {
  readonly #max: number;
  /** One bit a number, set while it is taken. */
  readonly #words: number[] = [];
  /** No word before this one has a free bit. */
  #first = 0;
  #taken = 0;

  /** @param max how many numbers there are: 0 to `max - 1` */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many numbers are out. */
  get size(): number {
    return this.#taken;
  }

  /** The lowest free number, or -1 when every one is taken. */
  take(): number {
    if (this.#taken >= this.#max) return -1;
    let at = this.#first;
    while (this.#words[at] === -1) at++;
    this.#first = at;
    if (at === this.#words.length) this.#words.push(0);
    const word = itemAt(this.#words, at);
    const bit = 31 - Math.clz32(~word & (word + 1));
    this.#words[at] = word | (1 << bit);
    this.#taken++;
    return at * 32 + bit;
  }

  /** Takes a number back. Returns false, and changes nothing, for one that is not out. */
  give(index: number): boolean {
    const at = index >>> 5;
    const mask = 1 << (index & 31);
    const word = this.#words[at] ?? 0;
    if ((word & mask) === 0) return false;
    this.#words[at] = word & ~mask;
    this.#taken--;
    if (at < this.#first) this.#first = at;
    return true;
  }
}
