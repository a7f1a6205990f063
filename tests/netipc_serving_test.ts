// How our server begins, ends, and keeps what it owes.
import assert from "node:assert/strict";
import { HEADER_BYTES, Kind, Method, Status, writeHeader } from "../src/netipc/codec/header.ts";
import { decodeIncrement, encodeIncrement } from "../src/netipc/codec/increment.ts";
import { spanOf } from "../src/netipc/codec/span.ts";
import { encodeString } from "../src/netipc/codec/string_reverse.ts";
import type { Service } from "../src/netipc/server.ts";
import { eventually, pause } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER } from "./support/native.ts";
import { clientOf, fails, INCREMENT, readyClient, sessionOf } from "./support/netipc.ts";
import { startServer } from "./support/netipc.ts";
import { PEER_FAIL } from "./support/peers.ts";
import { hello, packet, startRawPeer } from "./support/raw_peer.ts";

const EIGHT = new Uint8Array(8);
const never = { aborted: false };

/** An increment whose answers come when they are let go. */
function gated(): { readonly service: Service; readonly gates: (() => void)[] } {
  const gates: (() => void)[] = [];
  return {
    gates,
    service: {
      method: Method.increment,
      async handleLater(request) {
        const value = decodeIncrement(request);
        await new Promise<void>((resolve) => gates.push(resolve));
        if (value === PEER_FAIL) throw new Error("Asked to fail");
        const response = spanOf(new Uint8Array(8));
        encodeIncrement(response, value + 1n);
        return response.bytes;
      },
    },
  };
}

Deno.test("a server that is started twice serves once, until it is closed", async () => {
  const server = startServer();
  const serving = server.start();
  assert.equal(server.start(), serving);
  const socket = `${NATIVE_TEST_FOLDER}/${server.service}.sock`;
  assert.equal((await Deno.stat(socket)).mode, 0o140600);
  await using uds = await readyClient(server.service, { profile: "uds" });
  await using shm = await readyClient(server.service, { profile: "shm" });
  await server.close();
  await serving;
  await assert.rejects(Deno.stat(socket), Deno.errors.NotFound);
  for (const client of [uds, shm]) {
    await fails("closed", client.increment(1n));
    assert.equal(client.state, "broken");
    await client.refresh();
    assert.equal(client.state, "not found");
  }
  const left = [...Deno.readDirSync(NATIVE_TEST_FOLDER)].map(({ name }) => name);
  assert.deepEqual(left.filter((name) => name.startsWith(server.service)), []);
});

Deno.test("a server that drains answers what came before, and takes nobody else", async () => {
  for (const profile of ["uds", "shm"] as const) {
    const { service, gates } = gated();
    const server = startServer({}, service);
    await using client = await readyClient(server.service, { profile });
    await using second = await readyClient(server.service, { profile });
    const call = client.increment(41n);
    await eventually(() => gates.length === 1 ? undefined : "the request did not come");
    const drained = server.drain(20_000);
    await using late = clientOf(server.service);
    await late.refresh();
    assert.equal(late.state, "disconnected");
    const unheard = assert.rejects(second.increment(1n), { fault: "closed" });
    await pause(50);
    gates[0]?.();
    assert.equal(await call, 42n);
    await drained;
    await unheard;
    assert.equal(gates.length, 1);
  }
});

Deno.test("a server does not drain for longer than it may", async () => {
  const { service, gates } = gated();
  const server = startServer({}, service);
  await using client = await readyClient(server.service);
  const call = fails("closed", client.increment(41n));
  await eventually(() => gates.length === 1 ? undefined : "the request did not come");
  await server.drain(30);
  await call;
  gates[0]?.();
});

Deno.test("a server drains what a client is slow to take", async () => {
  const server = startServer({ maxResponseBytes: 1 << 20 }, {
    method: Method.increment,
    handle: (_request, response) => encodeString(response, new Uint8Array(900_000)),
  });
  await using session = await sessionOf(server.service);
  const { view } = session.out;
  writeHeader(view, 0, Kind.request, Method.increment, 8);
  await session.send(HEADER_BYTES + 8, performance.now() + 20_000, never);
  await eventually(() => server.status().requests === 1 ? undefined : "no request came");
  const drained = server.drain(20_000);
  const { length } = await session.receive(performance.now() + 20_000, never);
  assert.equal(length, 900_009 + HEADER_BYTES);
  await drained;
});

Deno.test("a handler that throws fails its request, and ends its session alone", async () => {
  const { service, gates } = gated();
  for (const what of [INCREMENT, service]) {
    await using server = startServer({}, what);
    await using other = await readyClient(server.service);
    await using peer = await startRawPeer(server.service, "connect");
    await peer.send(hello());
    await peer.packet();
    const value = new Uint8Array(8);
    new DataView(value.buffer).setBigUint64(0, PEER_FAIL, true);
    const release = setInterval(() => gates.pop()?.(), 5);
    try {
      await peer.send(packet({ messageId: 9n, itemCount: 3 }, value));
      assert.deepEqual(
        await peer.packet(),
        packet({ kind: 2, messageId: 9n, status: Status.internalError }),
      );
      assert.equal(await peer.next(), "end");
      assert.equal(await other.increment(1n), 2n);
    } finally {
      clearInterval(release);
    }
    assert.equal(server.status().failures, 1);
  }
});

Deno.test("what came behind a request that ends its session is not looked at", async () => {
  const values: bigint[] = [];
  await using server = startServer({}, {
    method: Method.increment,
    handle(request, response) {
      const value = decodeIncrement(request);
      values.push(value);
      // The rest of them is there by then.
      if (value === 1n) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      if (value === 3n) throw new Error("Asked to fail");
      return encodeIncrement(response, value + 1n);
    },
  });
  await using peer = await startRawPeer(server.service, "connect");
  await peer.send(hello());
  await peer.packet();
  const request = (id: number) =>
    packet({ messageId: BigInt(id) }, Uint8Array.of(id, 0, 0, 0, 0, 0, 0, 0));
  await peer.send(...[1, 2, 3, 4, 5].map(request));
  for (const status of [Status.ok, Status.ok, Status.internalError]) {
    const answer = await peer.packet();
    assert.equal(new DataView(answer.buffer).getUint16(14, true), status);
  }
  assert.equal(await peer.next(), "end");
  assert.deepEqual(values, [1n, 2n, 3n]);
});

Deno.test("a response that is longer than agreed is refused, whoever made it", async () => {
  const long: readonly Service[] = [
    { method: Method.increment, handle: (_request, response) => response.length + 1 },
    { method: Method.increment, handle: () => NaN },
    { method: Method.increment, handleLater: () => Promise.resolve(new Uint8Array(2000)) },
  ];
  for (const service of long) {
    await using server = startServer({ maxResponseBytes: 1024 }, service);
    await using peer = await startRawPeer(server.service, "connect");
    await peer.send(hello());
    await peer.packet();
    await peer.send(packet({}, EIGHT));
    assert.deepEqual(await peer.packet(), packet({ kind: 2, status: Status.limitExceeded }));
    assert.equal(await peer.next(), "end");
  }
});

Deno.test("only a response that was too long lets those to come be longer", async () => {
  await using server = startServer({}, {
    method: Method.increment,
    handle: (request, response) =>
      request.length > 8 ? response.length + 1 : encodeIncrement(response, 1n),
  });
  const next = async () => {
    const peer = await startRawPeer(server.service, "connect");
    await peer.send(hello());
    return { peer, bytes: new DataView((await peer.packet()).buffer).getUint32(56, true) };
  };
  const send = async (bytes: Uint8Array) => {
    const { peer, bytes: room } = await next();
    await using _peer = peer;
    await peer.send(bytes);
    await peer.packet();
    return room;
  };
  const over = packet({ payloadLength: 65537 }, EIGHT);
  assert.deepEqual([await send(over), await send(over)], [65536, 65536]);
  const long = packet({}, new Uint8Array(16));
  const rooms = [];
  for (let i = 0; i < 6; i++) rooms.push(await send(long));
  assert.deepEqual(rooms, [65536, 131072, 262144, 524288, 1 << 20, 1 << 20]);

  // A limit of nothing is the default.
  await using none = startServer({ maxResponseBytes: 0 });
  await using session = await sessionOf(none.service);
  assert.equal(session.agreed.responseBytes, 65536);
});

Deno.test("a session that owes much is read again when half of it is answered", async () => {
  const { service, gates } = gated();
  await using server = startServer({}, service);
  await using session = await sessionOf(server.service);
  const send = (id: number) => {
    writeHeader(session.out.view, 0, Kind.request, Method.increment, 8);
    session.out.view.setUint32(24, id, true);
    return session.send(HEADER_BYTES + 8, performance.now() + 20_000, never);
  };
  for (let id = 1; id <= 200; id++) await send(id);
  let answered = 0;
  for (; answered < 200; answered++) {
    await eventually(() => gates.length > 0 ? undefined : "nothing is asked");
    assert.ok(gates.length < 200);
    gates.shift()?.();
    await session.receive(performance.now() + 20_000, never);
  }
  assert.equal(server.status().requests, 200);
});

Deno.test("a client that hangs up right after its HELLO is turned away", async () => {
  for (const profiles of [1, 2]) {
    const refused: number[] = [];
    await using server = startServer({ onRefused: (_, status) => refused.push(status) });
    for (let i = 0; i < 10; i++) {
      await using peer = await startRawPeer(server.service, "connect");
      await peer.send(hello({ supportedProfiles: profiles, preferredProfiles: profiles }));
      await peer.hangUp();
    }
    await eventually(() => server.status().sessions === 0 ? undefined : "a session stays");
    await using client = await readyClient(server.service);
    assert.equal(await client.increment(1n), 2n);
    assert.ok(server.status().accepted + refused.length === 11, `${refused}`);
  }
});
