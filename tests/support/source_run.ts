/**
 * The `uds` and the `shm` source as a pipeline runs them, with answers that a test gives.
 *
 * @module
 */
import assert from "node:assert/strict";
import { APPLIED, type Batch, type Change } from "../../src/core/change.ts";
import type { Context } from "../../src/core/component.ts";
import type { Source } from "../../src/core/stage.ts";
import createShmSource from "../../src/sources/shm/source.ts";
import createUdsSource from "../../src/sources/uds/source.ts";
import { shmSchema } from "../../schemas/shm.ts";
import { udsSchema } from "../../schemas/uds.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "./native.ts";
import { serviceName } from "./peers.ts";
import { RecordedTelemetry } from "./telemetry.ts";

/** The native library. */
export const library: string = await nativeLibrary();

const run_dir = NATIVE_TEST_FOLDER;

/** What a test says of a batch; nothing leaves it open. */
type Answer = (batch: Batch) => Parameters<Source["settle"]>[1] | undefined;

/** Runs a source as a pipeline does: asks for batches, and settles them as `answer` says. */
export class Run implements AsyncDisposable {
  readonly telemetry = new RecordedTelemetry();
  readonly batches: Batch[] = [];
  readonly failures: Error[] = [];
  source: Source | undefined;
  answer: Answer = (batch) => batch.changes.map(() => APPLIED);
  readonly #stop = new AbortController();
  #done: Promise<void> | undefined;

  context(): Context {
    return {
      pipeline: "test",
      telemetry: this.telemetry,
      library,
      dryRun: false,
      acknowledge: "applied",
      fail: (error) => this.failures.push(error),
      resync: () => {},
    };
  }

  start(source: Source): this {
    this.source = source;
    this.#done = this.#read(source);
    return this;
  }

  async #read(source: Source): Promise<void> {
    for await (const batch of source.batches(this.#stop.signal)) {
      this.batches.push(batch);
      const receipts = this.answer(batch);
      if (receipts !== undefined) await source.settle(batch, receipts);
    }
  }

  get changes(): Change[] {
    return this.batches.flatMap(({ changes }) => changes);
  }

  counter(name: string): number {
    return this.telemetry.counters.get(name)?.value ?? 0;
  }

  gauge(name: string): number {
    return this.telemetry.gauges.get(name)?.() ?? NaN;
  }

  ended(): Promise<void> {
    return this.#done ?? Promise.resolve();
  }

  /** Tells the source that its pipeline stops. */
  stop(): void {
    this.#stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done?.catch(() => {});
    await this.source?.close();
    assert.deepEqual(this.failures, []);
  }
}

/** A `uds` source that runs, and the name of its service. */
export async function runUds(
  options: Record<string, unknown>,
): Promise<Run & { service: string }> {
  const run = new Run();
  const config = udsSchema.parse({ type: "uds", run_dir, service: serviceName(), ...options });
  const { service } = config;
  return Object.assign(run.start(await createUdsSource(config, run.context())), { service });
}

/** A `shm` source that runs. */
export async function runShm(options: Record<string, unknown>): Promise<Run> {
  const run = new Run();
  const config = shmSchema.parse({ type: "shm", run_dir, ...options });
  return run.start(await createShmSource(config, run.context()));
}

/** The change with a number. */
export function change(i: number, more: Partial<Change> = {}): Change {
  const fields = { number: `${i}` };
  return { op: "set", table: "NUMBER_TABLE", key: `Ethernet${i % 64}`, fields, time: i, ...more };
}
