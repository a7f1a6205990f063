// Services that take changes, with producers in TypeScript and in C.
import assert from "node:assert/strict";
import { APPLIED, deferred, rejected } from "../src/core/change.ts";
import { Client } from "../src/netipc/client.ts";
import { ChangeProducer } from "../src/netipc/changes/producer.ts";
import createUdsSource from "../src/sources/uds/source.ts";
import { udsSchema } from "../schemas/uds.ts";
import { eventually, pause } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER } from "./support/native.ts";
import { PEER_TOKEN, serviceName } from "./support/peers.ts";
import { startProducer } from "./support/producer.ts";
import { change, library, Run, runUds } from "./support/source_run.ts";

const run_dir = NATIVE_TEST_FOLDER;

for (const profile of ["uds", "shm"] as const) {
  Deno.test(`a producer over ${profile} hears what became of each change`, async () => {
    await using run = await runUds({ profile });
    run.answer = ({ changes }) =>
      changes.map(({ key }) => {
        if (key === "Ethernet1") return rejected(new Error("not this one"));
        return key === "Ethernet2" ? deferred("the port is not there") : APPLIED;
      });
    await using producer = new ChangeProducer({
      library,
      runDir: run_dir,
      service: run.service,
      profile,
    });
    const sent = [change(0), change(1), change(2), { ...change(3), key: "a|b" }, change(4)];
    const receipts = await producer.publish({ changes: sent, mark: "dump-begin" });
    assert.deepEqual(receipts.map(({ outcome }) => outcome), [
      "applied",
      "rejected",
      "deferred",
      "rejected",
      "applied",
    ]);
    assert.match(receipts[1]?.outcome === "rejected" ? receipts[1].error.message : "", /not this/);
    assert.match(receipts[3]?.outcome === "rejected" ? receipts[3].error.message : "", /unfit/);
    const [batch] = run.batches;
    assert.equal(batch?.mark, "dump-begin");
    assert.deepEqual(batch?.changes, [sent[0], sent[1], sent[2], sent[4]]);
    assert.deepEqual(await producer.publish({ changes: [], mark: "dump-end" }), []);
    assert.equal(run.batches.at(-1)?.mark, "dump-end");
    assert.equal(run.counter("uds_unusable_changes_total"), 1);
    assert.equal(run.counter("uds_changes_total"), 5);
    assert.equal(run.gauge("uds_clients"), 1);
  });
}

Deno.test("a batch of any size arrives whole and in its order", async () => {
  await using run = await runUds({});
  await using producer = new ChangeProducer({ library, runDir: run_dir, service: run.service });
  const changes = Array.from({ length: 20_000 }, (_, i) => change(i));
  const receipts = await producer.publish({ changes });
  assert.equal(receipts.length, changes.length);
  assert.deepEqual(run.changes, changes);
  assert.ok(run.batches.length > 4);
});

Deno.test("a producer in C is answered, and the pipeline may be away in between", async () => {
  await using run = await runUds({ socket_mode: "0660" });
  const producer = await startProducer("uds", run_dir, run.service, "5000");
  const { code } = await producer.status;
  assert.equal(code, 0);
  const numbers = run.changes.map(({ fields }) => Number(fields["number"]));
  assert.deepEqual(numbers, Array.from({ length: 5000 }, (_, i) => i));
});

Deno.test("a producer that begins before the pipeline waits for it", async () => {
  const service = serviceName();
  await using producer = new ChangeProducer({ library, runDir: run_dir, service, maxRetryMs: 50 });
  const published = producer.publish({ changes: [change(7)] });
  await pause(100);
  const run = new Run();
  await using _run = run;
  const config = udsSchema.parse({ type: "uds", run_dir, service });
  run.start(await createUdsSource(config, run.context()));
  assert.deepEqual(await published, [APPLIED]);
  // What is not answered when the pipeline goes away is sent again to the next one.
  run.answer = () => undefined;
  const again = producer.publish({ changes: [change(8)] });
  await eventually(() => run.changes.length === 2 ? undefined : "the change did not come");
  await run[Symbol.asyncDispose]();
  const next = new Run();
  await using _next = next;
  next.start(await createUdsSource(config, next.context()));
  assert.deepEqual(await again, [APPLIED]);
  assert.deepEqual(next.changes, [change(8)]);
});

Deno.test("only users and tokens that the spec names may send", async () => {
  const token = await Deno.makeTempFile();
  await Deno.writeTextFile(token, "0xdeadbeefcafebabe\n");
  try {
    const auth_token = `\${file:${token}}`;
    await using run = await runUds({ auth_token, allow_uids: [Deno.uid() ?? 0] });
    const options = { library, runDir: run_dir, service: run.service };
    await using wrong = new ChangeProducer(options);
    await assert.rejects(wrong.publish({ changes: [change(1)] }), /refuses this producer/);
    await using right = new ChangeProducer({ ...options, authToken: PEER_TOKEN });
    assert.deepEqual(await right.publish({ changes: [change(1)] }), [APPLIED]);
    assert.equal(run.counter("uds_refused_clients_total"), 1);
    assert.match(run.telemetry.messages("warn")[0] ?? "", /token is another one/);

    await using closed = await runUds({ allow_uids: [4242] });
    await using stranger = new ChangeProducer({
      library,
      runDir: run_dir,
      service: closed.service,
    });
    await assert.rejects(stranger.publish({ changes: [change(1)] }), /refuses this producer/);
    assert.deepEqual(closed.changes, []);
    const own = `Process ${Deno.pid} of user ${Deno.uid()} was turned away`;
    assert.deepEqual(closed.telemetry.messages("warn"), [
      `${own}: user ${Deno.uid()} is not in allow_uids; name it there if it may send`,
    ]);
    await Deno.writeTextFile(token, "not a number");
    await assert.rejects(runUds({ auth_token }), /no number of 64 bits/);
  } finally {
    await Deno.remove(token);
  }
});

Deno.test("what is no batch ends its session, and nobody else's", async () => {
  await using run = await runUds({});
  const options = { library, runDir: run_dir, service: run.service };
  await using rude = new Client(options);
  await rude.refresh();
  await assert.rejects(rude.increment(1n), { status: 4 });
  await rude.refresh();
  const call = { method: 0x5053, write: () => 8, read: () => 0 };
  await assert.rejects(rude.call(call), { status: 1 });
  // Each was tried twice.
  assert.equal(run.counter("uds_malformed_messages_total"), 2);
  assert.equal(run.gauge("uds_failed_messages_total"), 4);
  await using producer = new ChangeProducer(options);
  assert.deepEqual(await producer.publish({ changes: [change(1)] }), [APPLIED]);
});

Deno.test("a producer that is not answered is not read without end", async () => {
  await using run = await runUds({ profile: "uds", max_request_bytes: 1 << 20 });
  run.answer = () => undefined;
  const producers = Array.from({ length: 20 }, () =>
    new ChangeProducer({
      ...{ library, runDir: run_dir, service: run.service, profile: "uds" },
      maxRequestBytes: 1 << 20,
    }));
  const stop = new AbortController();
  const changes = Array.from(
    { length: 4096 },
    (_, i) => change(i, { fields: { f: "x".repeat(180) } }),
  );
  const published = producers.map((producer) =>
    producer.publish({ changes }, { signal: stop.signal }).catch(() => {})
  );
  await eventually(() => run.batches.length >= 10 ? undefined : "too few came");
  stop.abort();
  await Promise.all(published);
  await Promise.all(producers.map((producer) => producer.close()));
});

Deno.test("a service that cannot listen fails the pipeline", async () => {
  const run = new Run();
  const config = udsSchema.parse({ type: "uds", run_dir: "/nowhere", service: "s" });
  run.start(await createUdsSource(config, run.context()));
  await assert.rejects(run.ended(), /path is not in the grant/);
  await run[Symbol.asyncDispose]();
});

Deno.test("a service whose name is taken says so, and the other one goes on", async () => {
  const first = await runUds({});
  const { service } = first;
  const second = await runUds({ service });
  await assert.rejects(second.ended(), /another process listens there; give one of the two/);
  await second[Symbol.asyncDispose]();
  await using producer = new ChangeProducer({ library, runDir: run_dir, service, maxRetryMs: 50 });
  assert.deepEqual(await producer.publish({ changes: [change(1)] }), [APPLIED]);
  await first[Symbol.asyncDispose]();
});

Deno.test("what a pipeline gives up when it stops is sent again to the next one", async () => {
  const first = await runUds({});
  const { service } = first;
  first.answer = () => undefined;
  await using producer = new ChangeProducer({ library, runDir: run_dir, service, maxRetryMs: 50 });
  const published = producer.publish({ changes: [change(1)] });
  await eventually(() => first.batches[0] ? undefined : "the change did not come");
  first.stop();
  const [batch] = first.batches;
  assert.ok(batch);
  await first.source?.settle(batch, [deferred("the pipeline stops")]);
  await first[Symbol.asyncDispose]();
  await using next = await runUds({ service });
  assert.deepEqual(await published, [APPLIED]);
  assert.deepEqual(next.changes, [change(1)]);
});

Deno.test("producers that hang up and send again do not fill the memory", async () => {
  await using run = await runUds({ profile: "shm", max_request_bytes: 16 << 20 });
  run.answer = () => undefined;
  const options = { library, runDir: run_dir, service: run.service, maxRequestBytes: 16 << 20 };
  const changes = Array.from({ length: 14 }, (_, i) => change(i, { cause: "", fields: FIELDS }));
  for (let i = 0; i < 6 && run.telemetry.messages("warn").length === 0; i++) {
    await using client = new ChangeProducer({ ...options, profile: "shm", timeoutMs: 200 });
    const signal = AbortSignal.timeout(500);
    await client.publish({ changes }, { signal }).catch(() => {});
  }
  assert.match(run.telemetry.messages("warn")[0] ?? "", /send faster than the sinks take/);
  assert.ok(run.gauge("uds_unanswered_messages") <= 4);
  run.answer = (batch) => batch.changes.map(() => APPLIED);
});

const FIELDS = { f: "x".repeat(1 << 20) };
