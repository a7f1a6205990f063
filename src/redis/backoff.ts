/**
 * How long to wait before the next attempt.
 *
 * @module
 */

/** How the waits grow. */
export interface BackoffOptions {
  /** The wait after the first failure, milliseconds. */
  readonly initialMs: number;
  /** The longest wait, milliseconds. */
  readonly maxMs: number;
  /** By what each wait is longer than the one before. */
  readonly factor: number;
  /** The part of a wait that is random, 0 to 1, so that not everybody knocks at once. */
  readonly jitter: number;
}

/** Quick enough that a restarted server is found at once, slow enough not to be a load. */
export const DEFAULT_BACKOFF: BackoffOptions = Object.freeze({
  initialMs: 50,
  maxMs: 2000,
  factor: 2,
  jitter: 0.25,
});

/**
 * The wait in milliseconds after the `failures`-th failure in a row, counted from 1.
 *
 * @param random a number from 0 up to, but not including, 1
 *
 * @example
 * ```ts
 * import { backoff } from "./backoff.ts";
 * backoff(3, { initialMs: 50, maxMs: 2000, factor: 2, jitter: 0 }, Math.random()); // 200
 * ```
 */
export function backoff(failures: number, options: BackoffOptions, random: number): number {
  const { initialMs, maxMs, factor, jitter } = options;
  const wait = Math.min(maxMs, initialMs * factor ** Math.max(0, failures - 1));
  return wait * (1 - jitter * random);
}
