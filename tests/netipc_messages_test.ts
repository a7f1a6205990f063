// Messages of one packet and of many, batches and requests in flight, packet by packet and up to
// every limit, in both roles.
import assert from "node:assert/strict";
import { BatchView } from "../src/netipc/codec/batch.ts";
import { decodeHeader, FLAG_BATCH, HEADER_BYTES, Method } from "../src/netipc/codec/header.ts";
import { spanOf } from "../src/netipc/codec/span.ts";
import { decodeString, encodeString } from "../src/netipc/codec/string_reverse.ts";
import type { Service } from "../src/netipc/server.ts";
import { clientOf, readyClient, sessionOf, startServer } from "./support/netipc.ts";
import { runPeerClient, serviceName, startPeerServer } from "./support/peers.ts";
import { chunk, hello, packet, type RawPeer, startRawPeer } from "./support/raw_peer.ts";

const REVERSE: Service = {
  method: Method.stringReverse,
  handle: (request, response) => encodeString(response, decodeString(request).toReversed()),
};
const EIGHT = new Uint8Array(8);

/** A request of STRING_REVERSE with this text. */
function reverseOf(text: string, messageId = 1n): Uint8Array<ArrayBuffer> {
  const target = spanOf(new Uint8Array(text.length + 9));
  encodeString(target, text);
  return packet({ code: Method.stringReverse, messageId }, target.bytes);
}

/** A raw client that our server has agreed with. */
async function agreed(
  service: string,
  packetSize = 65536,
  maxRequestItems = 16,
): Promise<RawPeer> {
  const peer = await startRawPeer(service, "connect");
  await peer.send(hello({ packetSize, maxRequestItems }));
  assert.equal(decodeHeader(spanOf(await peer.packet())).status, 0);
  return peer;
}

/** Lengths around the ends of packets: a message of `packets` packets and `more` bytes. */
function around(each: number, packets: number): number[] {
  return [-1, 0, 1].map((more) => packets * each + more);
}

const EACH = 65536 - HEADER_BYTES;
const LENGTHS = [...around(EACH, 1), ...around(EACH, 2), ...around(EACH, 15), 1 << 20];

Deno.test("messages of any length up to the limit come over the socket to our server", async () => {
  await using server = startServer({ maxResponseBytes: 1 << 20 }, REVERSE);
  for (const length of LENGTHS) {
    assert.equal(await runPeerClient(server.service, 1, "reverse", length - 9), "PASS");
  }
});

Deno.test("messages of any length up to the limit come to a foreign server and back", async () => {
  await using server = await startPeerServer(serviceName(), 3, Method.stringReverse, 1 << 20);
  for (const profile of ["uds", "shm"] as const) {
    await using client = await readyClient(server.service, { profile, maxRequestBytes: 1 << 20 });
    for (const length of LENGTHS) {
      const text = Uint8Array.from({ length: length - 9 }, (_, i) => 1 + i % 255);
      assert.deepEqual(await client.reverse(text), text.toReversed());
    }
    assert.equal(client.status().reconnectCount, 0);
  }
});

Deno.test("the chunks of a message have the bytes of the protocol, in both directions", async () => {
  // Packets of 40 bytes, of which 8 are payload.
  await using server = startServer({}, REVERSE);
  await using peer = await agreed(server.service, 40);
  const whole = reverseOf("0123456789a", 0x0102030405060708n);
  const fields = { messageId: 0x0102030405060708n, total: 52, count: 3 };
  await peer.send(
    whole.slice(0, 40),
    chunk({ ...fields, index: 1 }, whole.slice(40, 48)),
    chunk({ ...fields, index: 2 }, whole.slice(48)),
  );
  const answer = Uint8Array.of(...whole);
  answer.set([2], 8);
  answer.set(new TextEncoder().encode("a9876543210"), 40);
  assert.deepEqual(await peer.packet(), answer.slice(0, 40));
  assert.deepEqual(await peer.packet(), chunk({ ...fields, index: 1 }, answer.slice(40, 48)));
  assert.deepEqual(await peer.packet(), chunk({ ...fields, index: 2 }, answer.slice(48)));
});

/** A vector of the protocol: 20 bytes of payload in packets of 40 bytes. */
const CHUNKED = [
  "4350494e010020000100000001000000140000000100000008070605040302011011121314151617",
  "4b48434e0100000008070605040302013400000001000000030000000800000018191a1b1c1d1e1f",
  "4b48434e0100000008070605040302013400000002000000030000000400000020212223",
].map((hex) => Uint8Array.fromHex(hex));

Deno.test("the vector of a message in chunks is what we send and what we take", async () => {
  const messageId = 0x0102030405060708n;
  const payload = Uint8Array.from({ length: 20 }, (_, i) => 0x10 + i);
  await using server = startServer();
  await using raw = await agreed(server.service, 40);
  await raw.send(...CHUNKED);
  const answer = payload.slice(0, 8).with(0, 0x11);
  assert.deepEqual(await raw.packet(), packet({ kind: 2, messageId }, answer));

  await using peer = await startRawPeer(serviceName(), "listen");
  const [session] = await Promise.all([
    sessionOf(peer.service),
    peer.agree({ packetSize: 40 }),
  ]);
  await using _session = session;
  session.out.bytes.set(packet({ messageId }, payload));
  await session.send(HEADER_BYTES + 20, performance.now() + 20_000, { aborted: false });
  for (const wanted of CHUNKED) assert.deepEqual(await peer.packet(), wanted);
});

Deno.test("a client sends a batch of one item as a plain message, and of more as a batch", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { profile: "uds", maxRequestItems: 4 });
  await Promise.all([client.refresh(), peer.agree({ maxRequestItems: 4, maxResponseItems: 4 })]);
  const one = client.batch(Method.increment, [EIGHT]);
  assert.deepEqual(await peer.packet(), packet({}, EIGHT));
  await peer.send(packet({ kind: 2 }, EIGHT));
  assert.deepEqual(await one, [EIGHT]);
  const two = client.batch(Method.increment, [Uint8Array.of(1, 2, 3), EIGHT]);
  // The vector of two items, with other bytes in them.
  const payload = Uint8Array.fromHex(
    "0000000003000000080000000800000001020300000000000000000000000000",
  );
  assert.deepEqual(
    await peer.packet(),
    packet({ flags: FLAG_BATCH, itemCount: 2, messageId: 2n }, payload),
  );
  await peer.send(packet({ kind: 2, flags: FLAG_BATCH, itemCount: 2, messageId: 2n }, payload));
  assert.deepEqual(await two, [Uint8Array.of(1, 2, 3), EIGHT]);
});

Deno.test("a client that proposes requests of no bytes may send none", async () => {
  await using server = startServer();
  await using peer = await startRawPeer(server.service, "connect");
  await peer.send(hello({ maxRequestBytes: 0 }));
  await peer.packet();
  await peer.send(packet({}, EIGHT));
  assert.deepEqual(await peer.packet(), packet({ kind: 2, status: 5 }));
  assert.equal(await peer.next(), "end");
});

type Chunk = Parameters<typeof chunk>[0];

/** Second packets that cannot be. The message has 20 bytes of payload, of which 12 are missing. */
const CHUNKS: readonly [what: string, fields: Partial<Chunk>, payload: Uint8Array][] = [
  ["magic", { magic: 0x4e495043 }, EIGHT],
  ["version", { version: 2 }, EIGHT],
  ["flags", { flags: 1 }, EIGHT],
  ["number of the message", { messageId: 2n }, EIGHT],
  ["index", { index: 2 }, EIGHT],
  ["index of nothing", { index: 0 }, EIGHT],
  ["count", { count: 4 }, EIGHT],
  ["total length", { total: 53 }, EIGHT],
  ["length of its own", { length: 7 }, EIGHT],
  ["payload of nothing", {}, new Uint8Array()],
  ["payload beyond the message", {}, new Uint8Array(21)],
];

Deno.test("a message whose chunks do not fit together ends the connection, in both roles", async (t) => {
  const first = (kind: number) =>
    packet({ kind, payloadLength: 20, code: kind === 1 ? 3 : 1 }, EIGHT);
  const good: Chunk = { messageId: 1n, total: 52, index: 1, count: 3 };
  await using server = startServer({}, REVERSE);
  for (const [what, fields, payload] of CHUNKS) {
    const second = chunk({ ...good, ...fields }, payload);
    await t.step(`a wrong ${what}, to our server`, async () => {
      await using peer = await agreed(server.service, 40);
      await peer.send(first(1), second);
      assert.equal(await peer.next(), "end");
    });
    await t.step(`a wrong ${what}, to our client`, async () => {
      await using raw = await startRawPeer(serviceName(), "listen");
      await using client = clientOf(raw.service, { profile: "uds" });
      await Promise.all([client.refresh(), raw.agree({ packetSize: 40 })]);
      const call = assert.rejects(client.increment(1n), { fault: "protocol" });
      await raw.packet();
      await raw.send(first(2), second);
      await raw.agree({ packetSize: 40 });
      await raw.packet();
      await raw.send(first(2), second);
      await call;
    });
  }
});

Deno.test("a message that is not finished in time ends its connection, and no other", async () => {
  await using server = startServer({ handshakeMs: 500 }, REVERSE);
  await using peer = await agreed(server.service, 40);
  await peer.send(packet({ payloadLength: 20, code: 3 }, EIGHT));
  await using client = await readyClient(server.service);
  assert.deepEqual(await client.reverse("abc"), new TextEncoder().encode("cba"));
  assert.equal(await peer.next(), "end");
  assert.deepEqual(await client.reverse("abc"), new TextEncoder().encode("cba"));
});

/** First packets after the handshake that end the connection, and what is said before. */
const PACKETS: readonly [what: string, bytes: Uint8Array, status?: number][] = [
  ["less than a header", packet({}).slice(0, 31)],
  ["a foreign magic", new Uint8Array(32)],
  ["a response", packet({ kind: 2 }, EIGHT)],
  ["another HELLO", hello()],
  ["more bytes than its header says", packet({ payloadLength: 7 }, EIGHT)],
  ["a batch whose directory lies", packet({ flags: FLAG_BATCH, itemCount: 2 }, new Uint8Array(8))],
  ["a payload over the limit", packet({ payloadLength: 65537 }, EIGHT), 5],
  ["more items than agreed", packet({ itemCount: 17 }, EIGHT), 5],
  ["a payload that is cut short", packet({}, EIGHT.slice(1)), 1],
  ["a batch of one item that is none", packet({ flags: FLAG_BATCH }, EIGHT), 1],
];

Deno.test("a server ends the connection of a client that breaks the rules", async (t) => {
  await using server = startServer();
  for (const [what, bytes, status] of PACKETS) {
    await t.step(what, async () => {
      await using peer = await agreed(server.service);
      await peer.send(bytes);
      if (status !== undefined) {
        assert.deepEqual(await peer.packet(), packet({ kind: 2, status }));
      }
      assert.equal(await peer.next(), "end");
    });
  }
});

Deno.test("a server takes what nobody checks of a request", async () => {
  await using server = startServer();
  await using peer = await agreed(server.service);
  const value = Uint8Array.of(41, 0, 0, 0, 0, 0, 0, 0);
  const answer = Uint8Array.of(42, 0, 0, 0, 0, 0, 0, 0);
  const odd = [{ flags: 0xfffe }, { status: 77 }, { itemCount: 0 }, { itemCount: 16 }];
  for (const [i, change] of odd.entries()) {
    const messageId = BigInt(i);
    await peer.send(packet({ ...change, messageId }, value));
    assert.deepEqual(await peer.packet(), packet({ kind: 2, messageId }, answer));
  }
  // A batch of no items is a plain message.
  await peer.send(packet({ flags: FLAG_BATCH, itemCount: 0 }, value));
  assert.deepEqual(await peer.packet(), packet({ kind: 2 }, answer));
  // So is the number of a request, which only has to come back.
  await peer.send(packet({ messageId: 2n ** 64n - 1n }, value));
  assert.deepEqual(await peer.packet(), packet({ kind: 2, messageId: 2n ** 64n - 1n }, answer));
});

Deno.test("a batch is split and put together again; one item that fails, fails all", async () => {
  await using server = startServer();
  await using peer = await agreed(server.service);
  const batch = (items: readonly Uint8Array[]) => {
    const bytes = new Uint8Array(items.length * 16);
    const view = new DataView(bytes.buffer);
    for (const [i, item] of items.entries()) {
      view.setUint32(i * 8, i * 8, true);
      view.setUint32(i * 8 + 4, item.length, true);
      bytes.set(item, (items.length + i) * 8);
    }
    return packet({ flags: FLAG_BATCH, itemCount: items.length }, bytes);
  };
  const number = (low: number) => Uint8Array.of(low, 0, 0, 0, 0, 0, 0, 0);
  for (const count of [1, 2, 16]) {
    const items = Array.from({ length: count }, (_, i) => number(i));
    await peer.send(batch(items));
    const answer = spanOf(await peer.packet());
    const { flags, itemCount, payloadLength } = decodeHeader(answer);
    assert.deepEqual([flags, itemCount, payloadLength], [FLAG_BATCH, count, count * 16]);
    const payload = { ...answer, start: 32, length: payloadLength };
    assert.deepEqual(
      new BatchView(payload, count).materialize(),
      items.map((_, i) => number(i + 1)),
    );
  }
  await peer.send(batch([number(1), number(2).slice(1), number(3)]));
  assert.deepEqual(await peer.packet(), packet({ kind: 2, status: 1 }));
  assert.equal(await peer.next(), "end");
});

Deno.test("batches of any size up to the limits come through, over both ways", async () => {
  await using server = startServer({ maxRequestItems: 4096, maxResponseBytes: 1 << 20 });
  const limits = { maxRequestItems: 4096, maxRequestBytes: 65536 };
  for (const profile of ["uds", "shm"] as const) {
    await using client = await readyClient(server.service, { profile, ...limits });
    for (const count of [1, 2, 1000, 4096]) {
      const values = BigUint64Array.from({ length: count }, (_, i) => BigInt(i) << 32n);
      assert.deepEqual(await client.increments(values), values.map((value) => value + 1n));
    }
    await assert.rejects(client.increments(new BigUint64Array(4097)), { fault: "overflow" });
  }
});

Deno.test("answers of a foreign server may come in any order", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  const [session] = await Promise.all([sessionOf(peer.service), peer.agree()]);
  await using _session = session;
  const deadline = performance.now() + 20_000;
  for (const messageId of [1n, 2n, 3n]) {
    session.out.bytes.set(packet({ messageId }));
    await session.send(HEADER_BYTES, deadline, { aborted: false });
    await peer.packet();
  }
  // The number of one that waits for its answer cannot be used again.
  await assert.rejects(session.send(HEADER_BYTES, deadline, { aborted: false }), {
    fault: "protocol",
  });
  await peer.send(...[3n, 1n, 2n].map((messageId) => packet({ kind: 2, messageId })));
  for (const wanted of [3n, 1n, 2n]) {
    const span = await session.receive(deadline, { aborted: false });
    assert.equal(decodeHeader(span).messageId, wanted);
  }
  session.out.bytes.set(packet({ messageId: 3n }));
  await session.send(HEADER_BYTES, deadline, { aborted: false });
  await peer.send(packet({ kind: 2, messageId: 1n }));
  await assert.rejects(session.receive(deadline, { aborted: false }), { fault: "protocol" });
});
