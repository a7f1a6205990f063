/**
 * Times for people.
 *
 * @module
 */

/**
 * A time as an operator reads it.
 *
 * @param ms milliseconds
 *
 * @example
 * ```ts
 * import { age } from "./age.ts";
 * age(1500); // "1.5 s"
 * age(125_000); // "2 min"
 * ```
 */
export function age(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}
