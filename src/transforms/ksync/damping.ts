/**
 * Flap damping: every change of a key adds to a penalty that decays by half in a given time. While
 * it is high, the key's writes are held back; the last value is written in the end.
 *
 * @module
 */
import { type Entry, troubleOf } from "./entry.ts";
import type { Machine } from "./machine.ts";

/** Settings of the damping. */
export interface DampingOptions {
  /** What one change adds. */
  readonly penalty: number;
  /** Above this, writes are held back. */
  readonly suppressAbove: number;
  /** Below this, they go again. */
  readonly reuseBelow: number;
  readonly halfLifeMs: number;
  /** The longest that a key is held back after its last change. */
  readonly maxSuppressMs: number;
}

/** The penalty now. */
export function penaltyOf(m: Machine, e: Entry, damping: DampingOptions): number {
  const trouble = e.trouble;
  if (trouble === undefined || trouble.penalty === 0) return 0;
  return trouble.penalty * 0.5 ** ((m.now - trouble.penaltyAt) / damping.halfLifeMs);
}

/** Notes that the owner changed a key. */
export function noteFlap(m: Machine, e: Entry, damping: DampingOptions): void {
  const trouble = troubleOf(e);
  const ceiling = damping.reuseBelow * 2 ** (damping.maxSuppressMs / damping.halfLifeMs);
  trouble.penalty = Math.min(ceiling, penaltyOf(m, e, damping) + damping.penalty);
  trouble.penaltyAt = m.now;
  if (trouble.penalty > damping.suppressAbove && !trouble.damped) {
    trouble.damped = true;
    e.container.counters.damped++;
    m.report("damped", e, () => `penalty ${Math.round(trouble.penalty)}`);
  }
}

/** When a damped key may be written again; 0 for now. */
export function dampedUntil(m: Machine, e: Entry, damping: DampingOptions): number {
  const trouble = e.trouble;
  if (trouble === undefined || !trouble.damped) return 0;
  const penalty = penaltyOf(m, e, damping);
  if (penalty < damping.reuseBelow) {
    trouble.damped = false;
    return 0;
  }
  const wait = damping.halfLifeMs * Math.log2(penalty / damping.reuseBelow);
  return m.now + Math.max(1, Math.ceil(wait));
}
