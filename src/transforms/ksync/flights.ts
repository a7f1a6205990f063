/**
 * The requests that are at the sink: one slot each, with what only an outstanding request needs.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import type { Entry, Ticket } from "./entry.ts";

/** No slot. */
export const NO_SLOT = -1;

/** The table of outstanding requests, oldest first. */
export class Flights {
  /** Whose request it is; `undefined` while the slot is free. */
  readonly entries: (Entry | undefined)[] = [];
  /** The value that was sent; `null` for a delete. */
  readonly values: (Fields | null)[] = [];
  readonly tickets: (Ticket | undefined)[] = [];
  readonly numbers: number[] = [];
  readonly sentAt: number[] = [];
  /** How many requests are outstanding. */
  count = 0;
  readonly #next: number[] = [];
  readonly #previous: number[] = [];
  #head = NO_SLOT;
  #tail = NO_SLOT;
  /** The first of the free slots, which are chained by `#next`. */
  #free = NO_SLOT;
  #number: number;

  /** @param firstNumber the number before the first request's; for tests of the wrap-around */
  constructor(firstNumber = 0) {
    this.#number = firstNumber | 0;
  }

  /** The oldest request's slot, or `NO_SLOT`. */
  get oldest(): number {
    return this.#head;
  }

  /**
   * Takes a slot for a request.
   *
   * Numbers run through all 32-bit integers except 0 and wrap, so an answer that comes late can
   * only be taken for another after four thousand million requests.
   */
  take(entry: Entry, value: Fields | null, ticket: Ticket | undefined, now: number): number {
    let slot = this.#free;
    if (slot === NO_SLOT) slot = this.entries.length;
    else this.#free = this.#next[slot] as number;
    this.#number = (this.#number + 1) | 0 || 1;
    this.entries[slot] = entry;
    this.values[slot] = value;
    this.tickets[slot] = ticket;
    this.numbers[slot] = this.#number;
    this.sentAt[slot] = now;
    this.#next[slot] = NO_SLOT;
    this.#previous[slot] = this.#tail;
    if (this.#tail === NO_SLOT) this.#head = slot;
    else this.#next[this.#tail] = slot;
    this.#tail = slot;
    this.count++;
    return slot;
  }

  /** The entry whose request has this slot and number, if it is still outstanding. */
  find(slot: number, number: number): Entry | undefined {
    return this.numbers[slot] === number ? this.entries[slot] : undefined;
  }

  /** Gives a slot back. */
  release(slot: number): void {
    const next = this.#next[slot] as number;
    const previous = this.#previous[slot] as number;
    if (previous === NO_SLOT) this.#head = next;
    else this.#next[previous] = next;
    if (next === NO_SLOT) this.#tail = previous;
    else this.#previous[next] = previous;
    this.entries[slot] = undefined;
    this.values[slot] = null;
    this.tickets[slot] = undefined;
    this.numbers[slot] = 0;
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.count--;
  }
}
