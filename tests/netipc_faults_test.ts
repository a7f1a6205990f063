// Servers and clients of ours that are killed, that do not read, and that have no room.
import assert from "node:assert/strict";
import { HEADER_BYTES, Kind, Method, Status, writeHeader } from "../src/netipc/codec/header.ts";
import { decodeIncrement } from "../src/netipc/codec/increment.ts";
import { decodeString, encodeString } from "../src/netipc/codec/string_reverse.ts";
import type { Service } from "../src/netipc/server.ts";
import type { Session } from "../src/netipc/session.ts";
import { eventually } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER } from "./support/native.ts";
import { clientOf, readyClient, sessionOf, startServer } from "./support/netipc.ts";
import { inStoreOf, startNetipcProgram, withFiles } from "./support/netipc_program.ts";
import { canMakeNamespaces } from "./support/netns.ts";
import { runPeerClient, serviceName, spawnPeerClient, startPeerServer } from "./support/peers.ts";
import { stopProcess } from "./support/processes.ts";

/** Files of a service in a folder. */
function filesOf(service: string, folder = NATIVE_TEST_FOLDER): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.startsWith(`${service}.`) || name.startsWith(`${service}-`)).sort();
}

Deno.test("a server that was killed leaves nothing that keeps the next one from serving", async () => {
  const service = serviceName();
  await using socket = clientOf(service, { profile: "uds" });
  await using shared = clientOf(service, { profile: "shm" });
  await using foreign = {
    process: undefined as Deno.ChildProcess | undefined,
    async [Symbol.asyncDispose](): Promise<void> {
      await this.process?.output();
    },
  };
  {
    await using _first = await startNetipcProgram("server", { service });
    await Promise.all([socket.refresh(), shared.refresh()]);
    assert.deepEqual(await Promise.all([socket.increment(1n), shared.increment(1n)]), [2n, 2n]);
    foreign.process = await spawnPeerClient(service, 3, "increment", 100_000_000);
    await eventually(() => filesOf(service).length === 3 ? undefined : "there is no region");
  }
  // Killed, it could clear nothing away.
  assert.equal(filesOf(service).length, 3);
  {
    await using _second = await startNetipcProgram("server", { service });
    assert.deepEqual(filesOf(service), [`${service}.sock`]);
    // The calls find the new server by themselves.
    assert.deepEqual(await Promise.all([socket.increment(2n), shared.increment(2n)]), [3n, 3n]);
    assert.deepEqual([socket.shared, shared.shared], [false, true]);
    assert.equal(await runPeerClient(service, 1, "increment", 100), "PASS");
    assert.equal(await runPeerClient(service, 2, "increment", 100), "PASS");
  }
  await using _third = startServer({ service });
  assert.deepEqual(filesOf(service), [`${service}.sock`]);
});

for (const profile of ["uds", "shm"] as const) {
  Deno.test(`a client of ours over ${profile} that is killed is gone for our server`, async () => {
    await using server = startServer();
    await using other = await readyClient(server.service, { profile });
    for (let round = 0; round < 3; round++) {
      {
        await using _client = await startNetipcProgram("client", {
          service: server.service,
          profile,
        });
        assert.equal(server.status().sessions, 2);
      }
      await eventually(() => server.status().sessions === 1 ? undefined : "the session stays");
      assert.equal(filesOf(server.service).length, profile === "shm" ? 2 : 1);
      assert.equal(await other.increment(1n), 2n);
    }
    assert.equal(server.status().accepted, 4);
  });

  Deno.test(`a client of ours over ${profile} that is killed harms no foreign server`, async () => {
    await using server = await startPeerServer(serviceName(), 3, Method.increment);
    const { service } = server;
    await using other = await readyClient(service, { profile });
    {
      await using _client = await startNetipcProgram("client", { service, profile });
    }
    assert.equal(await other.increment(1n), 2n);
    await using next = await readyClient(service, { profile });
    assert.equal(await next.increment(1n), 2n);
  });

  Deno.test(`a foreign process over ${profile} that stands still holds up nobody, and goes on`, async () => {
    await using server = startServer({ maxRequestBytes: 65536, maxRequestItems: 64 });
    const { service } = server;
    const still = await spawnPeerClient(service, profile === "uds" ? 1 : 2, "increment", 50_000);
    await eventually(() => server.status().requests > 100 ? undefined : "it does not ask");
    await stopProcess(still.pid);
    for (const other of ["uds", "shm"] as const) {
      await using client = await readyClient(service, { profile: other });
      for (let i = 0n; i < 20n; i++) assert.equal(await client.increment(i), i + 1n);
    }
    await eventually(() => server.status().sessions === 1 ? undefined : "a session is lost");
    still.kill("SIGCONT");
    const { stdout } = await still.output();
    assert.equal(new TextDecoder().decode(stdout), "PASS\n");
  });

  Deno.test(`64 foreign processes are served over ${profile} at once`, async () => {
    await using server = startServer({ maxRequestBytes: 65536, maxRequestItems: 64 });
    const clients = await Promise.all(Array.from(
      { length: 64 },
      () => spawnPeerClient(server.service, profile === "uds" ? 1 : 2, "increment", 1000),
    ));
    const outputs = await Promise.all(clients.map((client) => client.output()));
    for (const { stdout, stderr } of outputs) {
      assert.equal(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr), "PASS\n");
    }
    const { requests, accepted, failures } = server.status();
    assert.deepEqual([requests, accepted, failures], [64 * 1000, 64, 0]);
    await eventually(() => server.status().sessions === 0 ? undefined : "sessions remain");
    assert.deepEqual(filesOf(server.service), [`${server.service}.sock`]);
  });
}

/** The text so often as there is room for. */
const LARGE = 200_000;
const AMPLIFY: Service = {
  method: Method.stringReverse,
  handle: (request, response) => {
    const text = decodeString(request);
    return encodeString(response, new Uint8Array(LARGE).fill(text[0] ?? 0));
  },
};

/** Sends a request for a string of `LARGE` times its only byte. */
function ask(session: Session, id: number, byte: number): Promise<void> {
  const length = encodeString(session.payload, Uint8Array.of(byte));
  writeHeader(session.out.view, 0, Kind.request, Method.stringReverse, length);
  session.out.view.setUint32(24, id, true);
  return session.send(HEADER_BYTES + length, performance.now() + 20_000, { aborted: false });
}

/** Takes the next response; its status, its id and its only byte. */
async function hear(session: Session): Promise<number[]> {
  const span = await session.receive(performance.now() + 20_000, { aborted: false });
  const { view, start, length } = span;
  const status = view.getUint16(start + 14, true);
  const id = view.getUint32(start + 24, true);
  if (status !== Status.ok) return [status, id];
  const text = decodeString({
    ...span,
    start: start + HEADER_BYTES,
    length: length - HEADER_BYTES,
  });
  assert.equal(text.length, LARGE);
  assert.ok(text.every((byte) => byte === text[0]));
  return [status, id, text[0] ?? 0];
}

Deno.test("a client that does not read holds up nobody, and misses nothing", async () => {
  await using server = startServer({ maxResponseBytes: 1 << 20 }, AMPLIFY);
  await using lazy = await sessionOf(server.service);
  // Far more than a socket holds.
  for (let id = 1; id <= 40; id++) await ask(lazy, id, id);
  for (const profile of ["uds", "shm"] as const) {
    await using client = await readyClient(server.service, { profile });
    for (let i = 0; i < 10; i++) assert.equal((await client.reverse("x")).length, LARGE);
  }
  for (let id = 1; id <= 40; id++) assert.deepEqual(await hear(lazy), [Status.ok, id, id]);
  // One that goes without reading leaves nothing behind.
  for (let id = 1; id <= 40; id++) await ask(lazy, id, id);
  await lazy.close();
  await eventually(() => server.status().sessions === 0 ? undefined : "the session stays");
});

Deno.test("a client that is to be hung up on still gets the answers before that", async () => {
  await using server = startServer({ maxResponseBytes: 1 << 20 }, AMPLIFY);
  await using lazy = await sessionOf(server.service);
  for (let id = 1; id <= 5; id++) await ask(lazy, id, id);
  // A string without its end is malformed: it is the last thing that this session may say.
  writeHeader(lazy.out.view, 0, Kind.request, Method.stringReverse, 8);
  lazy.out.view.setUint32(24, 6, true);
  await lazy.send(HEADER_BYTES + 8, performance.now() + 20_000, { aborted: false });
  await ask(lazy, 7, 7);
  for (let id = 1; id <= 5; id++) assert.deepEqual(await hear(lazy), [Status.ok, id, id]);
  assert.deepEqual(await hear(lazy), [Status.badEnvelope, 6]);
  await assert.rejects(hear(lazy), { fault: "closed" });
  assert.equal(server.status().failures, 1);
});

Deno.test("an answer that comes after its client has gone goes nowhere", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using server = startServer({}, {
    method: Method.increment,
    async handleLater(request) {
      const value = decodeIncrement(request);
      if (value > 0n) await released;
      if (value > 1n) throw new Error("Asked to fail");
      return new Uint8Array(8);
    },
  });
  let requests = 0;
  for (const profile of ["uds", "shm"] as const) {
    for (const value of [1n, 2n]) {
      const gone = await readyClient(server.service, { profile });
      const call = assert.rejects(gone.increment(value), { fault: "closed" });
      requests++;
      await eventually(() => server.status().requests === requests ? undefined : "it did not ask");
      await gone.close();
      await call;
      await eventually(() => server.status().sessions === 0 ? undefined : "the session stays");
    }
  }
  release();
  await using next = await readyClient(server.service);
  assert.equal(await next.increment(0n), 0n);
  assert.equal(server.status().failures, 2);
});

Deno.test({
  name: "with a full store the clients to come are served over their sockets",
  ignore: !canMakeNamespaces,
  async fn() {
    const service = serviceName();
    // A region takes 133 kB.
    const limits = { maxRequestBytes: 65536, maxResponseBytes: 65536, maxRequestItems: 64 };
    await using server = await startNetipcProgram(
      "server",
      { service, ...limits },
      inStoreOf(200_000),
    );
    const folder = `/proc/${server.process.pid}/root${NATIVE_TEST_FOLDER}`;
    const regions = () => filesOf(service, folder).length - 1;
    const first = await spawnPeerClient(service, 2, "increment", 100_000_000, folder);
    try {
      await eventually(() => regions() === 1 ? undefined : "there is no region");
      assert.equal(await runPeerClient(service, 3, "increment", 1000, folder), "PASS");
      assert.match(await runPeerClient(service, 2, "increment", 1, folder), /^refused with -1$/);
      assert.equal(regions(), 1);
    } finally {
      first.kill("SIGKILL");
      await first.output();
    }
    await eventually(() => regions() === 0 ? undefined : "the region stays");
    assert.equal(await runPeerClient(service, 2, "increment", 1000, folder), "PASS");
  },
});

Deno.test("a server without a free file serves those it has, and then those who wait", async () => {
  const service = serviceName();
  await using server = await startNetipcProgram("server", { service }, withFiles(48));
  const clients = await Promise.all(
    Array.from({ length: 64 }, () => spawnPeerClient(service, 1, "increment", 500)),
  );
  for (const { stdout, stderr } of await Promise.all(clients.map((client) => client.output()))) {
    assert.equal(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr), "PASS\n");
  }
  await server.stop();
  assert.deepEqual(filesOf(service), []);
});
