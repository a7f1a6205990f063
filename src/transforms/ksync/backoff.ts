/**
 * How long to wait before the next attempt.
 *
 * @module
 */

/** The schedule of retries. */
export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor: number;
  /** The random part of each wait, 0 to 1: a wait lies within ± this part of itself. */
  readonly jitter: number;
  /** After how many failed attempts a key is parked; 0 for never. */
  readonly maxAttempts: number;
}

/**
 * The wait after a failed attempt, in milliseconds, never above `maxMs`.
 *
 * @param attempt how many attempts failed before this one
 * @param random a number from 0 up to 1
 */
export function backoffDelay(backoff: Backoff, attempt: number, random: number): number {
  const grown = Math.min(backoff.maxMs, backoff.initialMs * backoff.factor ** attempt);
  return Math.min(backoff.maxMs, grown * (1 + backoff.jitter * (2 * random - 1)));
}
