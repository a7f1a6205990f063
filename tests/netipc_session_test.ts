// Sessions without a client: requests on their way, room that is short, and sends that wait.
import assert from "node:assert/strict";
import { HEADER_BYTES, Kind, Method, writeHeader } from "../src/netipc/codec/header.ts";
import { decodeIncrement, encodeIncrement } from "../src/netipc/codec/increment.ts";
import { spanOf } from "../src/netipc/codec/span.ts";
import { NetipcError } from "../src/netipc/errors.ts";
import type { Session } from "../src/netipc/session.ts";
import { eventually } from "./support/eventually.ts";
import { clientOf, HERE, readyClient, sessionOf, startServer } from "./support/netipc.ts";
import { serviceName, startPeerServer } from "./support/peers.ts";
import { startRawPeer } from "./support/raw_peer.ts";

const never = { aborted: false };
const soon = () => performance.now() + 20_000;

/** Puts the request for the number behind `id` into a session; its length. */
function request({ out: { view } }: Session, id: number, length = 8): number {
  writeHeader(view, 0, Kind.request, Method.increment, length);
  view.setUint32(24, id, true);
  view.setBigUint64(HEADER_BYTES, BigInt(id), true);
  return HEADER_BYTES + length;
}

function checkAnswer(span: Awaited<ReturnType<Session["receive"]>>, id: number): void {
  assert.equal(span.view.getUint32(span.start + 24, true), id);
  const payload = { ...span, start: span.start + HEADER_BYTES, length: 8 };
  assert.equal(decodeIncrement(payload), BigInt(id) + 1n);
}

Deno.test("a session over the socket may have many requests on their way", async () => {
  await using server = await startPeerServer(serviceName(), 1, Method.increment);
  await using session = await sessionOf(server.service);
  const send = (id: number) => session.send(request(session, id), soon(), never);
  const receive = async (id: number) => checkAnswer(await session.receive(soon(), never), id);
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

Deno.test("an exchange gives the oldest answer first, whatever came before it", async () => {
  await using server = await startPeerServer(serviceName(), 1, Method.increment);
  await using session = await sessionOf(server.service);
  let heard = 0;
  let asked = 0;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 30; i++) await session.send(request(session, ++asked), soon(), never);
    checkAnswer(await session.receive(soon(), never), ++heard);
    for (let i = 0; i < 10; i++) {
      const answer = session.exchange(request(session, ++asked), 20_000, never);
      checkAnswer(answer instanceof Promise ? await answer : answer, ++heard);
    }
    // Those that came along with the last one are there without a look at the socket.
    for (let more = session.takeMore(); more !== undefined; more = session.takeMore()) {
      checkAnswer(more, ++heard);
    }
    while (heard < asked) checkAnswer(await session.receive(soon(), never), ++heard);
  }
});

Deno.test("a send that waits for the server loses none of the answers that come meanwhile", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using server = startServer({ maxRequestBytes: 1 << 20 }, {
    method: Method.increment,
    async handleLater(payload) {
      const value = decodeIncrement(payload);
      // What is large is not answered until the client cannot send any more.
      if (payload.length > 8) await released;
      const response = spanOf(new Uint8Array(8));
      encodeIncrement(response, value + 1n);
      return response.bytes;
    },
  });
  await using session = await sessionOf(server.service, { maxRequestBytes: 1 << 20 });
  for (let id = 1; id <= 40; id++) await session.send(request(session, id), soon(), never);
  await eventually(() => server.status().requests === 40 ? undefined : "not all were read");
  for (let id = 1; id <= 3; id++) checkAnswer(await session.receive(soon(), never), id);
  let sent = 40;
  const large = (deadline: number) =>
    session.send(request(session, sent + 1, 100_000), deadline, never).then(() => void sent++);
  await assert.rejects(async () => {
    for (;;) await large(performance.now() + 100);
  }, { fault: "timeout" });
  assert.ok(sent > 40 && sent < 240, `${sent} were sent`);
  // The message that waited is begun, so it is the next one; the oldest answer still comes first.
  const exchanged = session.exchange(request(session, ++sent, 100_000), 20_000, never);
  assert.ok(exchanged instanceof Promise);
  release();
  checkAnswer(await exchanged, 4);
  for (let id = 5; id <= sent; id++) checkAnswer(await session.receive(soon(), never), id);
});

Deno.test("a session through shared memory has one request on its way", async () => {
  await using server = await startPeerServer(serviceName(), 3, Method.increment);
  await using session = await sessionOf(server.service, { profiles: 2 });
  for (let id = 1; id <= 100; id++) {
    await session.send(request(session, id), soon(), never);
    if (id === 1) {
      await assert.rejects(session.send(request(session, 99), soon(), never), {
        fault: "overflow",
      });
      assert.throws(() => session.exchange(request(session, 99), 1000, never), {
        fault: "overflow",
      });
    }
    checkAnswer(await session.receive(soon(), never), id);
    assert.equal(session.takeMore(), undefined);
  }
});

Deno.test("a request over the limit is refused before anything of it is sent", async () => {
  await using server = await startPeerServer(serviceName(), 3, Method.increment);
  for (const profiles of [1, 2]) {
    await using session = await sessionOf(server.service, { profiles, maxRequestBytes: 100 });
    const tooLarge = request(session, 1, 101);
    // There is room for it in the session's buffer, which is rounded up.
    assert.ok(tooLarge <= session.out.bytes.length);
    await assert.rejects(session.send(tooLarge, soon(), never), { fault: "overflow" });
    assert.throws(() => session.exchange(request(session, 1, 101), 1000, never), {
      fault: "overflow",
    });
    await session.send(request(session, 1), soon(), never);
    checkAnswer(await session.receive(soon(), never), 1);
  }
});

Deno.test("a method of a program's own gets the room that it asks for, and no more", async () => {
  await using server = await startPeerServer(serviceName(), 1, Method.stringReverse);
  await using client = await readyClient(server.service);
  const one = new Uint8Array(5009).fill(120);
  new DataView(one.buffer).setUint32(0, 8, true);
  new DataView(one.buffer).setUint32(4, 5000, true);
  one[5008] = 0;
  assert.deepEqual(await client.batch(Method.stringReverse, [one]), [one]);
  assert.equal(client.requestBytes, 8192);
  const read = () => undefined;
  // It says that it wrote more than there was room for.
  const liar = (length: number) => client.call({ method: 3, write: () => length, read });
  await assert.rejects(liar(2 << 20), { fault: "overflow" });
  await client.refresh();
  let calls = 0;
  const fickle = {
    method: Method.stringReverse,
    write: () => {
      if (calls++ === 0) return 2 << 20;
      throw new TypeError("Asked to fail");
    },
    read,
  };
  await assert.rejects(client.call(fickle), TypeError);
  assert.equal(client.state, "ready");
});

Deno.test("a server whose queue is full is tried until the time of the handshake is over", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  const clients = Array.from({ length: 40 }, () => clientOf(peer.service, { handshakeMs: 300 }));
  try {
    await Promise.all(clients.map((client) => client.refresh()));
    const states = clients.map(({ state }) => state);
    // Some waited in the queue for an answer, the others for a place in it.
    assert.deepEqual([...new Set(states)].sort(), ["disconnected", "not found"]);

    // Those who give up have not found out whether there is a place.
    const given = clients.filter(({ state }) => state === "not found");
    const again = given.map((client) => client.refresh());
    for (const client of given) client.abort();
    await Promise.all(again);
    assert.ok(given.every(({ state }) => state === "disconnected"));
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
});

Deno.test("a session says what it could not do", async () => {
  const absent = { ...HERE, service: serviceName() };
  await assert.rejects(sessionOf(absent.service), (error) => {
    return error instanceof NetipcError && error.fault === "not found" &&
      error.message.includes(`${absent.service}.sock`);
  });
});
