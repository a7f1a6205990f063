/**
 * The last transitions of every entry, in 128 bytes for each.
 *
 * A record is two 32-bit words: the low half of the time, and the high half with the transition.
 * Times are sixteenths of a millisecond since the trace began, 48 bits, enough for 500 years.
 *
 * @module
 */
import type { Event, Hold, State } from "./states.ts";

/** How many transitions are kept. */
export const TRACE_LENGTH = 16;

const WORDS = TRACE_LENGTH * 2;
const CHUNK_BITS = 8;
const CHUNK = 1 << CHUNK_BITS;
const TICKS_PER_MS = 16;
const HIGH = 2 ** 32;

/** One transition. */
export interface Transition {
  /** Milliseconds on the engine's clock. */
  readonly time: number;
  readonly from: State;
  readonly to: State;
  readonly event: Event;
  /** Why the entry went to BACKOFF. */
  readonly hold: Hold;
}

interface Chunk {
  readonly words: Uint32Array;
  /** How many transitions each slot has had, up to a full ring and then round it. */
  readonly counts: Uint8Array;
}

/** The rings of all entries. */
export class Trace {
  readonly #chunks: Chunk[] = [];
  readonly #free: number[] = [];
  #used = 0;
  readonly #epoch: number;

  /** @param epoch the engine's time from which times are counted */
  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  /** How many rings are in use. */
  get size(): number {
    return this.#used - this.#free.length;
  }

  /** A slot with an empty ring. */
  take(): number {
    const slot = this.#free.pop() ?? this.#used++;
    const chunk = this.#chunks[slot >> CHUNK_BITS];
    if (chunk === undefined) {
      this.#chunks.push({
        words: new Uint32Array(CHUNK * WORDS),
        counts: new Uint8Array(CHUNK),
      });
    } else {
      chunk.counts[slot & (CHUNK - 1)] = 0;
    }
    return slot;
  }

  /** Gives a slot back. */
  release(slot: number): void {
    this.#free.push(slot);
  }

  /** Adds a transition to a ring. */
  add(slot: number, from: State, to: State, event: Event, hold: Hold, now: number): void {
    const chunk = this.#chunks[slot >> CHUNK_BITS] as Chunk;
    const inside = slot & (CHUNK - 1);
    const count = chunk.counts[inside] as number;
    const at = inside * WORDS + (count & (TRACE_LENGTH - 1)) * 2;
    const ticks = (now - this.#epoch) * TICKS_PER_MS;
    chunk.words[at] = ticks; // which keeps the low 32 bits
    chunk.words[at + 1] = (ticks / HIGH) << 16 | from << 12 | to << 8 | event << 4 | hold;
    // After the ring is full the count runs from 16 to 31 and back to 16.
    chunk.counts[inside] = count === 2 * TRACE_LENGTH - 1 ? TRACE_LENGTH : count + 1;
  }

  /** The transitions of a slot, oldest first. */
  read(slot: number): Transition[] {
    const { words, counts } = this.#chunks[slot >> CHUNK_BITS] as Chunk;
    const inside = slot & (CHUNK - 1);
    const count = counts[inside] as number;
    const transitions: Transition[] = [];
    for (let n = Math.max(0, count - TRACE_LENGTH); n < count; n++) {
      const at = inside * WORDS + (n & (TRACE_LENGTH - 1)) * 2;
      transitions.push(this.#decode(words[at] as number, words[at + 1] as number));
    }
    return transitions;
  }

  /** When the last transition of a slot was, on the engine's clock. */
  lastTime(slot: number): number {
    const { words, counts } = this.#chunks[slot >> CHUNK_BITS] as Chunk;
    const inside = slot & (CHUNK - 1);
    const last = (counts[inside] as number) - 1;
    const at = inside * WORDS + (last & (TRACE_LENGTH - 1)) * 2;
    return this.#decode(words[at] as number, words[at + 1] as number).time;
  }

  #decode(low: number, word: number): Transition {
    return {
      time: this.#epoch + ((word >>> 16) * HIGH + low) / TICKS_PER_MS,
      from: (word >>> 12 & 15) as State,
      to: (word >>> 8 & 15) as State,
      event: (word >>> 4 & 15) as Event,
      hold: (word & 15) as Hold,
    };
  }
}
