/**
 * Entries that wait for a time: a binary heap, earliest first, ties in the order of arrival.
 *
 * @module
 */
import type { Entry } from "./entry.ts";

/** The heap of due times. An entry knows its place, so it can leave at any time. */
export class Timers {
  readonly #entries: Entry[] = [];
  readonly #due: number[] = [];
  readonly #order: number[] = [];
  #count = 0;

  /** How many entries wait. */
  get size(): number {
    return this.#entries.length;
  }

  /** The earliest due time, or Infinity. */
  get next(): number {
    return this.#due[0] ?? Infinity;
  }

  /** When an entry of the heap is due. */
  dueOf(entry: Entry): number {
    return this.#due[entry.position] ?? Infinity;
  }

  /** Puts an entry in that is not in. */
  add(entry: Entry, due: number): void {
    const at = this.#entries.length;
    this.#put(at, entry, due, this.#count++);
    this.#up(at);
  }

  /** Takes an entry out that is in. */
  remove(entry: Entry): void {
    const at = entry.position;
    const last = this.#entries.length - 1;
    const moved = this.#entries[last];
    const due = this.#due[last] ?? 0;
    const order = this.#order[last] ?? 0;
    this.#entries.pop();
    this.#due.pop();
    this.#order.pop();
    entry.position = -1;
    if (at === last || moved === undefined) return;
    this.#put(at, moved, due, order);
    this.#up(at);
    this.#down(moved.position);
  }

  /** Takes the earliest entry out if it is due. */
  takeDue(now: number): Entry | undefined {
    if (this.next > now) return undefined;
    const first = this.#entries[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  #put(at: number, entry: Entry, due: number, order: number): void {
    this.#entries[at] = entry;
    this.#due[at] = due;
    this.#order[at] = order;
    entry.position = at;
  }

  #before(left: number, right: number): boolean {
    const difference = (this.#due[left] ?? 0) - (this.#due[right] ?? 0);
    return difference < 0 ||
      (difference === 0 && (this.#order[left] ?? 0) < (this.#order[right] ?? 0));
  }

  #swap(left: number, right: number): void {
    const entry = this.#entries[left];
    const other = this.#entries[right];
    if (entry === undefined || other === undefined) return;
    const due = this.#due[left] ?? 0;
    const order = this.#order[left] ?? 0;
    this.#put(left, other, this.#due[right] ?? 0, this.#order[right] ?? 0);
    this.#put(right, entry, due, order);
  }

  #up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(from: number): void {
    let at = from;
    for (;;) {
      let least = at;
      for (let child = 2 * at + 1; child <= 2 * at + 2; child++) {
        if (child < this.#entries.length && this.#before(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
