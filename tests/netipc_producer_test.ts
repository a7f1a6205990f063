// Producers in TypeScript, against services that answer what no pipeline should.
import assert from "node:assert/strict";
import { RingConsumer } from "../ffi/ring.ts";
import { APPLIED, type Change } from "../src/core/change.ts";
import { RejectError, StopError } from "../src/core/errors.ts";
import { decodeChanges, PUBLISH } from "../src/netipc/changes/codec.ts";
import { ChangeProducer, RingChangeProducer } from "../src/netipc/changes/producer.ts";
import { encodeReceipts } from "../src/netipc/changes/receipts.ts";
import { WireTexts } from "../src/netipc/changes/texts.ts";
import { CodecError } from "../src/netipc/codec/errors.ts";
import type { Span } from "../src/netipc/codec/span.ts";
import type { Server } from "../src/netipc/server.ts";
import { eventually } from "./support/eventually.ts";
import { HERE, startServer } from "./support/netipc.ts";
import { serviceName } from "./support/peers.ts";

const { library, runDir } = HERE;

function change(key: string, value = "1"): Change {
  return { op: "set", table: "T", key, fields: { value }, time: 1 };
}

const texts = new WireTexts();

/** A service that answers with so many receipts more than it was asked for. */
function answering(
  more: number,
  seen: string[] = [],
): Server & { readonly service: string } {
  return startServer({ maxRequestBytes: 1 << 18 }, {
    method: PUBLISH,
    handle(request: Span, response: Span): number {
      const { changes, count } = decodeChanges(request, texts);
      seen.push(...changes.map(({ key }) => key));
      const bytes = encodeReceipts(new Array(count + more).fill(APPLIED), response.length);
      response.bytes.set(bytes, response.start);
      return bytes.length;
    },
  });
}

Deno.test("a batch is sent in its order and answered change by change", async () => {
  const seen: string[] = [];
  await using server = answering(0, seen);
  await using producer = new ChangeProducer({ ...HERE, service: server.service });
  const keys = Array.from({ length: 10_000 }, (_, i) => `key ${i}`);
  const both = await Promise.all([
    producer.publish({ changes: keys.map((key) => change(key)) }),
    producer.publish({ changes: [change("last")] }),
  ]);
  assert.deepEqual(both.map(({ length }) => length), [10_000, 1]);
  assert.deepEqual(seen, [...keys, "last"]);
});

Deno.test("a producer says why it tries again, and how long it rests", async () => {
  const service = serviceName();
  const told = Promise.withResolvers<void>();
  const tries: string[] = [];
  await using producer = new ChangeProducer({
    ...HERE,
    service,
    maxRetryMs: 15,
    onRetry: ({ message }, pauseMs) => {
      if (tries.push(`${message}, ${pauseMs}`) === 3) told.resolve();
    },
  });
  const publishing = producer.publish({ changes: [change("key")] });
  await told.promise;
  const away = `No session with netipc's ${service}: not found`;
  assert.deepEqual(tries.slice(0, 3), [`${away}, 10`, `${away}, 15`, `${away}, 15`]);
  await producer.close();
  await assert.rejects(publishing, StopError);
});

Deno.test("a producer does not try again what no pipeline would take", async () => {
  const rejects = (publishing: Promise<unknown>) =>
    assert.rejects(publishing, (error) => {
      return error instanceof RejectError && /cannot take these changes/.test(error.message);
    });
  for (const more of [-1, 1]) {
    await using server = answering(more);
    await using producer = new ChangeProducer({ ...HERE, service: server.service });
    await rejects(producer.publish({ changes: [change("a")] }));
    assert.equal(server.status().requests, 2);
  }
  await using server = answering(0);
  await using producer = new ChangeProducer({ ...HERE, service: server.service });
  // Larger than any request, and a name that does not fit into its length.
  await rejects(producer.publish({ changes: [change("a", "x".repeat(1 << 20))] }));
  await rejects(producer.publish({ changes: [change("k".repeat(65_536))] }));
  assert.deepEqual(await producer.publish({ changes: [change("a")] }), [APPLIED]);
  await using other = startServer();
  await using astray = new ChangeProducer({ ...HERE, service: other.service });
  await rejects(astray.publish({ changes: [change("a")] }));
});

Deno.test("a producer that is closed or given up does not wait for its pipeline", async () => {
  const service = serviceName();
  const producer = new ChangeProducer({ ...HERE, service, maxRetryMs: 20 });
  const given = new AbortController();
  const publishing = assert.rejects(
    producer.publish({ changes: [change("a")] }, { signal: given.signal }),
    { name: "AbortError" },
  );
  given.abort();
  await publishing;
  const waiting = assert.rejects(producer.publish({ changes: [change("a")] }), StopError);
  await producer.close();
  await waiting;
  await using nowhere = new ChangeProducer({ ...HERE, service, library: "/tmp/no-library.so" });
  await assert.rejects(nowhere.publish({ changes: [change("a")] }), /no-library/);
});

Deno.test("a ring that is full makes its producer wait until there is room", async () => {
  const path = `${runDir}/${serviceName()}.ring`;
  await using producer = new RingChangeProducer({ library, path, capacity: 65_536 });
  await using consumer = new RingConsumer({ library, path });
  try {
    await assert.rejects(
      producer.publish({ changes: [change("a", "x".repeat(20_000))] }),
      (error) => error instanceof CodecError && error.fault === "overflow",
    );
    const large = { changes: [change("a", "x".repeat(10_000))] };
    for (let i = 0; i < 6; i++) await producer.publish(large);
    const waiting = producer.publish(large);
    await eventually(() => producer.stat().producerSleeps > 0 ? undefined : "it does not wait");
    assert.equal(producer.stat().produced, 6);
    consumer.commit(consumer.poll(), 6);
    await waiting;
    assert.equal(producer.stat().produced, 7);

    for (let i = 0; i < 5; i++) await producer.publish(large);
    const given = new AbortController();
    const late = producer.publish(large, { signal: given.signal });
    await eventually(() => producer.stat().producerSleeps > 1 ? undefined : "it does not wait");
    given.abort();
    await assert.rejects(late, { name: "AbortError" });
    await assert.rejects(producer.publish(large, { signal: given.signal }), { name: "AbortError" });
    assert.equal(producer.stat().produced, 12);
  } finally {
    await Deno.remove(path);
  }
});
