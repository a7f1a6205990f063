// The snapshot cache against a foreign server, and one whose snapshots are at fault.
import assert from "node:assert/strict";
import { SnapshotCache } from "../src/netipc/cache.ts";
import { SnapshotBuilder } from "../src/netipc/codec/cgroups_snapshot.ts";
import { Method } from "../src/netipc/codec/header.ts";
import { Server } from "../src/netipc/server.ts";
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
    assert.deepEqual(cache.status(), {
      ...{ populated: false, itemCount: 0, systemdEnabled: 0, generation: 0n, refreshedAt: 0 },
      ...{ successCount: 0, failureCount: 1, state: "not found" },
    });
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

Deno.test("a snapshot with one bad item changes nothing", async () => {
  const service = serviceName();
  let damage: number | undefined;
  await using server = new Server({ library, runDir, service }, {
    method: Method.cgroupsSnapshot,
    handle(_request, response) {
      const builder = new SnapshotBuilder(response, 2);
      for (const hash of [1, 2]) builder.add({ hash, options: 0, enabled: 1, name: "a", path: "" });
      const length = builder.finish({ systemdEnabled: 0, generation: 5n });
      // The second item says that its name begins in its header.
      if (damage !== undefined) response.view.setUint32(response.start + damage, 31, true);
      return length;
    },
  });
  void server.start();
  await using cache = new SnapshotCache({ library, runDir, service });
  assert.equal(await cache.refresh(), true);
  const before = cache.snapshot;
  damage = 24 + 16 + 40 + 16;
  assert.equal(await cache.refresh(), false);
  assert.equal(cache.snapshot, before);
  assert.equal(cache.lookup(2, "a")?.hash, 2);
  const { successCount, failureCount, state } = cache.status();
  assert.deepEqual([successCount, failureCount, state], [1, 1, "ready"]);
  damage = undefined;
  assert.equal(await cache.refresh(), true);
  assert.notEqual(cache.snapshot, before);
});

Deno.test("names that are no text are found by their bytes", async () => {
  const service = serviceName();
  const odd = Uint8Array.of(0x61, 0xff, 0xc3);
  await using server = new Server({ library, runDir, service }, {
    method: Method.cgroupsSnapshot,
    handle(_request, response) {
      const builder = new SnapshotBuilder(response);
      builder.add({ hash: 1, options: 0, enabled: 1, name: odd, path: "/odd" });
      return builder.finish({ systemdEnabled: 0, generation: 0n });
    },
  });
  void server.start();
  await using cache = new SnapshotCache({ library, runDir, service });
  await cache.refresh();
  const name = cache.snapshot?.items[0]?.name ?? "";
  assert.equal(name.isWellFormed(), false);
  assert.equal(cache.lookup(1, odd)?.path, "/odd");
  assert.equal(cache.lookup(1, name)?.path, "/odd");
  assert.equal(cache.lookup(1, odd.slice(0, 2)), undefined);
});

Deno.test("a refresh that cannot even begin says so, and the next one begins anew", async () => {
  const service = serviceName();
  await using cache = new SnapshotCache({ library: "/tmp/no-library.so", runDir, service });
  for (const failureCount of [1, 2]) {
    await assert.rejects(cache.refresh(), /no-library/);
    assert.equal(cache.status().failureCount, failureCount);
  }
});

Deno.test("a cache that is closed stays closed, whatever waits", async () => {
  await using server = await startPeerServer(serviceName(), 1, Method.cgroupsSnapshot);
  const { service } = server;
  const cache = new SnapshotCache({ library, runDir, service, authToken: PEER_TOKEN });
  const refreshes = Array.from({ length: 4 }, () => cache.refresh());
  await cache.close();
  await Promise.all(refreshes);
  assert.equal(await cache.refresh(), false);
  const { populated, state } = cache.status();
  assert.deepEqual([populated, state], [false, "disconnected"]);
});
