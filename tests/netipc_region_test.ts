// Shared memory that is late, foreign or broken, in both roles.
import assert from "node:assert/strict";
import type { ProfileChoice } from "../src/netipc/endpoint.ts";
import { eventually, pause } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER } from "./support/native.ts";
import { clientOf, fails, readyClient, startServer } from "./support/netipc.ts";
import { serviceName } from "./support/peers.ts";
import { hello, packet, type RawPeer, startRawPeer } from "./support/raw_peer.ts";
import { RawRegion, regionBytes, regionPathOf, type RegionShape } from "./support/raw_region.ts";

const SHARED = { supportedProfiles: 3, intersectionProfiles: 3, selectedProfile: 2 };
const EIGHT = new Uint8Array(8);

/** A file of a test that is gone after it. */
class Temporary implements Disposable {
  readonly path: string;

  constructor(service: string, sessionId = 1) {
    this.path = regionPathOf(service, sessionId);
  }

  write(bytes: Uint8Array): void {
    Deno.writeFileSync(this.path, bytes);
  }

  [Symbol.dispose](): void {
    try {
      Deno.removeSync(this.path);
    } catch {
      // It was not made.
    }
  }
}

Deno.test("a client waits for shared memory that is not ready when its server answers", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service);
  using file = new Temporary(peer.service);
  const refreshing = client.refresh();
  await peer.agree(SHARED);
  for (const bytes of [new Uint8Array(63), new Uint8Array(9000), regionBytes()]) {
    await pause(20);
    assert.equal(client.state, "connecting");
    file.write(bytes);
  }
  await refreshing;
  assert.equal(client.shared, true);
  const call = client.increment(41n);
  using region = new RawRegion(file.path, "server");
  await eventually(() => region.heard() === 1 ? undefined : "no request came");
  assert.deepEqual(region.message(), packet({}, Uint8Array.of(41, 0, 0, 0, 0, 0, 0, 0)));
  region.publish(packet({ kind: 2 }, Uint8Array.of(42, 0, 0, 0, 0, 0, 0, 0)), 1);
  assert.equal(await call, 42n);
});

const FOREIGN: readonly [what: string, shape: RegionShape][] = [
  ["of another version", { version: 2 }],
  ["with another header", { headerLength: 72 }],
  ["whose requests would stand in the header", { requestOffset: 0 }],
  ["without room for responses", { responseCapacity: 0 }],
  ["that is not aligned", { requestCapacity: 4161 }],
  ["whose areas overlap", { responseOffset: 64 }],
  ["that is shorter than it says", { size: 4224 }],
];

Deno.test("a client for which shared memory does not work stays with the socket for good", async (t) => {
  for (const [what, shape] of FOREIGN) {
    await t.step(`a region ${what}`, async () => {
      await using peer = await startRawPeer(serviceName(), "listen");
      await using client = clientOf(peer.service, { handshakeMs: 1000 });
      using file = new Temporary(peer.service);
      file.write(regionBytes(shape));
      const refreshing = client.refresh();
      assert.equal((await peer.agree(SHARED)).supportedProfiles, 3);
      assert.equal((await peer.agree()).supportedProfiles, 1);
      await refreshing;
      assert.deepEqual([client.state, client.shared], ["ready", false]);
      assert.equal(client.status().connectCount, 1);

      await client.close();
      const again = client.refresh();
      assert.equal((await peer.agree()).supportedProfiles, 1);
      await again;
    });
  }
});

Deno.test("a client does not wait for ever for shared memory", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { handshakeMs: 100 });
  const refreshing = client.refresh();
  await peer.agree(SHARED);
  assert.equal((await peer.agree()).supportedProfiles, 1);
  await refreshing;
  assert.deepEqual([client.state, client.shared], ["ready", false]);
});

Deno.test("a server that hangs up before its shared memory is there is asked for it again", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service);
  using file = new Temporary(peer.service);
  const refreshing = client.refresh();
  await peer.agree(SHARED);
  await peer.hangUp();
  await refreshing;
  assert.equal(client.state, "disconnected");
  file.write(regionBytes());
  const again = client.refresh();
  assert.equal((await peer.agree(SHARED)).supportedProfiles, 3);
  await again;
  assert.equal(client.shared, true);
});

Deno.test("a client that wants nothing but shared memory asks for it again and again", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { profile: "shm" });
  using file = new Temporary(peer.service);
  file.write(regionBytes({ version: 2 }));
  const refreshing = client.refresh();
  assert.equal((await peer.agree(SHARED)).supportedProfiles, 2);
  await refreshing;
  assert.equal(client.state, "disconnected");
  file.write(regionBytes());
  const again = client.refresh();
  assert.equal((await peer.agree(SHARED)).supportedProfiles, 2);
  await again;
  assert.equal(client.shared, true);
});

Deno.test("a client that gives up waiting for shared memory asks for it the next time", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service);
  using file = new Temporary(peer.service);
  const refreshing = client.refresh();
  await peer.agree(SHARED);
  client.abort();
  await refreshing;
  assert.equal(client.state, "disconnected");
  client.clearAbort();
  file.write(regionBytes());
  const again = client.refresh();
  assert.equal((await peer.agree(SHARED)).supportedProfiles, 3);
  await again;
  assert.equal(client.shared, true);
});

/** Responses through shared memory that no client may take. */
const RESPONSES: readonly [what: string, fault: "protocol" | "overflow", Uint8Array, number?][] = [
  ["without a byte", "protocol", packet({ kind: 2 }, EIGHT), 0],
  ["shorter than a header", "protocol", packet({ kind: 2 }, EIGHT), 31],
  ["that is no response", "protocol", packet({ kind: 1 }, EIGHT)],
  ["with another length in its header", "protocol", packet({ kind: 2, payloadLength: 7 }, EIGHT)],
  ["of another method", "protocol", packet({ kind: 2, code: 2 }, EIGHT)],
  ["about another request", "protocol", packet({ kind: 2, messageId: 2n }, EIGHT)],
  ["with too many items", "overflow", packet({ kind: 2, itemCount: 2 }, EIGHT)],
  ["larger than was agreed", "overflow", packet({ kind: 2 }, new Uint8Array(1025))],
  ["larger than the region", "overflow", packet({ kind: 2 }, EIGHT), 1 << 30],
];

Deno.test("a client refuses responses through shared memory, and tries once more", async (t) => {
  for (const [what, fault, bytes, length] of RESPONSES) {
    await t.step(`a response ${what}`, async () => {
      await using peer = await startRawPeer(serviceName(), "listen");
      await using client = clientOf(peer.service, { maxResponseBytes: 1 << 20 });
      using file = new Temporary(peer.service);
      file.write(regionBytes());
      await Promise.all([client.refresh(), peer.agree(SHARED)]);
      const call = fails(fault, client.increment(41n));
      const answer = async () => {
        using region = new RawRegion(file.path, "server");
        await eventually(() => region.heard() === 1 ? undefined : "no request came");
        region.publish(bytes, 1, length);
        assert.equal(await peer.next(), "end");
        file.write(regionBytes());
        await peer.agree(SHARED);
      };
      await answer();
      // A limit that cannot grow is not asked for again.
      if (fault === "protocol") {
        using region = new RawRegion(file.path, "server");
        await eventually(() => region.heard() === 1 ? undefined : "no request came");
        region.publish(bytes, 1, length);
      }
      await call;
      assert.equal(client.state, "broken");
    });
  }
});

/** A raw client of our server over shared memory. */
async function attached(
  service: string,
  maxRequestBytes = 2048,
): Promise<{ readonly peer: RawPeer; readonly region: RawRegion }> {
  const peer = await startRawPeer(service, "connect");
  await peer.send(hello({ supportedProfiles: 2, preferredProfiles: 2, maxRequestBytes }));
  const ack = await peer.packet();
  const sessionId = Number(new DataView(ack.buffer).getBigUint64(72, true));
  return { peer, region: new RawRegion(regionPathOf(service, sessionId), "client") };
}

/** What is written as a file wakes nobody; a connection that comes and goes does. */
async function nudge(service: string): Promise<void> {
  await using _probe = await startRawPeer(service, "connect");
}

/** Requests through shared memory, and the status that our server answers, or silence. */
const REQUESTS: readonly [what: string, status: number | undefined, Uint8Array, number?][] = [
  ["without a byte", undefined, packet({}, EIGHT), 0],
  ["that is no request", undefined, packet({ kind: 2 }, EIGHT)],
  ["with another length in its header", undefined, packet({ payloadLength: 9 }, EIGHT)],
  ["larger than the region", undefined, packet({}, EIGHT), 1 << 30],
  ["larger than was agreed", 5, packet({}, new Uint8Array(2049))],
  ["with too many items", 5, packet({ itemCount: 17 }, EIGHT)],
  ["of another method", 4, packet({ code: 2 }, EIGHT)],
];

Deno.test("a server refuses requests through shared memory", async (t) => {
  for (const [what, status, bytes, length] of REQUESTS) {
    await t.step(`a request ${what}`, async () => {
      await using server = startServer({ profile: "shm" });
      const { peer, region } = await attached(server.service);
      await using _peer = peer;
      using _region = region;
      region.publish(bytes, 1, length);
      await nudge(server.service);
      if (status !== undefined) {
        await eventually(() => region.heard() === 1 ? undefined : "there is no answer");
        const code = new DataView(bytes.buffer).getUint16(12, true);
        const plain = packet({ kind: 2, code, status });
        assert.deepEqual(region.message(), plain);
      }
      if (status === 4) {
        region.publish(packet({ messageId: 2n }, EIGHT), 2);
        await nudge(server.service);
        await eventually(() => region.heard() === 2 ? undefined : "there is no answer");
        return;
      }
      assert.equal(await peer.next(), "end");
      assert.equal(region.heard(), status === undefined ? 0 : 1);
      await eventually(() => server.status().sessions === 0 ? undefined : "the session stays");
    });
  }
});

Deno.test("a region of our server has the bytes and the size of the protocol", async () => {
  await using server = startServer({ maxRequestBytes: 4096, maxResponseBytes: 65536 });
  const { peer, region } = await attached(server.service, 4096);
  await using _peer = peer;
  using _region = region;
  const header = new Uint8Array(region.header.buffer);
  // The vector, without the owner's number and generation, before any message.
  const wanted = "4d48534e03004000" + "40000000401000008010000040000100" + "00".repeat(32);
  assert.equal(header.slice(0, 8).toHex() + header.slice(16).toHex(), wanted);
  const [name = ""] = [...Deno.readDirSync(NATIVE_TEST_FOLDER)].map(({ name }) => name)
    .filter((name) => name.startsWith(`${server.service}-`));
  assert.match(name.slice(server.service.length), /^-[0-9a-f]{16}\.ipcshm$/);
  const { size, mode } = await Deno.stat(`${NATIVE_TEST_FOLDER}/${name}`);
  assert.deepEqual([size, mode], [69824, 0o100600]);
});

Deno.test("a session through shared memory ends when something comes over its socket", async () => {
  await using server = startServer();
  const { peer, region } = await attached(server.service);
  await using _peer = peer;
  using _region = region;
  assert.deepEqual(
    [0, 4, 6, 16].map((at) => region.header.getUint16(at, true)),
    [0x484d, 3, 64, 64],
  );
  assert.equal(region.header.getInt32(8, true), Deno.pid);
  assert.notEqual(region.header.getUint32(12, true), 0);
  await peer.send(packet({}, EIGHT));
  assert.equal(await peer.next(), "end");
  await using client = await readyClient(server.service);
  assert.equal(await client.increment(1n), 2n);
});

Deno.test("a server whose region cannot be made offers the socket to that client alone", async () => {
  const service = serviceName();
  const refused: number[] = [];
  await using _server = startServer({ service, onRefused: (_, status) => refused.push(status) });
  // A folder with something in it is nothing that a server may clear away.
  const blocked = regionPathOf(service, 1);
  await Deno.mkdir(`${blocked}/full`, { recursive: true });
  try {
    const connect = async (profile: ProfileChoice) => {
      await using client = clientOf(service, { profile });
      await client.refresh();
      const answer = client.state === "ready" ? await client.increment(1n) : undefined;
      return [client.shared, answer];
    };
    assert.deepEqual(await connect("auto"), [false, 2n]);
    assert.deepEqual(await connect("auto"), [true, 2n]);
  } finally {
    await Deno.remove(blocked, { recursive: true });
  }
  // One that takes nothing but shared memory is hung up on.
  const next = regionPathOf(service, 3);
  await Deno.mkdir(`${next}/full`, { recursive: true });
  try {
    await using client = clientOf(service, { profile: "shm" });
    await client.refresh();
    assert.equal(client.state, "disconnected");
    assert.equal(refused.length, 1);
    await client.refresh();
    assert.equal(client.shared, true);
  } finally {
    await Deno.remove(next, { recursive: true });
  }
});
