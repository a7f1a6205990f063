/**
 * Settings of an engine from two bytes, so that a history carries its own.
 *
 * @module
 */
import { DEFAULT_OPTIONS } from "../../src/transforms/ksync/engine.ts";
import type { EngineOptions } from "../../src/transforms/ksync/machine.ts";

/** How long a request may stay unanswered. */
export const REQUEST_TIMEOUT_MS = 50;

/** Everything that differs from run to run. */
export function optionsOf(first: number, second: number): Partial<EngineOptions> {
  const bit = (byte: number, at: number) => (byte >> at & 1) !== 0;
  return {
    resolveOn: bit(first, 0) ? "sent" : "acked",
    renew: bit(first, 1) ? "hold" : "ignore",
    onDependencyDeleted: bit(first, 2) ? "cascade" : "hold",
    onCycle: bit(first, 3) ? "reject" : "report",
    retryOnChange: bit(first, 4),
    maxInFlight: bit(first, 5) ? 1 + (second & 1) : 100,
    coalesceMs: bit(first, 6) ? 20 : 0,
    gatherMs: bit(first, 7) ? 15 : 0,
    gatherOperations: 2,
    holdWarnMs: bit(second, 1) ? 30 : 0,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    retry: {
      initialMs: 10,
      maxMs: 80,
      factor: 2,
      jitter: 0.2,
      maxAttempts: bit(second, 2) ? 2 : 0,
    },
    damping: bit(second, 3)
      ? { penalty: 1, suppressAbove: 2, reuseBelow: 1, halfLifeMs: 20, maxSuppressMs: 60 }
      : undefined,
    sweep: {
      ...DEFAULT_OPTIONS.sweep,
      afterMs: bit(second, 4) ? 10 : 0,
      intervalMs: 5,
      perInterval: 2,
      maxWaitMs: 200,
      withoutEnd: bit(second, 5),
    },
  };
}
