// The states of our client and what moves it from one to the next, against a peer that answers
// packet by packet.
import assert from "node:assert/strict";
import { CodecError } from "../src/netipc/codec/errors.ts";
import { Method, Status } from "../src/netipc/codec/header.ts";
import { lookupApps, lookupCgroups } from "../src/netipc/lookups.ts";
import { clientOf, fails, HERE, readyClient } from "./support/netipc.ts";
import { serviceName, startPeerServer } from "./support/peers.ts";
import { packet, type RawPeer, startRawPeer } from "./support/raw_peer.ts";

const EIGHT = new Uint8Array(8);

/** One answer that a client must not take. */
type Fault = (peer: RawPeer) => Promise<unknown>;

const FAULTS: readonly [what: string, fault: Fault, expected: object][] = [
  ["a hang-up", async (peer) => {
    await peer.packet();
    await peer.hangUp();
  }, { fault: "closed" }],
  ["a response about another request", (peer) => peer.answer({ messageId: 99n }, EIGHT), {
    fault: "protocol",
  }],
  ["a response of another method", (peer) => peer.answer({ code: 2 }, EIGHT), {
    fault: "protocol",
  }],
  ["a request", (peer) => peer.answer({ kind: 1 }, EIGHT), { fault: "protocol" }],
  ["no header", async (peer) => {
    await peer.packet();
    await peer.send(new Uint8Array(40));
  }, { fault: "protocol" }],
  ["more bytes than the header says", (peer) => peer.answer({ payloadLength: 7 }, EIGHT), {
    fault: "protocol",
  }],
  ["another number of items", (peer) => peer.answer({ itemCount: 0 }, EIGHT), {
    fault: "protocol",
  }],
  ["a payload that is cut short", (peer) => peer.answer({}, EIGHT.slice(1)), {
    fault: "protocol",
  }],
  ["status BAD_ENVELOPE", (peer) => peer.answer({ status: Status.badEnvelope }), {
    fault: "failed",
    status: Status.badEnvelope,
  }],
  ["status UNSUPPORTED", (peer) => peer.answer({ status: Status.unsupported }), {
    fault: "failed",
    status: Status.unsupported,
  }],
  // What stands behind a status is not looked at.
  ["status INTERNAL_ERROR", (peer) => peer.answer({ status: Status.internalError }, EIGHT), {
    fault: "failed",
    status: Status.internalError,
  }],
];

Deno.test("a call that fails is tried exactly once more on a new connection", async (t) => {
  for (const [what, fault, expected] of FAULTS) {
    await t.step(what, async () => {
      await using peer = await startRawPeer(serviceName(), "listen");
      await using client = clientOf(peer.service, { profile: "uds" });
      const [, offer] = await Promise.all([client.refresh(), peer.agree()]);
      assert.equal(offer.supportedProfiles, 1);

      // The second answer is good: the caller does not notice.
      const saved = client.increment(41n);
      await fault(peer);
      await peer.agree();
      const asked = await peer.answer({}, Uint8Array.of(42, 0, 0, 0, 0, 0, 0, 0));
      assert.deepEqual([asked.messageId, asked.kind, asked.status], [1n, 1, 0]);
      assert.equal(await saved, 42n);
      const state = { state: "ready", connectCount: 1 };
      assert.deepEqual(client.status(), {
        ...{ ...state, reconnectCount: 1, callCount: 1, errorCount: 0 },
      });

      // The second answer is no better: that was all.
      const lost = assert.rejects(client.increment(41n), expected);
      await fault(peer);
      await peer.agree();
      await fault(peer);
      await lost;
      assert.equal(client.state, "broken");
      await fails("not ready", client.increment(1n));

      // Nothing connects but a refresh.
      const refreshing = client.refresh();
      await peer.agree();
      assert.equal(await refreshing, true);
      assert.deepEqual(client.status(), {
        ...{ ...state, reconnectCount: 3, callCount: 1, errorCount: 2 },
      });
    });
  }
});

Deno.test("numbers that are answered in their own place are asked again as they were", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { profile: "uds", maxRequestItems: 2 });
  const agreed = { maxRequestItems: 2, maxResponseItems: 2 };
  await Promise.all([client.refresh(), peer.agree(agreed)]);
  const values = BigUint64Array.of(1n, 2n);
  const call = client.increments(values, values);
  const asked = await peer.packet();
  // The first answer is good, and the second too short.
  const answer = asked.with(8, 2).with(64 - 16, 7);
  await peer.send(answer.with(32 + 12, 7));
  await peer.agree(agreed);
  assert.deepEqual(await peer.packet(), asked);
  await peer.send(answer);
  assert.deepEqual(await call, BigUint64Array.of(7n, 2n));
  assert.deepEqual(values, BigUint64Array.of(7n, 2n));
});

Deno.test("a call that has no time left or was given up is not tried again", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { profile: "uds", timeoutMs: 30 });
  await Promise.all([client.refresh(), peer.agree()]);
  await fails("timeout", client.increment(1n));
  assert.equal(client.state, "broken");
  await peer.packet();
  assert.equal(await peer.next(), "end");

  await Promise.all([client.refresh(), peer.agree()]);
  const given = new AbortController();
  const call = fails("aborted", client.increment(1n, { signal: given.signal, timeoutMs: 20_000 }));
  await peer.packet();
  given.abort();
  await call;
  assert.equal(client.state, "broken");
  assert.equal(await peer.next(), "end");
  const { reconnectCount, errorCount } = client.status();
  assert.deepEqual([reconnectCount, errorCount], [1, 2]);
});

Deno.test("a call is given up and has its time also while it connects again", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { profile: "uds" });
  const breakUp = async () => {
    await peer.packet();
    await peer.hangUp();
    assert.equal(await peer.next(), "open");
    await peer.packet();
  };
  await Promise.all([client.refresh(), peer.agree()]);
  const late = fails("timeout", client.increment(1n, { timeoutMs: 200 }));
  await breakUp();
  assert.equal(client.state, "connecting");
  assert.equal(await client.refresh(), false);
  await late;
  assert.equal(client.state, "broken");
  assert.equal(await peer.next(), "end");

  await Promise.all([client.refresh(), peer.agree()]);
  const given = fails("aborted", client.increment(1n));
  await breakUp();
  client.abort();
  await given;
  client.clearAbort();
  assert.equal(await peer.next(), "end");

  await Promise.all([client.refresh(), peer.agree()]);
  const closed = fails("closed", client.increment(1n));
  await breakUp();
  await client.close();
  await closed;
  assert.equal(client.state, "disconnected");
  assert.equal(await peer.next(), "end");
});

Deno.test("several refreshes at a time make one connection", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { profile: "uds", timeoutMs: 30 });
  const refreshes = () => Promise.all([1, 2, 3].map(() => client.refresh()));
  await Promise.all([refreshes(), peer.agree()]);
  await fails("timeout", client.increment(1n));
  assert.equal(client.state, "broken");
  await peer.packet();
  await Promise.all([refreshes(), peer.agree()]);
  const { connectCount, reconnectCount } = client.status();
  assert.deepEqual([connectCount, reconnectCount], [1, 1]);
  await client.close();
  assert.equal(await peer.next(), "end");
});

Deno.test("a response that needs more room is asked for with a larger limit, up to a mebibyte", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { profile: "uds" });
  const [, first] = await Promise.all([client.refresh(), peer.agree()]);
  const call = fails("overflow", client.increment(1n));
  const hints = [first.maxResponseBytes];
  for (let round = 0; round < 4; round++) {
    await peer.answer({ status: Status.limitExceeded });
    hints.push((await peer.agree()).maxResponseBytes);
  }
  await peer.answer({ status: Status.limitExceeded });
  // Nothing can grow any more, so this was the last round.
  hints.push((await peer.agree()).maxResponseBytes);
  await call;
  assert.deepEqual(hints, [65536, 131072, 262144, 524288, 1 << 20, 1 << 20]);
  assert.equal(client.state, "broken");
});

Deno.test("a server that allows more each time is asked eight times more, and no ninth", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { profile: "uds" });
  let maxResponseBytes = 1024;
  await Promise.all([client.refresh(), peer.agree({ maxResponseBytes })]);
  const call = fails("overflow", client.increment(1n));
  for (let round = 0; round < 8; round++) {
    await peer.answer({ status: Status.limitExceeded });
    await peer.agree({ maxResponseBytes: ++maxResponseBytes });
  }
  // A response that is longer than agreed says the same.
  await peer.answer({}, new Uint8Array(maxResponseBytes + 1));
  await call;
  assert.equal(await peer.next(), "end");
});

Deno.test("the first growth of a request's limit is as large as the request", async () => {
  await using server = await startPeerServer(serviceName(), 3, Method.stringReverse);
  for (const profile of ["uds", "shm"] as const) {
    await using client = await readyClient(server.service, { profile });
    assert.equal(client.requestBytes, 1024);
    const text = new Uint8Array(1_000_000).fill(7);
    assert.deepEqual(await client.reverse(text), text);
    assert.equal(client.requestBytes, 1 << 20);
    assert.equal(client.status().reconnectCount, 1);
  }
});

Deno.test("a server that refuses the larger request does not lose its client for ever", async () => {
  await using peer = await startRawPeer(serviceName(), "listen");
  await using client = clientOf(peer.service, { profile: "uds" });
  await Promise.all([client.refresh(), peer.agree()]);
  const call = fails("overflow", client.reverse("x".repeat(2000)));
  assert.equal(await peer.next(), "end");
  assert.equal(await peer.next(), "open");
  await peer.packet();
  await peer.send(packet({ kind: 3, code: 2, status: Status.limitExceeded }, new Uint8Array(48)));
  await call;
  assert.equal(await peer.next(), "end");
  const [, offer] = await Promise.all([client.refresh(), peer.agree()]);
  assert.equal(offer.maxRequestBytes, 1024);
});

Deno.test("what no call can be made of costs no connection", async () => {
  await using server = await startPeerServer(serviceName(), 1, Method.increment);
  await using client = clientOf(server.service, { profile: "uds" });
  await fails("not ready", lookupCgroups(client, ["/a"]));
  await fails("not ready", lookupApps(client, [1]));
  await client.refresh();
  const bad = (call: Promise<unknown>) =>
    assert.rejects(call, (error) => error instanceof CodecError && error.fault === "bad layout");
  await bad(lookupCgroups(client, ["/a", ""]));
  await bad(lookupCgroups(client, ["/a\0b"]));
  for (const pid of [-1, 1.5, 2 ** 32, NaN]) await bad(lookupApps(client, [pid]));
  await fails("overflow", lookupApps(client, new Array(65537).fill(1)));
  assert.deepEqual(await client.batch(Method.increment, []), []);
  assert.deepEqual(await client.increments(new BigUint64Array()), new BigUint64Array());
  await fails("overflow", client.increments(new BigUint64Array(2)));
  assert.deepEqual(client.status(), {
    ...{ state: "ready", connectCount: 1, reconnectCount: 0, callCount: 0, errorCount: 3 },
  });
});

Deno.test("a client that was set up wrongly says so and can be set right", async () => {
  await using client = clientOf(serviceName(), { library: `${HERE.runDir}/no-library.so` });
  await assert.rejects(client.refresh(), /no-library/);
  assert.equal(client.state, "disconnected");
  await using nameless = clientOf("a/b");
  await nameless.refresh();
  assert.equal(nameless.state, "not found");
});
