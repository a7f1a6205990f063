/**
 * Keeps a line that would be repeated from filling the log.
 *
 * @module
 */

/** Kinds of lines that are told apart at the same time. */
const MAX_KINDS = 64;

interface Kind {
  /** When the last line of this kind went out. */
  time: number;
  /** How many have been left out since. */
  silenced: number;
}

/**
 * Lets a line of each kind through at once, and then one in each interval with the number of those
 * left out in between. It has no clock of its own.
 *
 * @example
 * ```ts
 * import { LogRate } from "./log_rate.ts";
 * const rate = new LogRate(30_000);
 * rate.pass("refused", 0); // 0: say it
 * rate.pass("refused", 10); // undefined: be silent
 * rate.pass("refused", 40_000); // 1: say it, and that one was left out
 * ```
 */
export class LogRate {
  readonly #intervalMs: number;
  readonly #kinds = new Map<string, Kind>();

  /** `intervalMs` is the shortest time between two lines of one kind. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /**
   * Asks whether a line may go out.
   *
   * @param now milliseconds of any clock that does not go back
   * @returns how many of its kind were left out since the last, or `undefined` to be silent
   */
  pass(kind: string, now: number): number | undefined {
    const known = this.#kinds.get(kind);
    if (known && now - known.time < this.#intervalMs) {
      known.silenced++;
      return undefined;
    }
    // The oldest kind goes first, so a stream of new kinds cannot grow the map.
    this.#kinds.delete(kind);
    if (this.#kinds.size >= MAX_KINDS) {
      for (const oldest of this.#kinds.keys()) {
        this.#kinds.delete(oldest);
        break;
      }
    }
    this.#kinds.set(kind, { time: now, silenced: 0 });
    return known?.silenced ?? 0;
  }

  /** Lets the next line of this kind through at once. */
  forget(kind: string): void {
    this.#kinds.delete(kind);
  }
}
