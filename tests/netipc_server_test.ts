// Our server against clients that share no line with it, and against itself.
import assert from "node:assert/strict";
import { Client } from "../src/netipc/client.ts";
import { AppsLookupBuilder, AppsRequestView, AppStatus } from "../src/netipc/codec/apps_lookup.ts";
import { CgroupsLookupBuilder, CgroupsRequestView } from "../src/netipc/codec/cgroups_lookup.ts";
import { decodeSnapshotRequest, SnapshotBuilder } from "../src/netipc/codec/cgroups_snapshot.ts";
import { HEADER_BYTES, Kind, Method, writeHeader } from "../src/netipc/codec/header.ts";
import {
  decodeIncrement,
  decodeIncrements,
  encodeIncrement,
  encodeIncrements,
} from "../src/netipc/codec/increment.ts";
import { decodeText, type Span, spanOf } from "../src/netipc/codec/span.ts";
import { decodeString, encodeString } from "../src/netipc/codec/string_reverse.ts";
import { NetipcError } from "../src/netipc/errors.ts";
import { Server, type ServerOptions, type Service } from "../src/netipc/server.ts";
import { connectSession } from "../src/netipc/session.ts";
import { eventually } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "./support/native.ts";
import {
  PEER_FAIL,
  PEER_TOKEN,
  runPeerClient,
  serviceName,
  spawnPeerClient,
} from "./support/peers.ts";

const library = await nativeLibrary();

function increment(request: Span, response: Span): number {
  const value = decodeIncrement(request);
  if (value === PEER_FAIL) throw new Error("Asked to fail");
  return encodeIncrement(response, value + 1n);
}

/** What the peers' own server would say, method by method. */
const SERVICES: Readonly<Record<number, Service>> = {
  [Method.increment]: { method: Method.increment, handle: increment },
  [Method.stringReverse]: {
    method: Method.stringReverse,
    handle: (request, response) => encodeString(response, decodeString(request).toReversed()),
  },
  [Method.cgroupsSnapshot]: {
    method: Method.cgroupsSnapshot,
    handle(request, response) {
      decodeSnapshotRequest(request);
      const builder = new SnapshotBuilder(response);
      const add = (hash: number, enabled: number, name: string, path: string) =>
        builder.add({ hash, options: 0, enabled, name, path: `/sys/fs/cgroup/${path}` });
      add(1001, 1, "docker-abc123", "docker/abc123");
      add(2002, 1, "k8s-pod-xyz", "kubepods/xyz");
      add(3003, 0, "systemd-user", "user.slice/user-1000");
      return builder.finish({ systemdEnabled: 1, generation: 42n });
    },
  },
  [Method.cgroupsLookup]: {
    method: Method.cgroupsLookup,
    handle(request, response) {
      const paths = new CgroupsRequestView(request).materialize();
      const builder = new CgroupsLookupBuilder(response, paths);
      for (const path of paths) {
        const status = path.startsWith("/retry") ? 1 : path.startsWith("/never") ? 2 : 0;
        const name = path.startsWith("/large") ? "n".repeat(3000) : "ok";
        builder.add({ status, orchestrator: 3, name, labels: [{ key: "path", value: path }] });
      }
      return builder.finish(7n);
    },
  },
  [Method.appsLookup]: {
    method: Method.appsLookup,
    handle(request, response) {
      const pids = new AppsRequestView(request).materialize();
      const builder = new AppsLookupBuilder(response, pids);
      for (const pid of pids) {
        builder.add(
          pid % 2 === 1 ? { status: AppStatus.unknown } : {
            ...{ status: AppStatus.known, orchestrator: 2, ppid: 1, uid: 1000, starttime: 42n },
            ...{ comm: "ok", cgroupPath: "/ok", cgroupName: "name" },
          },
        );
      }
      return builder.finish(9n);
    },
  },
};

function start(method: number, options: Partial<ServerOptions> = {}): Server & { service: string } {
  const service = serviceName();
  const server = new Server({
    ...{ library, runDir: NATIVE_TEST_FOLDER, service, authToken: PEER_TOKEN },
    ...{ maxRequestItems: 4096 },
    ...options,
  }, SERVICES[method] ?? { method, handle: () => 0 });
  server.start().catch((error) => console.error(error));
  return Object.assign(server, { service });
}

const MODES: readonly [mode: string, count: number, method: number][] = [
  ["increment", 500, Method.increment],
  ["pipeline", 500, Method.increment],
  ["batch", 1, Method.increment],
  ["batch", 60, Method.increment],
  ["refusals", 1, Method.increment],
  ["reverse", 0, Method.stringReverse],
  ["reverse", 70_000, Method.stringReverse],
  ["reverse", 1_000_000, Method.stringReverse],
  ["snapshot", 10, Method.cgroupsSnapshot],
  ["cgroups", 13, Method.cgroupsLookup],
  ["cgroups", 200, Method.cgroupsLookup],
  ["apps", 500, Method.appsLookup],
];

for (const [profiles, name] of [[1, "the socket"], [2, "shared memory"], [3, "either"]] as const) {
  Deno.test(`a foreign client over ${name} calls every method of our server`, async (t) => {
    for (const [mode, count, method] of MODES) {
      if (mode === "pipeline" && profiles !== 1) continue;
      await t.step(`${mode} ${count}`, async () => {
        await using server = start(method, { maxResponseBytes: 1 << 20 });
        assert.equal(await runPeerClient(server.service, profiles, mode, count), "PASS");
      });
    }
  });
}

for (const profile of ["uds", "shm"] as const) {
  Deno.test(`64 clients over ${profile} are served side by side, and the next is turned away`, async () => {
    const refused: number[] = [];
    await using server = start(Method.increment, {
      ...{ maxSessions: 64, maxRequestBytes: 65536, maxRequestItems: 64 },
      onRefused: (_, status) => refused.push(status),
    });
    const { service } = server;
    const options = { library, runDir: NATIVE_TEST_FOLDER, service, authToken: PEER_TOKEN };
    const clients = Array.from({ length: 64 }, () => new Client({ ...options, profile }));
    try {
      await Promise.all(clients.map((client) => client.refresh()));
      assert.equal(server.status().sessions, 64);
      const last = await runPeerClient(service, profile === "uds" ? 1 : 2, "increment");
      assert.match(last, /refused|hung up/);
      assert.deepEqual(refused, [-87]);
      for (let round = 1n; round <= 20n; round++) {
        const answers = await Promise.all(clients.map((client) => client.increment(round)));
        assert.ok(answers.every((answer) => answer === round + 1n));
      }
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
    await eventually(() => server.status().sessions === 0 ? undefined : "sessions remain");
    assert.equal(await runPeerClient(service, 1, "increment"), "PASS");
  });
}

Deno.test("clients over shared memory and over the socket are served by one server", async () => {
  await using server = start(Method.increment);
  const clients = await Promise.all(
    [1, 2, 1, 2, 3].map((profiles) => spawnPeerClient(server.service, profiles, "increment", 2000)),
  );
  for (const { stdout } of await Promise.all(clients.map((client) => client.output()))) {
    assert.equal(new TextDecoder().decode(stdout), "PASS\n");
  }
  assert.equal(server.status().requests, 10_000);
});

Deno.test("a client that goes away in the middle of everything harms nobody", async () => {
  await using server = start(Method.increment);
  for (const profiles of [1, 2]) {
    const client = await spawnPeerClient(server.service, profiles, "increment", 1_000_000);
    await eventually(() => server.status().requests > 0 ? undefined : "no request came");
    client.kill("SIGKILL");
    await client.output();
    await eventually(() => server.status().sessions === 0 ? undefined : "the session stays");
  }
  for (let i = 0; i < 5; i++) await runPeerClient(server.service, 1, "leave", 50);
  await eventually(() => server.status().sessions === 0 ? undefined : "the session stays");
  const left = [...Deno.readDirSync(NATIVE_TEST_FOLDER)]
    .filter(({ name }) => name.startsWith(`${server.service}-`));
  assert.deepEqual(left, []);
});

Deno.test("answers may come later, in any order, and a slow one holds up no other session", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const service = serviceName();
  await using server = new Server({ library, runDir: NATIVE_TEST_FOLDER, service }, {
    method: Method.increment,
    async handleLater(request) {
      const value = decodeIncrement(request);
      if (value === 1n) await released;
      if (value === 666n) throw new Error("Asked to fail");
      const response = spanOf(new Uint8Array(8));
      encodeIncrement(response, value + 1n);
      return response.bytes;
    },
  });
  void server.start();
  for (const profile of ["uds", "shm"] as const) {
    const options = { library, runDir: NATIVE_TEST_FOLDER, service, profile };
    await using slow = new Client({ ...options, maxRequestItems: 4 });
    await using fast = new Client(options);
    await Promise.all([slow.refresh(), fast.refresh()]);
    const waiting = slow.increment(1n);
    assert.equal(await fast.increment(5n), 6n);
    release();
    assert.equal(await waiting, 2n);
    const items = [7, 8, 9].map((low) => Uint8Array.of(low, 0, 0, 0, 0, 0, 0, 0));
    const answers = await slow.batch(Method.increment, items);
    assert.deepEqual(answers.map(([low]) => low), [8, 9, 10]);
    await assert.rejects(fast.increment(666n), { fault: "failed", status: 6 });
  }
});

Deno.test("a service may answer whole batches, and single requests one by one", async () => {
  const service = serviceName();
  await using server = new Server({ library, runDir: NATIVE_TEST_FOLDER, service }, {
    method: Method.increment,
    handle: increment,
    handleBatch(request, items, response) {
      const values = decodeIncrements(request, items);
      if (values.includes(PEER_FAIL)) throw new Error("Asked to fail");
      return encodeIncrements(response, values.map((value) => value + 100n));
    },
  });
  void server.start();
  const options = { library, runDir: NATIVE_TEST_FOLDER, service };
  for (const profile of ["uds", "shm"] as const) {
    await using client = new Client({ ...options, profile, maxRequestItems: 4 });
    await client.refresh();
    assert.deepEqual(
      await client.increments(BigUint64Array.of(1n, 2n, 3n)),
      BigUint64Array.of(101n, 102n, 103n),
    );
    assert.equal(await client.increment(1n), 2n);
    const failing = client.increments(BigUint64Array.of(1n, PEER_FAIL));
    await assert.rejects(failing, { fault: "failed", status: 6 });
  }
});

Deno.test("a client that asks faster than it is answered is not read without end", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const service = serviceName();
  let bytes = 0;
  await using server = new Server({ library, runDir: NATIVE_TEST_FOLDER, service }, {
    method: Method.stringReverse,
    async handleLater(request) {
      bytes += request.length;
      await released;
      return new Uint8Array();
    },
  });
  void server.start();
  for (const [size, most] of [[8, 200], [300_000, 70]] as const) {
    bytes = 0;
    await using session = await connectSession({
      ...{ library, runDir: NATIVE_TEST_FOLDER, service, profiles: 1, authToken: 0n },
      ...{ maxRequestBytes: 1 << 20, maxRequestItems: 1, maxResponseBytes: 1024 },
      handshakeMs: 5000,
    }, { aborted: false });
    let sent = 0;
    await assert.rejects(async () => {
      for (;; sent++) {
        writeHeader(session.out.view, 0, Kind.request, Method.stringReverse, size);
        session.out.view.setUint32(24, sent, true);
        await session.send(HEADER_BYTES + size, performance.now() + 500, { aborted: false });
      }
    }, (error) => error instanceof NetipcError && ["timeout", "overflow"].includes(error.fault));
    assert.ok(bytes / size <= most, `${bytes / size} requests were read`);
    assert.ok(bytes < 22 << 20);
  }
  release();
});

Deno.test("a response that is too long is refused, and the next sessions may have longer ones", async () => {
  const service = serviceName();
  await using server = new Server({ library, runDir: NATIVE_TEST_FOLDER, service }, {
    method: Method.stringReverse,
    handle: (request, response) =>
      encodeString(response, decodeText(decodeString(request)).repeat(1000)),
  });
  void server.start();
  const options = { library, runDir: NATIVE_TEST_FOLDER, service, maxRequestBytes: 2048 };
  await using client = new Client(options);
  await client.refresh();
  assert.equal((await client.reverse("x".repeat(500))).length, 500_000);
  assert.equal(client.status().reconnectCount, 3);
  await assert.rejects(client.reverse("x".repeat(1100)), { fault: "overflow" });
});

Deno.test("only those may come in who are allowed to", async () => {
  const peers: number[] = [];
  await using server = start(Method.increment, {
    allow: ({ uid, pid }) => {
      peers.push(pid);
      return uid !== Deno.uid();
    },
  });
  assert.equal(await runPeerClient(server.service, 1, "increment"), "refused with 2");
  assert.equal(peers.length, 1);
  assert.equal(server.status().refused, 1);
});

Deno.test("a second server of the same name is refused, and one after a crash is not", async () => {
  await using server = start(Method.increment);
  const options = { library, runDir: NATIVE_TEST_FOLDER, service: server.service };
  const second = new Server(options, { method: 1, handle: () => 0 });
  assert.throws(() => void second.start(), /in use|listens there/);
  await second.close();
  await assert.rejects(async () => {
    await using bad = new Server({ ...options, service: "a/b" }, { method: 1, handle: () => 0 });
    await bad.start();
  }, /no name/);
});
