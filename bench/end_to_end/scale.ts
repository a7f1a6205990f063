/**
 * What an event and a port cost above the native layer: records made by hand go through the
 * decoder, `validate` and `ksync` into a sink that takes everything.
 *
 * @module
 */
import { ksyncSchema } from "../../schemas/ksync.ts";
import { validateSchema } from "../../schemas/validate.ts";
import type { Context } from "../../src/core/component.ts";
import type { Outcome, Row, Stage, StateSink } from "../../src/core/stage.ts";
import { LinkBatches } from "../../src/sources/netlink/link_batches.ts";
import { LinkTable } from "../../src/sources/netlink/link_table.ts";
import createKsync from "../../src/transforms/ksync/transform.ts";
import createValidate from "../../src/transforms/validate/transform.ts";
import { LINK_WORD, PS_DUMP_BEGIN, PS_DUMP_END } from "../../ffi/records.gen.ts";
import type { RecordView } from "../../ffi/texts.ts";
import { linkRecords } from "../../tests/support/link_records.ts";

/** Records in a batch. No port comes twice in one, so that every event is a write everywhere. */
const BATCH = 128;

/** What a number of ports costs. */
export interface Cost {
  /** Microseconds for each event. */
  readonly event: number;
  /** Bytes of heap for each port. */
  readonly port: number;
}

/** Sends `events` MTU changes over `ports` ports through a pipeline of its own. */
export async function scale(ports: number, events: number): Promise<Cost> {
  const buffers = recordsOf(ports);
  const before = heap();
  const pipeline = await createPipeline();
  await pipeline.send(linkRecords({ type: PS_DUMP_BEGIN }), 1);
  for (const { view, count } of buffers) await pipeline.send(view, count);
  await pipeline.send(linkRecords({ type: PS_DUMP_END }), 1);
  const port = (heap() - before) / ports;
  await rounds(pipeline, buffers, events >> 1); // warm
  const begin = performance.now();
  await rounds(pipeline, buffers, events);
  const event = (performance.now() - begin) * 1000 / events;
  await pipeline.close();
  return { event, port };
}

/** Million records a second that the decoder alone turns into changes. */
export function decodeOnly(events: number): number {
  const buffers = recordsOf(128);
  const reader = new LinkBatches(new LinkTable());
  let mtu = 0;
  const round = (count: number) => {
    for (let done = 0; done < count; done += BATCH) {
      const { view } = buffers[(done / BATCH) % buffers.length] ?? fail();
      remark(view, mtu++);
      reader.read(view, BATCH);
    }
  };
  round(events >> 1); // warm
  const begin = performance.now();
  round(events);
  return events / (performance.now() - begin) / 1000;
}

interface Buffer {
  readonly view: RecordView;
  readonly count: number;
}

/** Buffers that name every port, in the order of their numbers; at least one full buffer. */
function recordsOf(ports: number): Buffer[] {
  const buffers: Buffer[] = [];
  for (let first = 0; first < Math.max(ports, BATCH); first += BATCH) {
    const wishes = Array.from({ length: BATCH }, (_, at) => {
      const port = (first + at) % ports;
      return { ifindex: port + 2, name: `Ethernet${port * 4}` };
    });
    buffers.push({ view: linkRecords(...wishes), count: BATCH });
  }
  return buffers;
}

/** Gives every record of a buffer an MTU that it did not have. */
function remark({ words }: RecordView, round: number): void {
  const size = words.length / BATCH;
  for (let at = 0; at < BATCH; at++) {
    words[at * size + LINK_WORD.mtu] = 1280 + (round * 7 + at) % 7919;
  }
}

async function rounds(
  pipeline: SyntheticPipeline,
  buffers: readonly Buffer[],
  events: number,
): Promise<void> {
  let round = 0;
  for (let done = 0; done < events; done += BATCH) {
    const { view, count } = buffers[round % buffers.length] ?? fail();
    remark(view, round++);
    await pipeline.send(view, count);
  }
}

interface SyntheticPipeline {
  send(view: RecordView, count: number): Promise<void>;
  close(): Promise<void>;
}

async function createPipeline(): Promise<SyntheticPipeline> {
  const { signal } = new AbortController();
  const ksync: Stage = await createKsync(
    ksyncSchema.parse({ type: "ksync", owns: { field: "state" } }),
    CONTEXT,
    new SinkOfEverything(),
  );
  const head = await createValidate(validateSchema.parse({ type: "validate" }), CONTEXT, ksync);
  const reader = new LinkBatches(new LinkTable());
  return {
    async send(view, count) {
      for (const batch of reader.read(view, count)) await head.handle(batch, signal);
      // The sink answers in microtasks; this lets them all run, as a turn of the event loop does.
      await new Promise((resolve) => void setImmediate(resolve));
    },
    close: () => head.close(performance.now() + 1000),
  };
}

const CONTEXT: Context = {
  pipeline: "synthetic",
  telemetry: {
    log: { debug() {}, info() {}, warn() {}, error() {} },
    counter: () => ({ value: 0 }),
    gauge() {},
  },
  library: "",
  dryRun: false,
  acknowledge: "accepted",
  fail(error) {
    throw error;
  },
  resync() {},
};

const OK: Outcome = Object.freeze({ ok: true });

class SinkOfEverything implements StateSink {
  readonly connection = { up: true, subscribe: () => () => {} };

  write(operations: readonly unknown[]): Promise<Outcome[]> {
    return Promise.resolve(operations.map(() => OK));
  }

  async *scan(): AsyncGenerator<Row> {}

  open(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function heap(): number {
  const collect: unknown = Reflect.get(globalThis, "gc");
  if (typeof collect === "function") { for (let turn = 0; turn < 3; turn++) collect(); }
  return Deno.memoryUsage().heapUsed;
}

function fail(): never {
  throw new Error("There is no buffer");
}
