/**
 * Entries that wait for a time: a binary heap, earliest first, ties in the order of arrival.
 *
 * @module
 */
import type { Entry } from "./entry.ts";
import { itemAt } from "./item_at.ts";

interface Timer {
  readonly entry: Entry;
  readonly due: number;
  readonly order: number;
}

/** The heap of due times. An entry knows its place, so it can leave at any time. */
export class Timers {
  readonly #heap: Timer[] = [];
  #count = 0;

  /** How many entries wait. */
  get size(): number {
    return this.#heap.length;
  }

  /** The earliest due time, or Infinity. */
  get next(): number {
    return this.#heap[0]?.due ?? Infinity;
  }

  /** When an entry is due; Infinity for one that is not in. */
  dueOf(entry: Entry): number {
    const timer = this.#heap[entry.position];
    return timer?.entry === entry ? timer.due : Infinity;
  }

  /** Puts an entry in that is not in. */
  add(entry: Entry, due: number): void {
    this.#up({ entry, due, order: this.#count++ }, this.#heap.length);
  }

  /** Takes an entry out that is in. */
  remove(entry: Entry): void {
    const at = entry.position;
    const last = itemAt(this.#heap, this.#heap.length - 1);
    this.#heap.pop();
    entry.position = -1;
    if (last.entry === entry) return;
    this.#down(last, at);
    this.#up(last, last.entry.position);
  }

  /** Takes the earliest entry out if it is due. */
  takeDue(now: number): Entry | undefined {
    const [first] = this.#heap;
    if (first === undefined || first.due > now) return undefined;
    this.remove(first.entry);
    return first.entry;
  }

  #put(timer: Timer, at: number): void {
    this.#heap[at] = timer;
    timer.entry.position = at;
  }

  /** Finds a timer's place from a free one upwards. */
  #up(timer: Timer, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = itemAt(this.#heap, parent);
      if (!isBefore(timer, above)) break;
      this.#put(above, at);
      at = parent;
    }
    this.#put(timer, at);
  }

  /** Finds a timer's place from a free one downwards. */
  #down(timer: Timer, from: number): void {
    let at = from;
    for (let child = 2 * at + 1; child < this.#heap.length; child = 2 * at + 1) {
      let below = itemAt(this.#heap, child);
      const right = this.#heap[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        below = right;
        child++;
      }
      if (!isBefore(below, timer)) break;
      this.#put(below, at);
      at = child;
    }
    this.#put(timer, at);
  }
}

function isBefore(left: Timer, right: Timer): boolean {
  return left.due === right.due ? left.order < right.order : left.due < right.due;
}
