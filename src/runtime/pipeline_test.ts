import assert from "node:assert/strict";
import { ACCEPTED, APPLIED, type Batch, type Change, type Receipt } from "../core/change.ts";
import type { ConnectionEvents, Source, Stage } from "../core/stage.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { RecordedTelemetry } from "../../tests/support/telemetry.ts";
import { Pipeline } from "./pipeline.ts";

function change(key: string): Change {
  return { op: "set", table: "T", key, fields: { mtu: "1" }, time: 0 };
}

function batch(key: string): Batch {
  return { changes: [change(key)] };
}

/** A source that gives what it is told to, and remembers what became of it. */
class ListSource implements Source {
  readonly settled: [Batch, readonly Receipt[]][] = [];
  isClosed = false;
  given = 0;
  readonly #batches: Iterable<Batch>;
  readonly #endless: boolean;

  constructor(batches: Iterable<Batch>, options: { endless?: boolean } = {}) {
    this.#batches = batches;
    this.#endless = options.endless ?? false;
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
    for (const next of this.#batches) {
      if (signal.aborted) return;
      this.given++;
      yield next;
    }
    if (!this.#endless || signal.aborted) return;
    await new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
  }

  settle(of: Batch, receipts: readonly Receipt[]): void {
    this.settled.push([of, receipts]);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** A stage that keeps what it gets, and answers when it is told to. */
class HeldStage implements Stage {
  readonly batches: Batch[] = [];
  readonly log: string[] = [];
  #held: (() => void)[] = [];
  readonly #holds: boolean;
  readonly #receipt: Receipt;

  constructor(options: { holds?: boolean; receipt?: Receipt } = {}) {
    this.#holds = options.holds ?? false;
    this.#receipt = options.receipt ?? APPLIED;
  }

  async handle(of: Batch): Promise<Receipt[]> {
    this.batches.push(of);
    if (this.#holds) await new Promise<void>((resolve) => this.#held.push(resolve));
    return of.changes.map(() => this.#receipt);
  }

  release(): void {
    for (const release of this.#held.splice(0)) release();
  }

  close(): Promise<void> {
    this.log.push("closed");
    this.release();
    return Promise.resolve();
  }
}

function run(source: Source, ...stages: Stage[]) {
  const telemetry = new RecordedTelemetry();
  const pipeline = new Pipeline({ source, stages }, telemetry, 1000);
  pipeline.start();
  return { pipeline, telemetry };
}

Deno.test("Pipeline hands every batch on in order and settles it with its receipts", async () => {
  const batches = ["a", "b", "c"].map(batch);
  const source = new ListSource(batches);
  const stage = new HeldStage();
  const { pipeline, telemetry } = run(source, stage);
  assert.deepEqual(await pipeline.ended, { how: "finished" });
  assert.deepEqual(stage.batches, batches);
  assert.deepEqual(source.settled, batches.map((of) => [of, [APPLIED]]));
  assert.ok(source.isClosed);
  assert.equal(telemetry.counter("changes_total").value, 3);
  assert.equal(telemetry.counter("applied_total").value, 3);
});

Deno.test("Pipeline forwards without waiting for receipts, and stops asking beyond a bound", async () => {
  const source = new ListSource(Array.from({ length: 1000 }, (_, index) => batch(`${index}`)));
  const stage = new HeldStage({ holds: true });
  const { pipeline } = run(source, stage);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(stage.batches.length, 64);
  assert.ok(source.given <= 65);
  stage.release();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(stage.batches.length, 128);
  await pipeline.stop(performance.now() + 1000);
  assert.deepEqual(await pipeline.ended, { how: "stopped" });
  assert.equal(source.settled.length, stage.batches.length);
});

Deno.test("Pipeline settles a batch that was held up when its receipts come while stopping", async () => {
  const source = new ListSource([batch("a")], { endless: true });
  const stage = new HeldStage({ holds: true });
  const { pipeline } = run(source, stage);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await pipeline.stop(performance.now() + 1000);
  assert.equal(source.settled.length, 1);
  assert.deepEqual(stage.log, ["closed"]);
});

Deno.test("Pipeline gives up a stage that does not finish by the deadline, and closes the rest", async () => {
  const source = new ListSource([batch("a")], { endless: true });
  const stuck: Stage = {
    handle: () => new Promise(() => {}),
    close: () => new Promise(() => {}),
  };
  const behind = new HeldStage();
  const { pipeline, telemetry } = run(source, stuck, behind);
  const started = performance.now();
  await pipeline.stop(started + 50);
  assert.deepEqual(await pipeline.ended, { how: "stopped" });
  assert.ok(performance.now() - started < 2000);
  assert.ok(source.isClosed);
  assert.deepEqual(behind.log, ["closed"]);
  assert.equal(telemetry.messages("warn").length, 2);
});

Deno.test("Pipeline ends with the failure of a stage, of its source and of fail()", async () => {
  const error = new Error("broken");
  const failing: Stage = { handle: () => Promise.reject(error), close: () => Promise.resolve() };
  const first = run(new ListSource([batch("a")], { endless: true }), failing);
  assert.deepEqual(await first.pipeline.ended, { how: "failed", error });

  const source = new ListSource([]);
  source.batches = async function* () {
    await Promise.reject(error);
    yield batch("never");
  };
  const second = run(source, new HeldStage());
  assert.deepEqual(await second.pipeline.ended, { how: "failed", error });
  assert.ok(source.isClosed);

  const third = run(new ListSource([], { endless: true }), new HeldStage());
  third.pipeline.fail(error);
  third.pipeline.fail(new Error("later"));
  assert.deepEqual(await third.pipeline.ended, { how: "failed", error });
});

Deno.test("Pipeline counts what was only accepted apart from what is deferred", async () => {
  const { pipeline, telemetry } = run(
    new ListSource([batch("a")]),
    new HeldStage({ receipt: ACCEPTED }),
  );
  await pipeline.ended;
  assert.equal(telemetry.counter("accepted_total").value, 1);
  assert.equal(telemetry.counter("deferred_total").value, 0);
});

Deno.test("Pipeline lets timers run while its source is never out of batches", async () => {
  const endless = {
    *[Symbol.iterator]() {
      for (;;) yield batch("a");
    },
  };
  const { pipeline } = run(new ListSource(endless), new HeldStage());
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(performance.now() - started < 1000);
  await pipeline.stop(performance.now() + 1000);
  assert.deepEqual(await pipeline.ended, { how: "stopped" });
});

/** A sink's connection that is away until the test says otherwise. */
class LateConnection implements ConnectionEvents {
  up = false;
  readonly listeners = new Set<(event: "lost" | "up") => void>();

  subscribe(listener: (event: "lost" | "up") => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  come(): void {
    this.up = true;
    for (const listener of [...this.listeners]) listener("up");
  }
}

function runBeforeSink(drainMs: number) {
  const telemetry = new RecordedTelemetry();
  const stage = new HeldStage();
  const connection = new LateConnection();
  const parts = {
    source: new ListSource([batch("a")]),
    stages: [stage],
    connections: [connection],
  };
  const pipeline = new Pipeline(parts, telemetry, drainMs);
  pipeline.start();
  return { pipeline, stage, connection, telemetry };
}

Deno.test("Pipeline does not end with its source before a sink is reached for the first time", async () => {
  const { pipeline, stage, connection, telemetry } = runBeforeSink(20_000);
  await eventually(() => connection.listeners.size === 1 ? undefined : "nobody waits");
  assert.deepEqual(stage.log, []);
  connection.come();
  assert.deepEqual(await pipeline.ended, { how: "finished" });
  assert.deepEqual(stage.log, ["closed"]);
  assert.equal(connection.listeners.size, 0);
  assert.deepEqual(telemetry.messages("warn"), []);
});

Deno.test("Pipeline that waits for a sink still stops when it is told to", async () => {
  const { pipeline, connection } = runBeforeSink(20_000);
  await eventually(() => connection.listeners.size === 1 ? undefined : "nobody waits");
  await pipeline.stop(performance.now() + 1000);
  assert.deepEqual(await pipeline.ended, { how: "finished" });
});

Deno.test("Pipeline gives up a sink that stays away, and says so", async () => {
  const { pipeline, telemetry } = runBeforeSink(20);
  assert.deepEqual(await pipeline.ended, { how: "finished" });
  assert.match(telemetry.messages("warn").join(), /a sink is still away/);
});
