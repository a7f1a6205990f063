/**
 * What a component is given, for tests of one component alone.
 *
 * @module
 */
import type { Context } from "../../src/core/component.ts";
import { RecordedTelemetry } from "./telemetry.ts";

/** A context that remembers. */
export interface RecordedContext extends Context {
  readonly telemetry: RecordedTelemetry;
  /** What `fail` was called with. */
  readonly failures: Error[];
  /** How often `resync` was called. */
  readonly resyncs: { count: number };
}

/** A context for a pipeline called `test`. */
export function makeContext(
  more: Partial<Omit<Context, "telemetry">> = {},
): RecordedContext {
  const failures: Error[] = [];
  const resyncs = { count: 0 };
  return {
    pipeline: "test",
    telemetry: new RecordedTelemetry(),
    library: "/nowhere/libportsync.so",
    dryRun: false,
    acknowledge: "accepted",
    fail: (error) => failures.push(error),
    resync: () => resyncs.count++,
    ...more,
    failures,
    resyncs,
  };
}
