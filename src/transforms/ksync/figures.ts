/**
 * The engine's numbers for telemetry and for the control socket.
 *
 * @module
 */
import type { Counter, Telemetry } from "../../core/telemetry.ts";
import type { Counters } from "./counters.ts";
import type { Engine } from "./engine.ts";
import { STATE_NAMES } from "./states.ts";

const SUMS = {
  ksync_adds_total: (counters) => counters.adds,
  ksync_changes_total: (counters) => counters.changes,
  ksync_deletes_total: (counters) => counters.deletes,
  ksync_elided_total: (counters) => counters.elided,
  ksync_coalesced_total: (counters) => counters.coalesced,
  ksync_retries_total: (counters) => counters.retries,
  ksync_timeouts_total: (counters) => counters.timeouts,
  ksync_transient_errors_total: (counters) => counters.transient,
  ksync_permanent_errors_total: (counters) => counters.permanent,
  ksync_duplicate_deletes_total: (counters) => counters.duplicates,
  ksync_cycles_total: (counters) => counters.cycles,
  ksync_adopted_total: (counters) => counters.adopted,
  ksync_swept_total: (counters) => counters.swept,
  ksync_damped_total: (counters) => counters.damped,
  ksync_drifted_total: (counters) => counters.drifted,
} as const satisfies Record<string, (counters: Counters) => number>;

/** Gives telemetry the engine's numbers; the returned function brings the counters up to date. */
export function publish(engine: Engine, telemetry: Telemetry): () => void {
  const counters = Object.entries(SUMS).map(([name, read]): [Counter, typeof read] => [
    telemetry.counter(name),
    read,
  ]);
  const late = telemetry.counter("ksync_late_answers_total");
  telemetry.gauge("ksync_entries", () => sum(engine, (container) => container.size));
  telemetry.gauge("ksync_in_flight", () => engine.inFlight);
  telemetry.gauge("ksync_waiting", () => engine.waiting);
  telemetry.gauge("ksync_stale", () => sum(engine, (container) => container.stale.size));
  telemetry.gauge(
    "ksync_failed",
    () => sum(engine, (container) => container.counters.inState("FAILED")),
  );
  telemetry.gauge("ksync_dump_overdue", () => Number(engine.isDumpOverdue));
  telemetry.gauge("ksync_unsynced", () => unsynced(engine));
  telemetry.gauge("ksync_oldest_unsynced_ms", () => oldestUnsynced(engine, performance.now()));
  telemetry.gauge(
    "ksync_stray_events",
    () => sum(engine, (container) => container.counters.strayEvents()),
  );
  return () => {
    late.value = engine.lateAnswers;
    const containers = engine.containers;
    for (const [counter, read] of counters) {
      let value = 0;
      for (const container of containers.values()) value += read(container.counters);
      counter.value = value;
    }
  };
}

/** Every number at once. */
export function numbers(engine: Engine): Record<string, number> {
  const all: Record<string, number> = {
    entries: sum(engine, (container) => container.size),
    in_flight: engine.inFlight,
    waiting: engine.waiting,
    stale: sum(engine, (container) => container.stale.size),
    late_answers: engine.lateAnswers,
    misuse: engine.misuse,
    stray_events: sum(engine, (container) => container.counters.strayEvents()),
    unsynced: unsynced(engine),
    oldest_unsynced_ms: Math.round(oldestUnsynced(engine, engine.now)),
  };
  for (const [name, read] of Object.entries(SUMS)) {
    all[name.slice("ksync_".length, -"_total".length)] = sum(
      engine,
      (container) => read(container.counters),
    );
  }
  for (const name of STATE_NAMES) {
    const count = sum(engine, (container) => container.counters.inState(name));
    if (count > 0) all[name] = count;
  }
  return all;
}

type Containers = Engine["containers"] extends ReadonlyMap<string, infer C> ? C : never;

function sum(engine: Engine, read: (container: Containers) => number): number {
  let total = 0;
  for (const container of engine.containers.values()) total += read(container);
  return total;
}

/** Entries whose row in the sink is not what is wanted, or not known to be. */
function unsynced(engine: Engine): number {
  return sum(
    engine,
    ({ size, counters }) => size - counters.inState("IN_SYNC") - counters.inState("TEMP"),
  );
}

/** How long the entry that has made no progress for longest has been out of step. */
function oldestUnsynced(engine: Engine, now: number): number {
  let oldest = now;
  for (const container of engine.containers.values()) {
    const { size, counters } = container;
    if (size === counters.inState("IN_SYNC") + counters.inState("TEMP")) continue;
    for (const e of container.entries.values()) {
      const name = STATE_NAMES[e.state];
      if (name !== "IN_SYNC" && name !== "TEMP") oldest = Math.min(oldest, engine.since(e));
    }
  }
  return now - oldest;
}
