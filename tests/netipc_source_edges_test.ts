// What the sources of netipc do at their edges: settings, grants, empty messages, and stops.
import assert from "node:assert/strict";
import { APPLIED, type Batch } from "../src/core/change.ts";
import type { ResolveContext } from "../src/core/component.ts";
import { StopError } from "../src/core/errors.ts";
import { ChangeProducer, RingChangeProducer } from "../src/netipc/changes/producer.ts";
import { Method } from "../src/netipc/codec/header.ts";
import { receiptsFor, Reception } from "../src/sources/netipc/received.ts";
import { definition as shm } from "../src/sources/shm/definition.ts";
import createShmSource from "../src/sources/shm/source.ts";
import { definition as uds } from "../src/sources/uds/definition.ts";
import { shmSchema } from "../schemas/shm.ts";
import { udsSchema } from "../schemas/uds.ts";
import { eventually } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER } from "./support/native.ts";
import { startServer } from "./support/netipc.ts";
import { PEER_TOKEN, serviceName, startPeerServer } from "./support/peers.ts";
import { hello, startRawPeer } from "./support/raw_peer.ts";
import { change, library, Run, runShm, runUds } from "./support/source_run.ts";

const CONTEXT: ResolveContext = {
  folder: "/etc/portsync",
  library: "/usr/lib/libportsync.so",
  readTextFile: () => Promise.reject(new Error("Nothing is to be read")),
  isFile: () => Promise.resolve(false),
  pipeline: { name: "test", source: { type: "uds" }, transforms: [], sinks: [] },
};

Deno.test("the sources ask for the folder of their service, or the file of their ring, and no more", async () => {
  const service = { run_dir: "run", service: "ports" };
  const socket = await uds.resolve?.(udsSchema.parse({ type: "uds", ...service }), CONTEXT);
  const shared = await shm.resolve?.(shmSchema.parse({ type: "shm", ...service }), CONTEXT);
  const ring = await shm.resolve?.(
    shmSchema.parse({ type: "shm", protocol: "ring", file: "ports.ring" }),
    CONTEXT,
  );
  assert.ok(socket && shared && ring);
  assert.deepEqual([socket["run_dir"], ring["file"]], [
    "/etc/portsync/run",
    "/etc/portsync/ports.ring",
  ]);
  for (const [definition, config] of [[uds, socket], [shm, shared]] as const) {
    const [library, folder, ...more] = definition.grants(config, CONTEXT);
    assert.deepEqual(library?.ffi, [CONTEXT.library]);
    assert.deepEqual(folder?.native, ["/etc/portsync/run/"]);
    assert.deepEqual(more, []);
  }
  const [all, ...more] = shm.grants(ring, CONTEXT);
  assert.deepEqual([all?.ffi, all?.native], [[CONTEXT.library], ["/etc/portsync/ports.ring"]]);
  assert.deepEqual(more, []);
});

Deno.test("a source whose settings name nothing is refused", async () => {
  const config = shmSchema.parse({ type: "shm", service: "ports" });
  const { service: _service, ...nameless } = config;
  const context = new Run().context();
  await assert.rejects(createShmSource(nameless, context), StopError);
  await assert.rejects(createShmSource({ ...config, protocol: "ring" }, context), StopError);
});

Deno.test("snapshots are read through shared memory, too", async () => {
  await using server = await startPeerServer(serviceName(), 3, Method.cgroupsSnapshot);
  const token = await Deno.makeTempFile({ dir: NATIVE_TEST_FOLDER });
  await Deno.writeTextFile(token, `${PEER_TOKEN}`);
  try {
    const { service } = server;
    const auth_token = `\${file:${token}}`;
    await using run = await runShm({ mode: "poll", service, auth_token });
    await eventually(() => run.batches.length === 2 ? undefined : "there is no dump");
    assert.deepEqual(run.changes.map(({ key }) => key), [
      "docker-abc123",
      "k8s-pod-xyz",
      "systemd-user",
    ]);
  } finally {
    await Deno.remove(token);
  }
});

Deno.test("changes are taken through shared memory, too", async () => {
  const service = serviceName();
  await using run = await runShm({ service });
  const options = { library, runDir: NATIVE_TEST_FOLDER, service, profile: "shm" } as const;
  await using producer = new ChangeProducer(options);
  assert.deepEqual(await producer.publish({ changes: [change(1)] }), [APPLIED]);
  assert.deepEqual(run.changes, [change(1)]);
});

Deno.test("a pipeline that stops does not wait for a snapshot", async () => {
  let isAsked = false;
  await using server = startServer({ authToken: 0n }, {
    method: Method.cgroupsSnapshot,
    handleLater() {
      isAsked = true;
      return new Promise(() => {});
    },
  });
  await using run = await runUds({ mode: "poll", service: server.service });
  await eventually(() => isAsked ? undefined : "it does not ask");
  run.stop();
  await run.ended();
  assert.deepEqual(run.batches, []);
});

Deno.test("a batch of nothing is answered with nothing, and troubles nobody", async () => {
  await using run = await runUds({});
  const options = { library, runDir: NATIVE_TEST_FOLDER, service: run.service };
  await using producer = new ChangeProducer(options);
  assert.deepEqual(await producer.publish({ changes: [] }), []);
  assert.deepEqual(await producer.publish({ changes: [change(1)] }), [APPLIED]);
  assert.deepEqual(run.changes, [change(1)]);
  // A batch that never was is nobody's.
  await run.source?.settle({ changes: [] }, []);
});

Deno.test("a client is turned away with its reason, also with one that has no words here", async () => {
  await using run = await runUds({});
  const isSaid = () => run.telemetry.messages("warn").some((line) => /errno 32$/.test(line));
  await eventually(async () => {
    // Gone before its HELLO is answered.
    await using peer = await startRawPeer(run.service, "connect");
    await peer.send(hello({ authToken: 0n }));
    await peer.hangUp();
    return isSaid() ? undefined : "it was answered in time";
  });
  assert.ok(run.counter("uds_refused_clients_total") > 0);
});

Deno.test("frames of nothing are given back to the producer, and a ring that is closed is empty", async () => {
  const file = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
  try {
    await using producer = new RingChangeProducer({ library, path: file });
    const run = await runShm({ protocol: "ring", file });
    await producer.publish({ changes: [] });
    await eventually(() => producer.stat().consumed === 1 ? undefined : "the frame remains");
    assert.deepEqual(run.batches, []);
    await run.source?.settle({ changes: [] }, []);
    assert.equal(run.gauge("ring_capacity_bytes"), 1 << 20);
    await run[Symbol.asyncDispose]();
    assert.deepEqual(["ring_capacity_bytes", "ring_used_bytes"].map((name) => run.gauge(name)), [
      0,
      0,
    ]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a pipeline that stops between two frames finds the second one the next time", async () => {
  const marked: Batch = { changes: [change(2)], mark: "lost" };
  for (
    const batches of [
      [{ changes: [change(1)] }, marked],
      [marked, { changes: [change(3)] }],
    ] satisfies Batch[][]
  ) {
    const file = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
    try {
      await using producer = new RingChangeProducer({ library, path: file });
      for (const batch of batches) await producer.publish(batch);
      for (const batch of batches) {
        const run = new Run();
        run.answer = ({ changes }) => {
          run.stop();
          return changes.map(() => APPLIED);
        };
        const config = shmSchema.parse({ type: "shm", protocol: "ring", file });
        await using _run = run.start(await createShmSource(config, run.context()));
        await run.ended();
        assert.deepEqual(run.batches, [batch]);
      }
      assert.equal(producer.stat().consumed, 2);
    } finally {
      await Deno.remove(file);
    }
  }
});

Deno.test("what is warned of again and again is said once in a while, with how often it was not", () => {
  const run = new Run();
  const reception = new Reception("uds", run.context());
  const { now } = performance;
  let time = 0;
  performance.now = () => time;
  try {
    for (const at of [1, 2, 3, 100_000]) {
      time = at;
      reception.warn("kind", "Trouble", { at });
    }
  } finally {
    performance.now = now;
  }
  assert.deepEqual(run.telemetry.lines.map(({ properties }) => properties), [
    { at: 1 },
    { at: 100_000, silenced: 2 },
  ]);
});

Deno.test("every change of a message has a receipt, also where a pipeline gave too few", () => {
  const received = { mark: undefined, count: 4, changes: [], faults: new Map([[1, "bad key"]]) };
  const receipts = receiptsFor(received, [APPLIED]);
  assert.deepEqual(
    receipts.map((receipt) =>
      receipt.outcome === "rejected" ? receipt.error.message : receipt.outcome
    ),
    ["applied", "bad key", "no receipt was given", "no receipt was given"],
  );
});
