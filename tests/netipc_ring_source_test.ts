// The ring as a source: what it keeps, who may have it, and what becomes of its file.
import assert from "node:assert/strict";
import { APPLIED, type Batch, deferred } from "../src/core/change.ts";
import { FRAME_HEAD_BYTES, RingProducer } from "../ffi/ring.ts";
import { RingChangeProducer } from "../src/netipc/changes/producer.ts";
import { eventually } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER } from "./support/native.ts";
import { serviceName } from "./support/peers.ts";
import { startProducer } from "./support/producer.ts";
import { change, library, runShm } from "./support/source_run.ts";

Deno.test("a ring brings changes to the pipeline, and keeps what it has not settled", async () => {
  const file = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
  const options = { protocol: "ring", file, capacity_bytes: 65536 };
  try {
    await using producer = new RingChangeProducer({ library, path: file, capacity: 65536 });
    await producer.publish({ changes: [change(0)], mark: "dump-begin" });
    await producer.publish({ changes: [], mark: "dump-end" });
    {
      await using run = await runShm(options);
      const sent = (async () => {
        for (let i = 0; i < 5000; i += 10) {
          await producer.publish({ changes: Array.from({ length: 10 }, (_, k) => change(i + k)) });
        }
      })();
      await sent;
      await eventually(() => producer.stat().consumed === 502 ? undefined : "frames remain");
      assert.deepEqual(run.batches.slice(0, 2).map(({ mark }) => mark), ["dump-begin", "dump-end"]);
      assert.deepEqual(run.changes.slice(1), Array.from({ length: 5000 }, (_, i) => change(i)));
      assert.equal(run.gauge("ring_used_bytes"), 0);
      await assert.rejects(runShm(options), /another process reads it/);
      // Batches settle in any order; only what is settled from the front on is given back.
      const waiting: Batch[] = [];
      run.answer = (batch) => (waiting.push(batch), undefined);
      for (const i of [1, 2, 3]) {
        await producer.publish({ changes: [change(i)], mark: "lost" });
      }
      await eventually(() => waiting.length === 3 ? undefined : "they did not come");
      const [first, second, third] = waiting;
      assert.ok(first && second && third);
      await run.source?.settle(third, []);
      await run.source?.settle(second, []);
      assert.equal(producer.stat().consumed, 502);
      await run.source?.settle(first, []);
      assert.equal(producer.stat().consumed, 505);
      await producer.publish({ changes: [change(4)] });
      await eventually(() => waiting.length === 4 ? undefined : "it did not come");
    }
    await using again = await runShm(options);
    await eventually(() => again.changes.length === 1 ? undefined : "it was not there again");
    assert.deepEqual(again.changes, [change(4)]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a producer in C writes a ring, and a full one makes it wait", async () => {
  const file = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
  try {
    const producer = await startProducer("ring", file, "30000");
    await eventually(() => Deno.stat(file).then(() => undefined, () => "there is no ring"));
    await using run = await runShm({ protocol: "ring", file });
    assert.equal((await producer.status).code, 0);
    await eventually(() => run.changes.length >= 30_000 ? undefined : `${run.changes.length}`);
    const numbers = run.changes.map(({ fields }) => Number(fields["number"]));
    assert.deepEqual(numbers, Array.from({ length: 30_000 }, (_, i) => i));
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("what a pipeline gives up when it stops is there for the next one", async () => {
  const file = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
  try {
    await using producer = new RingChangeProducer({ library, path: file });
    {
      await using run = await runShm({ protocol: "ring", file });
      const waiting: Batch[] = [];
      run.answer = (batch) => (waiting.push(batch), undefined);
      for (const i of [1, 2, 3]) await producer.publish({ changes: [change(i)], mark: "lost" });
      await eventually(() => waiting.length === 3 ? undefined : "they did not come");
      const [first, second, third] = waiting;
      assert.ok(first && second && third);
      // A row that waits for another one is dealt with, as far as the source goes.
      await run.source?.settle(first, [deferred("it waits for its port")]);
      assert.equal(producer.stat().consumed, 1);
      run.stop();
      await run.source?.settle(second, [deferred("the pipeline stops")]);
      await run.source?.settle(third, [APPLIED]);
      assert.equal(producer.stat().consumed, 1);
    }
    await using next = await runShm({ protocol: "ring", file });
    await eventually(() => next.changes.length === 2 ? undefined : "they were not there again");
    assert.deepEqual(next.changes, [change(2), change(3)]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a ring that is removed is read to its end, and then the new one", async () => {
  const file = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
  await using run = await runShm({ protocol: "ring", file });
  try {
    {
      await using producer = new RingChangeProducer({ library, path: file });
      await producer.publish({ changes: [change(1)] });
      await Deno.remove(file);
      await run.telemetry.line(
        /removed or replaced, and process \d+ still writes into the old one/,
      );
      await producer.publish({ changes: [change(2)] });
      await eventually(() => run.changes.length === 2 ? undefined : "the old one is not read");
    }
    await run.telemetry.line(/removed or replaced; the new one is read/);
    await using producer = new RingChangeProducer({ library, path: file });
    await producer.publish({ changes: [change(3)] });
    await eventually(() => run.changes.length === 3 ? undefined : "the new one is not read");
    assert.deepEqual(run.changes, [change(1), change(2), change(3)]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a frame that holds no changes is left out and counted, and nothing else is", async () => {
  const file = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
  await using run = await runShm({ protocol: "ring", file });
  try {
    {
      await using raw = new RingProducer({ library, path: file });
      for (const payload of [new Uint8Array(24).fill(0xff), new Uint8Array(0)]) {
        const frame = new Uint8Array(FRAME_HEAD_BYTES + payload.length);
        new DataView(frame.buffer).setUint32(0, payload.length, true);
        frame.set(payload, FRAME_HEAD_BYTES);
        assert.equal(raw.push(frame, frame.length), frame.length);
      }
    }
    await using producer = new RingChangeProducer({ library, path: file });
    await producer.publish({ changes: [change(1), { ...change(2), key: "a|b" }, change(3)] });
    await eventually(() => producer.stat().consumed === 3 ? undefined : "frames remain");
    assert.deepEqual(run.changes, [change(1), change(3)]);
    assert.equal(run.counter("ring_malformed_messages_total"), 2);
    assert.equal(run.counter("ring_unusable_changes_total"), 1);
    assert.match(run.telemetry.messages("warn").join(), /holds no changes; it is left out/);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a ring that is written over ends its pipeline, with what to do", async () => {
  const file = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
  const run = await runShm({ protocol: "ring", file });
  try {
    await using producer = new RingChangeProducer({ library, path: file });
    using opened = await Deno.open(file, { write: true });
    await opened.seek(PRODUCER_AT, Deno.SeekMode.Start);
    await opened.write(new Uint8Array(8).fill(0x7f));
    // A frame wakes the reader, behind a position that cannot be.
    await producer.publish({ changes: [change(1)] }).catch(() => {});
    await assert.rejects(run.ended(), /read on in the ring .*, which only removing it can mend/);
  } finally {
    await run[Symbol.asyncDispose]();
    await Deno.remove(file);
  }
});

/** Where the producer's position stands in the file. */
const PRODUCER_AT = 64;

Deno.test("what cannot be a ring is refused, with what to do", async () => {
  const file = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
  const open = () => runShm({ protocol: "ring", file });
  await using _run = { [Symbol.asyncDispose]: () => Deno.remove(file) };
  await Deno.writeTextFile(file, "This is a file of somebody else.\n".repeat(100));
  await assert.rejects(open(), /is no ring, or not whole; remove it/);
  await Deno.remove(file);
  {
    await using _ring = new RingChangeProducer({ library, path: file });
    assert.throws(() => new RingChangeProducer({ library, path: file }), /another process writes/);
  }
  await Deno.truncate(file, 100_000);
  await assert.rejects(open(), /is no ring, or not whole; remove it/);
  await Deno.remove(file);
  {
    await using _ring = new RingChangeProducer({ library, path: file });
    await Deno.chmod(file, 0o666);
    await assert.rejects(open(), /everyone may write to it.*chmod o-w/);
  }
  const missing = runShm({ protocol: "ring", file: "/run/netns/none/x.ring" });
  await assert.rejects(missing, /not in the grant/);
});
