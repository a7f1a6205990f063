/**
 * The ksync transform over a scripted sink.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { z } from "zod";
import { ksyncSchema } from "../../schemas/ksync.ts";
import type { Batch, Change, Fields, Receipt } from "../../src/core/change.ts";
import type { Context } from "../../src/core/component.ts";
import { type Inspectable, isInspectable } from "../../src/core/introspection.ts";
import type { Stage } from "../../src/core/stage.ts";
import create from "../../src/transforms/ksync/transform.ts";
import { ScriptedSink } from "./scripted_sink.ts";
import { RecordedTelemetry } from "./telemetry.ts";

/** A row as any. */
export const ROW = { state: "ok", mtu: "9100" };
/** A time that no test waits for. */
export const LONG_MS = 60_000;

/** A reconciler over a scripted sink. */
export interface Bench {
  readonly stage: Stage & Inspectable;
  readonly sink: ScriptedSink;
  readonly telemetry: RecordedTelemetry;
  readonly failures: Error[];
  /** Hands a batch over. */
  handle(batch: Partial<Batch>, signal?: AbortSignal): Promise<Receipt[]>;
}

/** Settings of the transform; defaults for those left out. */
export type Settings = Omit<Partial<z.input<typeof ksyncSchema>>, "type">;

/** Makes a reconciler of the table T. */
export async function makeBench(
  settings: Settings = {},
  options: {
    readonly acknowledge?: Context["acknowledge"];
    readonly sink?: ScriptedSink;
  } = {},
): Promise<Bench> {
  const sink = options.sink ?? new ScriptedSink();
  const telemetry = new RecordedTelemetry();
  const failures: Error[] = [];
  const config = ksyncSchema.parse({ type: "ksync", tables: ["T"], ...settings });
  const stage = await create(config, {
    pipeline: "test",
    telemetry,
    library: "",
    dryRun: false,
    acknowledge: options.acknowledge ?? "applied",
    fail: (error) => failures.push(error),
    resync: () => {},
  }, sink);
  assert.ok(isInspectable(stage));
  const handle = (batch: Partial<Batch>, signal = new AbortController().signal) =>
    stage.handle({ changes: [], ...batch }, signal);
  return { stage, sink, telemetry, failures, handle };
}

/** A row set. */
export function set(key: string, fields: Fields = ROW, table = "T"): Change {
  return { op: "set", table, key, fields, time: 0 };
}

/** A row deleted. */
export function remove(key: string): Change {
  return { op: "delete", table: "T", key, fields: {}, time: 0 };
}

/** The end of a test: whatever is left is given up. */
export async function close({ stage, sink }: Bench): Promise<void> {
  await stage.close(performance.now());
  assert.equal(sink.isOpen, false);
  assert.equal(sink.listeners, 0);
}

/** Lets everything happen that needs no time. */
export async function turn(): Promise<void> {
  for (let left = 10; left > 0; left--) await Promise.resolve();
}
