/**
 * A bounded rate for log lines.
 *
 * @module
 */

/** Bounds of a `LineRate`. */
export interface LineRateOptions {
  /** How many lines of one kind may follow each other at once. */
  readonly burst: number;
  /** How long it then takes until the next of that kind may pass, milliseconds. */
  readonly interval_ms: number;
  /** How many kinds are told apart; the one unseen for longest is forgotten. */
  readonly kinds: number;
}

interface Bucket {
  tokens: number;
  filled: number;
  suppressed: number;
}

const DEFAULTS: LineRateOptions = { burst: 10, interval_ms: 10_000, kinds: 256 };

/**
 * Lets the first lines of each kind through, then one in each interval with the number of those
 * that were left out. A token bucket for each kind; it has no clock of its own.
 */
export class LineRate {
  readonly #options: LineRateOptions;
  readonly #buckets = new Map<string, Bucket>();

  /** Ten lines at once, then one in ten seconds, of 256 kinds, unless the options say otherwise. */
  constructor(options: Partial<LineRateOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * Asks whether a line may go out.
   *
   * @param now milliseconds of any clock that does not go back
   * @returns how many of its kind were left out since the last, or undefined to be silent
   */
  pass(kind: string, now: number): number | undefined {
    const { burst, interval_ms } = this.#options;
    const bucket = this.#buckets.get(kind) ?? { tokens: burst, filled: now, suppressed: 0 };
    this.#buckets.delete(kind);
    this.#buckets.set(kind, bucket);
    this.#forgetOldest();
    const gained = Math.floor((now - bucket.filled) / interval_ms);
    if (gained > 0) {
      bucket.tokens = Math.min(burst, bucket.tokens + gained);
      bucket.filled += gained * interval_ms;
    }
    if (bucket.tokens <= 0) {
      bucket.suppressed++;
      return undefined;
    }
    if (bucket.tokens === burst) bucket.filled = now;
    bucket.tokens--;
    const { suppressed } = bucket;
    bucket.suppressed = 0;
    return suppressed;
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= this.#options.kinds) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
