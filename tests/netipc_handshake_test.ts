// Every refusal of a handshake, in both roles, against packets written by hand.
import assert from "node:assert/strict";
import type { ClientState } from "../src/netipc/connection.ts";
import { decodeHeader, HEADER_BYTES, Status } from "../src/netipc/codec/header.ts";
import { decodeHello, decodeHelloAck } from "../src/netipc/codec/hello.ts";
import { spanOf } from "../src/netipc/codec/span.ts";
import { eventually } from "./support/eventually.ts";
import { clientOf, readyClient, startServer } from "./support/netipc.ts";
import { serviceName } from "./support/peers.ts";
import { damaged, hello, helloAck, packet, startRawPeer } from "./support/raw_peer.ts";

const [EACCES, EPROTO, EMSGSIZE, ENOPROTOOPT, EPROTONOSUPPORT] = [13, 71, 90, 92, 93];
const ETIMEDOUT = 110;

/** What our server makes of a first packet: the status of its HELLO_ACK, or silence. */
const FIRST_PACKETS: readonly [
  what: string,
  bytes: Uint8Array,
  status: number | undefined,
  errno: number,
][] = [
  ["a foreign version", damaged(hello(), [4, 2]), Status.incompatible, ENOPROTOOPT],
  ["a foreign version and kind", damaged(hello(), [4, 2], [8, 1]), undefined, EPROTO],
  ["a foreign version and opcode", hello({}, { code: 2 }), undefined, EPROTO],
  ["a foreign magic", damaged(hello(), [0, 0]), undefined, EPROTO],
  ["a foreign length of the header", damaged(hello(), [6, 36]), undefined, EPROTO],
  ["a request in the place of HELLO", packet({}), undefined, EPROTO],
  ["a kind that there is not", hello({}, { kind: 9 }), undefined, EPROTO],
  ["less than a header", hello().slice(0, 31), undefined, EPROTO],
  ["a HELLO that is cut short", hello().slice(0, 75), undefined, EPROTO],
  ["a foreign layout", damaged(hello(), [32, 2]), Status.incompatible, ENOPROTOOPT],
  ["a reserved word in use", damaged(hello(), [60, 1]), undefined, EPROTO],
  ["no profile in common", hello({ supportedProfiles: 8 }), Status.unsupported, EPROTONOSUPPORT],
  [
    "no profile in common and a wrong token",
    hello({ supportedProfiles: 8, authToken: 0n }),
    Status.unsupported,
    EPROTONOSUPPORT,
  ],
  ["a wrong token", hello({ authToken: 0n }), Status.authFailed, EACCES],
  [
    "a wrong token and an immense request",
    hello({ authToken: 0n, maxRequestBytes: 0xffff_ffff }),
    Status.authFailed,
    EACCES,
  ],
  [
    "an immense request",
    hello({ maxRequestBytes: (1 << 20) + 1, packetSize: 32 }),
    Status.limitExceeded,
    EMSGSIZE,
  ],
  ["packets with room for nothing", hello({ packetSize: 32 }), Status.incompatible, ENOPROTOOPT],
];

for (const [what, bytes, status, errno] of FIRST_PACKETS) {
  const how = status === undefined ? "without a word" : `with status ${status}`;
  Deno.test(`a server refuses ${what} ${how}`, async () => {
    const refused: number[] = [];
    await using server = startServer({ onRefused: (_, status) => refused.push(-status) });
    await using peer = await startRawPeer(server.service, "connect");
    await peer.send(bytes);
    if (status !== undefined) {
      const span = spanOf(await peer.packet());
      const header = decodeHeader(span);
      assert.deepEqual([header.kind, header.code, header.status, header.messageId], [
        ...[3, 2, status, 0n],
      ]);
      // All zero but for the version of the layout.
      assert.deepEqual(span.bytes.slice(HEADER_BYTES), Uint8Array.of(1, ...new Array(47).fill(0)));
    }
    assert.equal(await peer.next(), "end");
    assert.deepEqual(refused, [errno]);
    await using after = await readyClient(server.service);
    assert.equal(await after.increment(1n), 2n);
  });
}

Deno.test("a server takes what nobody checks of a HELLO, and answers with what was agreed", async () => {
  await using server = startServer({ maxRequestItems: 8, maxResponseBytes: 2048 });
  const proposal = { supportedProfiles: 0xff, preferredProfiles: 1, maxRequestItems: 77 };
  const limits = { maxRequestBytes: 0, maxResponseBytes: 1, maxResponseItems: 1 };
  await using peer = await startRawPeer(server.service, "connect");
  const first = hello({ ...proposal, ...limits, flags: 0xffff, packetSize: 100 }, {
    flags: 0xffff,
  });
  // With bytes behind it, and a length that nobody compares.
  await peer.send(damaged(Uint8Array.of(...first, 1, 2, 3), [16, 0]));
  const span = spanOf(await peer.packet());
  assert.equal(decodeHeader(span).status, Status.ok);
  const { sessionId, ...agreed } = decodeHelloAck({ ...span, start: 32, length: 48 });
  assert.ok(sessionId > 0n);
  assert.deepEqual(agreed, {
    ...{ supportedProfiles: 3, intersectionProfiles: 3, selectedProfile: 1 },
    ...{ maxRequestBytes: 0, maxRequestItems: 77, maxResponseBytes: 2048, maxResponseItems: 77 },
    packetSize: 100,
  });
});

Deno.test("a profile is selected from what both prefer, or else from what both can", async () => {
  const select = async (profile: "uds" | "auto", supported: number, preferred: number) => {
    await using server = startServer({ profile });
    await using peer = await startRawPeer(server.service, "connect");
    await peer.send(hello({ supportedProfiles: supported, preferredProfiles: preferred }));
    const span = spanOf(await peer.packet());
    return decodeHelloAck({ ...span, start: 32, length: 48 }).selectedProfile;
  };
  assert.equal(await select("auto", 3, 3), 2);
  assert.equal(await select("auto", 3, 1), 1);
  assert.equal(await select("auto", 3, 8), 2);
  assert.equal(await select("auto", 1, 2), 1);
  assert.equal(await select("uds", 3, 2), 1);
});

Deno.test("every handshake has a number of its own, also those that fail", async () => {
  await using server = startServer();
  const next = async (token?: bigint) => {
    await using peer = await startRawPeer(server.service, "connect");
    await peer.send(token === undefined ? hello() : hello({ authToken: token }));
    const span = spanOf(await peer.packet());
    return decodeHelloAck({ ...span, start: 32, length: 48 }).sessionId;
  };
  const first = await next();
  await next(0n);
  assert.equal(await next() - first, 2n);
});

Deno.test("a client that says nothing is turned away in time, and holds up nobody before", async () => {
  const refused: number[] = [];
  await using server = startServer({
    handshakeMs: 1000,
    onRefused: (_, status) => refused.push(-status),
  });
  await using silent = await startRawPeer(server.service, "connect");
  for (const profile of ["uds", "shm"] as const) {
    await using client = await readyClient(server.service, { profile });
    assert.equal(await client.increment(1n), 2n);
  }
  assert.equal(await silent.next(), "end");
  assert.deepEqual(refused, [ETIMEDOUT]);
});

Deno.test("a client that goes before it says anything is nobody's business", async () => {
  const refused: number[] = [];
  await using server = startServer({ onRefused: (_, status) => refused.push(-status) });
  {
    await using _probe = await startRawPeer(server.service, "connect");
  }
  await using client = await readyClient(server.service);
  assert.equal(await client.increment(1n), 2n);
  assert.deepEqual(refused, []);
});

/** What our client makes of the answer to its HELLO; `undefined` hangs up. */
const ANSWERS: readonly [what: string, bytes: Uint8Array | undefined, state: ClientState][] = [
  ["a hang-up", undefined, "disconnected"],
  ["status AUTH_FAILED", helloAck({}, { status: Status.authFailed }), "auth failed"],
  ["status UNSUPPORTED", helloAck({}, { status: Status.unsupported }), "incompatible"],
  ["status INCOMPATIBLE", helloAck({}, { status: Status.incompatible }), "incompatible"],
  ["status LIMIT_EXCEEDED", helloAck({}, { status: Status.limitExceeded }), "disconnected"],
  ["status BAD_ENVELOPE", helloAck({}, { status: Status.badEnvelope }), "disconnected"],
  ["status INTERNAL_ERROR", helloAck({}, { status: Status.internalError }), "disconnected"],
  ["a status that there is not", helloAck({}, { status: 99 }), "disconnected"],
  [
    "a status before a payload that is cut short",
    helloAck({}, { status: Status.authFailed }).slice(0, 32),
    "auth failed",
  ],
  ["a foreign version", damaged(helloAck(), [4, 2]), "incompatible"],
  ["a foreign magic", damaged(helloAck(), [0, 0]), "disconnected"],
  ["a foreign opcode", helloAck({}, { code: 1 }), "disconnected"],
  ["a response in its place", helloAck({}, { kind: 2 }), "disconnected"],
  ["a HELLO_ACK that is cut short", helloAck().slice(0, 79), "disconnected"],
  ["less than a header", helloAck().slice(0, 10), "disconnected"],
  ["a foreign layout", damaged(helloAck(), [32, 2]), "incompatible"],
  ["flags", damaged(helloAck(), [34, 1]), "disconnected"],
  ["packets with room for nothing", helloAck({ packetSize: 32 }), "disconnected"],
  ["packets larger than offered", helloAck({ packetSize: 1 << 20 }), "disconnected"],
  ["no profile", helloAck({ selectedProfile: 0 }), "disconnected"],
  ["a profile that was not offered", helloAck({ selectedProfile: 8 }), "disconnected"],
  ["two profiles", helloAck({ selectedProfile: 3 }), "disconnected"],
];

Deno.test("a client's state tells what the server answered, and whether to try again", async (t) => {
  for (const [what, bytes, state] of ANSWERS) {
    await t.step(what, async () => {
      await using peer = await startRawPeer(serviceName(), "listen");
      await using client = clientOf(peer.service);
      const answer = async () => {
        const refreshing = client.refresh();
        assert.equal(client.state, "connecting");
        assert.equal(await client.refresh(), false);
        assert.equal(await peer.next(), "open");
        assert.equal((await peer.packet()).length, 76);
        if (bytes === undefined) await peer.hangUp();
        else await peer.send(bytes);
        await refreshing;
        assert.equal(client.state, state);
        if (bytes !== undefined) assert.equal(await peer.next(), "end");
      };
      await answer();
      if (state === "disconnected") return await answer();
      // Only a client that is closed and begins anew tries again.
      assert.equal(await client.refresh(), false);
      assert.equal(client.state, state);
      await client.close();
      await answer();
    });
  }
});

Deno.test("a client takes what nobody checks of a HELLO_ACK", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service);
  const refreshing = client.refresh();
  await peer.next();
  const offer = decodeHello({ ...spanOf(await peer.packet()), start: 32, length: 44 });
  assert.deepEqual([offer.supportedProfiles, offer.preferredProfiles], [3, 3]);
  assert.deepEqual([offer.maxRequestBytes, offer.maxResponseBytes], [1024, 65536]);
  assert.deepEqual([offer.maxRequestItems, offer.packetSize], [1, 65536]);
  const ack = helloAck({ maxRequestBytes: 512, packetSize: 100 }, { messageId: 77n, flags: 3 });
  await peer.send(damaged(Uint8Array.of(...ack, 9, 9), [68, 0xff], [16, 0]));
  await refreshing;
  assert.equal(client.state, "ready");
  // It works with what was answered, not with what it had offered.
  assert.equal(client.requestBytes, 512);
});

Deno.test("a server that never answers a HELLO is given up in time, or when the caller says so", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { handshakeMs: 60 });
  assert.equal(await client.refresh(), false);
  assert.equal(client.state, "disconnected");
  assert.equal(await peer.next(), "open");

  await using patient = clientOf(peer.service);
  const refreshing = patient.refresh();
  await eventually(() => patient.state === "connecting" ? undefined : "it does not connect");
  patient.abort();
  await refreshing;
  assert.equal(patient.state, "disconnected");
  patient.clearAbort();

  const again = patient.refresh();
  await patient.close();
  await again;
  assert.equal(patient.state, "disconnected");
  assert.equal(patient.status().connectCount, 0);
});
