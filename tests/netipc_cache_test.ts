// The snapshot cache against a foreign server, and sessions with many requests on their way.
import assert from "node:assert/strict";
import { SnapshotCache } from "../src/netipc/cache.ts";
import { SnapshotBuilder } from "../src/netipc/codec/cgroups_snapshot.ts";
import { HEADER_BYTES, Kind, Method, writeHeader } from "../src/netipc/codec/header.ts";
import { decodeIncrement } from "../src/netipc/codec/increment.ts";
import { Server } from "../src/netipc/server.ts";
import { connectSession } from "../src/netipc/session.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "./support/native.ts";
import { PEER_TOKEN, serviceName, startPeerServer } from "./support/peers.ts";

const library = await nativeLibrary();
const runDir = NATIVE_TEST_FOLDER;

for (const profile of ["uds", "shm"] as const) {
  Deno.test(`a cache over ${profile} keeps its snapshot while the service is away`, async () => {
    const service = serviceName();
    await using cache = new SnapshotCache({
      library,
      runDir,
      service,
      authToken: PEER_TOKEN,
      profile,
    });
    assert.equal(await cache.refresh(), false);
    assert.equal(cache.ready, false);
    assert.equal(cache.lookup(1001, "docker-abc123"), undefined);
    {
      await using _server = await startPeerServer(service, 3, Method.cgroupsSnapshot);
      assert.deepEqual(await Promise.all([cache.refresh(), cache.refresh()]), [true, true]);
    }
    const before = cache.snapshot;
    assert.equal(await cache.refresh(), false);
    assert.equal(cache.snapshot, before);
    assert.equal(cache.lookup(1001, "docker-abc123")?.path, "/sys/fs/cgroup/docker/abc123");
    assert.equal(cache.lookup(1001, new TextEncoder().encode("docker-abc123"))?.enabled, 1);
    assert.equal(cache.lookup(1002, "docker-abc123"), undefined);
    assert.equal(cache.lookup(1001, "docker"), undefined);
    const { refreshedAt, ...status } = cache.status();
    assert.ok(refreshedAt > 0);
    assert.deepEqual(status, {
      ...{ populated: true, itemCount: 3, systemdEnabled: 1, generation: 42n },
      ...{ successCount: 2, failureCount: 2, state: "broken" },
    });
    await using _again = await startPeerServer(service, 3, Method.cgroupsSnapshot);
    assert.equal(await cache.refresh(), true);
    await cache.close();
    assert.equal(cache.ready, false);
  });
}

Deno.test("items of one name are told apart by their hashes, and the first of two equals wins", async () => {
  const service = serviceName();
  let generation = 0n;
  await using server = new Server({ library, runDir, service }, {
    method: Method.cgroupsSnapshot,
    handle(_request, response) {
      const builder = new SnapshotBuilder(response);
      const add = (hash: number, name: string, path: string) =>
        builder.add({ hash, options: 0, enabled: 1, name, path });
      if (generation > 0n) return builder.finish({ systemdEnabled: 0, generation });
      add(1, "a", "/first");
      add(1, "a", "/second");
      add(2, "a", "/third");
      add(2, "a", "/fourth");
      add(1, "b", "/fifth");
      return builder.finish({ systemdEnabled: 0, generation });
    },
  });
  void server.start();
  await using cache = new SnapshotCache({ library, runDir, service });
  await cache.refresh();
  const paths = ([[1, "a"], [2, "a"], [1, "b"], [3, "a"]] as const)
    .map(([hash, name]) => cache.lookup(hash, name)?.path);
  assert.deepEqual(paths, ["/first", "/third", "/fifth", undefined]);
  // An empty snapshot is one, too.
  generation = 1n;
  await cache.refresh();
  assert.equal(cache.ready, true);
  assert.equal(cache.lookup(1, "a"), undefined);
});

Deno.test("a session over the socket may have many requests on their way", async () => {
  await using server = await startPeerServer(serviceName(), 1, Method.increment);
  await using session = await connectSession({
    ...{ library, runDir, service: server.service, profiles: 1, authToken: PEER_TOKEN },
    ...{ maxRequestBytes: 1024, maxRequestItems: 1, maxResponseBytes: 1024, handshakeMs: 5000 },
  }, { aborted: false });
  const deadline = performance.now() + 20_000;
  const send = (id: number) => {
    writeHeader(session.out.view, 0, Kind.request, Method.increment, 8);
    session.out.view.setUint32(24, id, true);
    session.out.view.setBigUint64(HEADER_BYTES, BigInt(id), true);
    return session.send(HEADER_BYTES + 8, deadline, { aborted: false });
  };
  const receive = async (id: number) => {
    const span = await session.receive(deadline, { aborted: false });
    assert.equal(span.view.getUint32(span.start + 24, true), id);
    const payload = { ...span, start: span.start + HEADER_BYTES, length: 8 };
    assert.equal(decodeIncrement(payload), BigInt(id) + 1n);
  };
  for (const depth of [16, 200]) {
    for (let id = 1; id <= 2000 + depth; id++) {
      if (id > depth) await receive(id - depth);
      if (id <= 2000) await send(id);
    }
  }
  for (let id = 1; id <= 200; id++) await send(id);
  await assert.rejects(send(201), { fault: "overflow" });
  for (let id = 1; id <= 200; id++) await receive(id);
});
