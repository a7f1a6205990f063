// Our client against servers that share no line with it.
import assert from "node:assert/strict";
import { Client, type ClientOptions } from "../src/netipc/client.ts";
import { Method } from "../src/netipc/codec/header.ts";
import { decodeIncrement, encodeIncrement } from "../src/netipc/codec/increment.ts";
import type { Span } from "../src/netipc/codec/span.ts";
import { NetipcError, type NetipcFault } from "../src/netipc/errors.ts";
import { lookupApps, lookupCgroups } from "../src/netipc/lookups.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "./support/native.ts";
import {
  PEER_CRASH,
  PEER_FAIL,
  PEER_TOKEN,
  type PeerServer,
  serviceName,
  startPeerServer,
} from "./support/peers.ts";
import { stopProcess } from "./support/processes.ts";

const library = await nativeLibrary();

function encodeSeven(target: Span): number {
  return encodeIncrement(target, 7n);
}

function clientOf(service: string, options: Partial<ClientOptions> = {}): Client {
  const runDir = NATIVE_TEST_FOLDER;
  return new Client({ library, runDir, service, authToken: PEER_TOKEN, ...options });
}

function fails(fault: NetipcFault, call: Promise<unknown>): Promise<void> {
  return assert.rejects(call, (error) => {
    assert.ok(error instanceof NetipcError, String(error));
    assert.equal(error.fault, fault, error.message);
    return true;
  });
}

for (const profile of ["uds", "shm", "auto"] as const) {
  Deno.test(`a client over ${profile} calls every method of a foreign server`, async (t) => {
    const withServer = async (
      method: number,
      use: (client: Client, server: PeerServer) => Promise<void>,
      options: Partial<ClientOptions> = {},
    ) => {
      await using server = await startPeerServer(serviceName(), 3, method, 1 << 20);
      await using client = clientOf(server.service, { profile, ...options });
      assert.equal(await client.refresh(), true);
      assert.equal(client.state, "ready");
      assert.equal(client.shared, profile !== "uds");
      await use(client, server);
    };
    await t.step("increment", () =>
      withServer(Method.increment, async (client) => {
        for (let i = 0n; i < 500n; i++) assert.equal(await client.increment(i), i + 1n);
        assert.equal(client.status().callCount, 500);
        const call = { method: Method.increment, write: encodeSeven, read: decodeIncrement };
        // Sooner or later an answer comes within the moment that it is waited for.
        let answer: bigint | Promise<bigint> | undefined;
        while (typeof answer !== "bigint") {
          answer = client.ask(call);
          assert.equal(await answer, 8n);
        }
        assert.throws(() => client.ask({ ...call, items: 2 }), { fault: "overflow" });
      }));
    await t.step("batches", () =>
      withServer(Method.increment, async (client) => {
        for (const count of [1, 2, 64]) {
          const items = Array.from({ length: count }, (_, i) =>
            Uint8Array.of(i, 0, 0, 0, 0, 0, 0, 0));
          const answers = await client.batch(Method.increment, items);
          assert.deepEqual(
            answers.map(([low]) =>
              low
            ),
            items.map((_, i) => i + 1),
          );
        }
        const many = Array.from({ length: 65 }, () => new Uint8Array(8));
        await fails("overflow", client.batch(Method.increment, many));
        for (const count of [1, 64]) {
          const values = BigUint64Array.from({ length: count }, (_, i) => BigInt(i));
          assert.deepEqual(await client.increments(values), values.map((value) => value + 1n));
        }
        await fails("overflow", client.increments(new BigUint64Array(65)));
        const same = BigUint64Array.of(4n, 9n);
        assert.equal(await client.increments(same, same), same);
        assert.deepEqual(same, BigUint64Array.of(5n, 10n));
        await assert.rejects(client.increments(same, new BigUint64Array(1)), RangeError);
        assert.equal(await client.increment(1n), 2n);
      }, { maxRequestItems: 64, maxRequestBytes: 65536 }));
    await t.step(
      "strings of any length, for which the limits grow",
      () =>
        withServer(Method.stringReverse, async (client) => {
          for (const length of [0, 1, 1000, 1015, 1016, 70_000, 1_000_000]) {
            const text = Uint8Array.from({ length }, (_, i) => i % 255 + 1);
            assert.deepEqual(await client.reverse(text), text.toReversed());
          }
          await fails("overflow", client.reverse("x".repeat(1 << 20)));
          assert.equal(client.state, "broken");
        }),
    );
    await t.step("snapshots", () =>
      withServer(Method.cgroupsSnapshot, async (client) => {
        const snapshot = (await client.snapshot()).materialize();
        assert.equal(snapshot.generation, 42n);
        assert.deepEqual(snapshot.items.map(({ name }) => name), [
          "docker-abc123",
          "k8s-pod-xyz",
          "systemd-user",
        ]);
      }));
    await t.step(
      "lookups of more than one request holds",
      () =>
        withServer(Method.cgroupsLookup, async (client) => {
          const paths = Array.from(
            { length: 300 },
            (_, i) => `${["", "/retry", "/never"][i % 3]}/${i}`,
          );
          const view = await lookupCgroups(client, paths);
          assert.deepEqual(view.materialize().map(({ path }) => path), paths);
          assert.deepEqual(
            view.materialize().map(({ status }) => status),
            paths.map((_, i) => i % 3),
          );
          assert.equal((await lookupCgroups(client, [])).count, 0);
          const long = `/${"x".repeat(3000)}`;
          const mixed = (await lookupCgroups(client, ["/a", long, "/b"])).materialize();
          assert.deepEqual(mixed.map(({ status, path }) => [status, path.length]), [[0, 2], [
            4,
            3001,
          ], [0, 2]]);
        }),
    );
    await t.step("lookups of processes", () =>
      withServer(Method.appsLookup, async (client) => {
        const pids = Array.from({ length: 1000 }, (_, i) => i + 1);
        const view = await lookupApps(client, pids);
        assert.equal(view.generation, 9n);
        assert.deepEqual(
          view.materialize().map(({ pid, status }) => [pid, status]),
          pids.map((pid) => [pid, pid % 2]),
        );
      }));
  });
}

Deno.test("answers that do not fit are asked for again", async () => {
  await using server = await startPeerServer(serviceName(), 3, Method.cgroupsLookup, 2048);
  for (const profile of ["uds", "shm"] as const) {
    await using client = clientOf(server.service, { profile, maxRequestBytes: 512 });
    await client.refresh();
    const paths = Array.from({ length: 100 }, (_, i) => i === 50 ? "/large" : `/cg/${i}`);
    const items = (await lookupCgroups(client, paths)).materialize();
    assert.deepEqual(items.map(({ path }) => path), paths);
    assert.deepEqual(items.map(({ status }) => status), paths.map((_, i) => i === 50 ? 4 : 0));
    assert.ok(client.status().callCount > 5);
  }
});

Deno.test("a client says why it cannot connect, and whether trying again can help", async () => {
  const service = serviceName();
  await using absent = clientOf(service);
  await absent.refresh();
  assert.equal(absent.state, "not found");
  await fails("not ready", absent.increment(1n));
  await using server = await startPeerServer(service, 1, Method.increment);
  assert.equal(await absent.refresh(), true);
  assert.equal(absent.state, "ready");
  assert.equal(await absent.refresh(), false);

  await using wrong = clientOf(server.service, { authToken: 1n });
  await wrong.refresh();
  assert.equal(wrong.state, "auth failed");
  assert.equal(await wrong.refresh(), false);

  await using foreign = clientOf(server.service, { profile: "shm" });
  await foreign.refresh();
  assert.equal(foreign.state, "incompatible");

  await using immense = clientOf(server.service, { maxRequestBytes: (1 << 20) + 1 });
  await immense.refresh();
  assert.equal(immense.state, "disconnected");
  const { connectCount, errorCount } = absent.status();
  assert.deepEqual([connectCount, errorCount], [1, 1]);
});

Deno.test("a call that the server fails is tried once more, then the client is broken", async () => {
  await using server = await startPeerServer(serviceName(), 3, Method.increment);
  for (const profile of ["uds", "shm"] as const) {
    await using client = clientOf(server.service, { profile });
    await client.refresh();
    await assert.rejects(client.increment(PEER_FAIL), { fault: "failed", status: 6 });
    assert.equal(client.state, "broken");
    await fails("not ready", client.increment(1n));
    await client.refresh();
    assert.equal(await client.increment(1n), 2n);
    await assert.rejects(client.reverse("abc"), { fault: "failed", status: 4 });
    assert.equal(client.status().errorCount, 3);
  }
});

Deno.test("a client gets over a server that was restarted", async () => {
  const service = serviceName();
  for (const profile of ["uds", "shm"] as const) {
    await using client = clientOf(service, { profile });
    {
      await using _server = await startPeerServer(service, 3, Method.increment);
      await client.refresh();
      assert.equal(await client.increment(1n), 2n);
    }
    await using _again = await startPeerServer(service, 3, Method.increment);
    assert.equal(await client.increment(2n), 3n);
    assert.equal(client.status().reconnectCount, 1);
  }
});

Deno.test("a server that dies under a call ends it at once, long before its timeout", async () => {
  for (const profile of ["uds", "shm"] as const) {
    await using server = await startPeerServer(serviceName(), 3, Method.increment);
    await using client = clientOf(server.service, { profile });
    await client.refresh();
    const before = performance.now();
    await fails("closed", client.increment(PEER_CRASH));
    assert.ok(performance.now() - before < 5000);
    assert.equal(client.state, "broken");
    await client.refresh();
    assert.equal(client.state, "not found");
  }
});

Deno.test("a call can be given up, and has its time", async () => {
  await using server = await startPeerServer(serviceName(), 3, Method.increment);
  for (const profile of ["uds", "shm"] as const) {
    await using client = clientOf(server.service, { profile });
    await client.refresh();
    await stopProcess(server.process.pid);
    try {
      await fails("timeout", client.increment(1n, { timeoutMs: 50 }));
      assert.equal(client.state, "broken");
    } finally {
      server.process.kill("SIGCONT");
    }
    await client.refresh();
    await stopProcess(server.process.pid);
    try {
      const abort = new AbortController();
      const call = client.increment(1n, { signal: abort.signal });
      await assert.rejects(client.increment(1n), /one call at a time/);
      setTimeout(() => abort.abort(), 20);
      await fails("aborted", call);
    } finally {
      server.process.kill("SIGCONT");
    }
    await client.refresh();
    client.abort();
    await fails("aborted", client.increment(1n));
    client.clearAbort();
    await client.refresh();
    assert.equal(await client.increment(1n), 2n);
    await stopProcess(server.process.pid);
    const closed = fails("closed", client.increment(1n));
    await client.close();
    await closed;
    server.process.kill("SIGCONT");
    assert.equal(client.state, "disconnected");
  }
});
