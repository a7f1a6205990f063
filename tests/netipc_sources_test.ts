// The uds and the shm source with producers in TypeScript and in C, and with a foreign service.
import assert from "node:assert/strict";
import { APPLIED, type Batch, type Change, deferred, rejected } from "../src/core/change.ts";
import type { Context } from "../src/core/component.ts";
import type { Source } from "../src/core/stage.ts";
import { Client } from "../src/netipc/client.ts";
import { SnapshotBuilder } from "../src/netipc/codec/cgroups_snapshot.ts";
import { Method } from "../src/netipc/codec/header.ts";
import { ChangeProducer, RingChangeProducer } from "../src/netipc/changes/producer.ts";
import { Server } from "../src/netipc/server.ts";
import createShmSource from "../src/sources/shm/source.ts";
import createUdsSource from "../src/sources/uds/source.ts";
import { shmSchema } from "../schemas/shm.ts";
import { udsSchema } from "../schemas/uds.ts";
import { eventually, pause } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "./support/native.ts";
import { PEER_TOKEN, serviceName, startPeerServer } from "./support/peers.ts";
import { startProducer } from "./support/producer.ts";
import { RecordedTelemetry } from "./support/telemetry.ts";

const library = await nativeLibrary();
const run_dir = NATIVE_TEST_FOLDER;

type Answer = (batch: Batch) => Parameters<Source["settle"]>[1] | undefined;

/** Runs a source as a pipeline does: asks for batches, and settles them as `answer` says. */
class Run implements AsyncDisposable {
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done?.catch(() => {});
    await this.source?.close();
    assert.deepEqual(this.failures, []);
  }
}

async function runUds(options: Record<string, unknown>): Promise<Run & { service: string }> {
  const service = serviceName();
  const run = new Run();
  const config = udsSchema.parse({ type: "uds", run_dir, service, ...options });
  return Object.assign(run.start(await createUdsSource(config, run.context())), { service });
}

async function runShm(options: Record<string, unknown>): Promise<Run> {
  const run = new Run();
  const config = shmSchema.parse({ type: "shm", run_dir, ...options });
  return run.start(await createShmSource(config, run.context()));
}

function change(i: number, more: Partial<Change> = {}): Change {
  const fields = { number: `${i}` };
  return { op: "set", table: "NUMBER_TABLE", key: `Ethernet${i % 64}`, fields, time: i, ...more };
}

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
  assert.equal(run.counter("uds_malformed_messages_total"), 2); // it was tried twice
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
      await assert.rejects(runShm(options), /in use/);
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

Deno.test("snapshots of a foreign service become a dump, and then nothing but differences", async () => {
  const service = serviceName();
  const token = await Deno.makeTempFile();
  await Deno.writeTextFile(token, `${PEER_TOKEN}`);
  try {
    const options = { mode: "poll", service, interval_ms: 10, auth_token: `\${file:${token}}` };
    await using run = await runUds({ ...options, profile: "uds", table: "C" });
    await run.telemetry.line(/does not answer/);
    await using _server = await startPeerServer(service, 3, Method.cgroupsSnapshot);
    await run.telemetry.line(/answers/);
    await eventually(() => run.batches.length >= 2 ? undefined : "no dump came");
    assert.deepEqual(run.batches.map(({ mark }) => mark), ["dump-begin", "dump-end"]);
    assert.deepEqual(run.changes.map(({ op, table, key }) => [op, table, key]), [
      ["set", "C", "docker-abc123"],
      ["set", "C", "k8s-pod-xyz"],
      ["set", "C", "systemd-user"],
    ]);
    assert.deepEqual(run.changes[2]?.fields, {
      ...{ hash: "3003", options: "0", enabled: "0" },
      path: "/sys/fs/cgroup/user.slice/user-1000",
    });
    const before = run.gauge("uds_snapshots_total");
    await eventually(() => run.gauge("uds_snapshots_total") > before + 3 ? undefined : "no more");
    assert.equal(run.batches.length, 2);
    run.source?.resync?.();
    await eventually(() => run.batches.length === 4 ? undefined : "no other dump came");
  } finally {
    await Deno.remove(token);
  }
});

Deno.test("what a service adds, changes and takes away is told", async () => {
  const service = serviceName();
  let items: [number, string][] = [[1, "a"], [2, "b"]];
  await using server = new Server({ library, runDir: run_dir, service }, {
    method: Method.cgroupsSnapshot,
    handle(_request, response) {
      const builder = new SnapshotBuilder(response);
      for (const [hash, name] of items) {
        builder.add({ hash, options: 0, enabled: 1, name, path: "/" });
      }
      return builder.finish({ systemdEnabled: 0, generation: 0n });
    },
  });
  void server.start();
  await using run = await runShm({ mode: "poll", service, interval_ms: 10 });
  await eventually(() => run.batches.length === 2 ? undefined : "no dump came");
  items = [[1, "a"], [3, "b"], [4, "c"], [5, "c"], [6, "bad|name"]];
  await eventually(() => run.batches.length === 3 ? undefined : "nothing was told");
  items = [[1, "a"]];
  await eventually(() => run.batches.length === 4 ? undefined : "nothing was told");
  const told = run.changes.slice(2).map(({ op, key, fields }) =>
    `${op} ${key} ${fields["hash"] ?? ""}`
  );
  assert.deepEqual(told, ["set b 3", "set c 4", "delete b ", "delete c "]);
  assert.ok(run.counter("shm_rejected_names_total") >= 2);
});

Deno.test("a service that refuses us for good ends the pipeline with what to do about it", async () => {
  await using server = await startPeerServer(serviceName(), 1, Method.cgroupsSnapshot);
  const wrongToken = await runUds({ mode: "poll", service: server.service });
  await assert.rejects(wrongToken.ended(), /compare auth_token/);
  await wrongToken[Symbol.asyncDispose]();
  const foreign = await runShm({ mode: "poll", service: server.service });
  await assert.rejects(foreign.ended(), /see profile/);
  await foreign[Symbol.asyncDispose]();
});

Deno.test("a service that cannot listen fails the pipeline", async () => {
  const run = new Run();
  const config = udsSchema.parse({ type: "uds", run_dir: "/nowhere", service: "s" });
  run.start(await createUdsSource(config, run.context()));
  await assert.rejects(run.ended(), /path is not in the grant/);
  await run[Symbol.asyncDispose]();
});
