// Whatever is written comes back as it was.
import assert from "node:assert/strict";
import fc from "fast-check";
import { AppsLookupBuilder, AppsLookupView, AppsRequestView } from "./apps_lookup.ts";
import { AppCgroupStatus, encodeAppsRequest } from "./apps_lookup.ts";
import { BatchBuilder, BatchView } from "./batch.ts";
import { CgroupsLookupBuilder, CgroupsLookupView, CgroupsRequestView } from "./cgroups_lookup.ts";
import { encodeCgroupsRequest } from "./cgroups_lookup.ts";
import { SnapshotBuilder, SnapshotView } from "./cgroups_snapshot.ts";
import { decodeHeader, encodeHeader, HEADER_BYTES } from "./header.ts";
import { decodeHello, decodeHelloAck, encodeHello, encodeHelloAck } from "./hello.ts";
import { decodeIncrement, encodeIncrement } from "./increment.ts";
import { decodeText, spanOf } from "./span.ts";
import { decodeString, encodeString } from "./string_reverse.ts";
import { patched, written } from "./testing.ts";

const ROOM = 1 << 16;
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
/** Byte strings without NUL, as text. */
const text = fc.uint8Array({ min: 1, maxLength: 40 }).map((bytes) => decodeText(bytes));
const someText = fc.uint8Array({ min: 1, minLength: 1, maxLength: 40 })
  .map((bytes) => decodeText(bytes));
const labels = fc.array(fc.record({ key: someText, value: text }), { maxLength: 4 });

Deno.test("a header comes back as it was", () => {
  const header = fc.record({
    kind: fc.integer({ min: 1, max: 3 }),
    flags: u16,
    code: u16,
    status: u16,
    payloadLength: u32,
    itemCount: u32,
    messageId: u64,
  });
  fc.assert(fc.property(header, (header) => {
    const bytes = written(({ view }) => {
      encodeHeader(view, 0, header);
      return HEADER_BYTES;
    });
    assert.deepEqual(decodeHeader(patched(bytes)), { ...header });
  }));
});

Deno.test("the handshake's messages come back as they were", () => {
  const limits = {
    supportedProfiles: u32,
    maxRequestBytes: u32,
    maxRequestItems: u32,
    maxResponseBytes: u32,
    maxResponseItems: u32,
    packetSize: u32,
  };
  const hello = fc.record({ ...limits, flags: u16, preferredProfiles: u32, authToken: u64 });
  fc.assert(fc.property(hello, (hello) => {
    const bytes = written((target) => encodeHello(target, hello));
    assert.deepEqual(decodeHello(patched(bytes)), { ...hello });
  }));
  const ack = fc.record({
    ...limits,
    intersectionProfiles: u32,
    selectedProfile: u32,
    sessionId: u64,
  });
  fc.assert(fc.property(ack, (ack) => {
    const bytes = written((target) => encodeHelloAck(target, ack));
    assert.deepEqual(decodeHelloAck(patched(bytes)), { ...ack });
  }));
});

Deno.test("numbers, strings and batches come back as they were", () => {
  fc.assert(fc.property(u64, (value) => {
    assert.equal(decodeIncrement(patched(written((to) => encodeIncrement(to, value)))), value);
  }));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    const string = patched(written((to) => encodeString(to, bytes)));
    assert.deepEqual(decodeString(string), bytes);
  }));
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (items) => {
    const bytes = written((target) => {
      const builder = new BatchBuilder(target, items.length);
      for (const item of items) builder.add(item);
      return builder.finish();
    });
    assert.equal(bytes.length % 8, 0);
    assert.deepEqual(new BatchView(patched(bytes), items.length).materialize(), items);
  }));
});

Deno.test("a snapshot comes back as it was", () => {
  const item = fc.record({ hash: u32, options: u32, enabled: u32, name: text, path: text });
  const snapshot = fc.record({
    systemdEnabled: u32,
    generation: u64,
    items: fc.array(item, { maxLength: 20 }),
  });
  fc.assert(fc.property(snapshot, fc.nat(5), (snapshot, spare) => {
    const bytes = written((target) => {
      const builder = new SnapshotBuilder(target, snapshot.items.length + spare);
      for (const item of snapshot.items) builder.add(item);
      return builder.finish(snapshot);
    });
    const items = snapshot.items.map((item) => ({ ...item }));
    assert.deepEqual(new SnapshotView(patched(bytes)).materialize(), { ...snapshot, items });
  }));
});

Deno.test("a lookup of cgroups comes back as it was, as far as it fits", () => {
  const item = fc.record({
    path: someText,
    status: fc.nat(2),
    orchestrator: u16,
    name: text,
    labels,
  });
  const room = fc.oneof(fc.constant(ROOM), fc.integer({ min: 1500, max: 3000 }));
  fc.assert(fc.property(fc.array(item, { maxLength: 12 }), u64, room, (items, generation, room) => {
    const request = written((to) => encodeCgroupsRequest(to, items.map(({ path }) => path)), ROOM);
    const paths = new CgroupsRequestView(patched(request)).materialize();
    assert.deepEqual(paths, items.map(({ path }) => path));
    const bytes = written((target) => {
      const builder = new CgroupsLookupBuilder(target, paths);
      for (const item of items) builder.add(item);
      return builder.finish(generation);
    }, room);
    const view = new CgroupsLookupView(patched(bytes));
    assert.equal(view.generation, generation);
    assert.equal(view.count, items.length);
    for (const [i, item] of view.materialize().entries()) {
      const { path, status, orchestrator, name, labels } = items[i] ?? {};
      const known = status === 0
        ? { path, status, orchestrator, name, labels: labels?.map((label) => ({ ...label })) }
        : { path, status, orchestrator: 0, name: "", labels: [] };
      const cut = { path, status: item.status, orchestrator: 0, name: "", labels: [] };
      assert.deepEqual(item, item.status >= 3 ? cut : known);
      assert.ok(room < ROOM || item.status < 3);
    }
  }));
});

Deno.test("a lookup of processes comes back as it was", () => {
  const { known, unknownRetryLater } = AppCgroupStatus;
  const comm = fc.uint8Array({ min: 1, minLength: 1, maxLength: 15 })
    .map((bytes) => decodeText(bytes));
  const facts = { status: fc.constant(0), ppid: u32, uid: u32, starttime: u64, comm };
  const item = fc.oneof(
    fc.record({
      ...facts,
      cgroupStatus: fc.constant(known),
      orchestrator: u16,
      cgroupPath: someText,
      cgroupName: text,
      labels,
    }),
    fc.record({ ...facts, cgroupStatus: fc.constant(unknownRetryLater), cgroupPath: text }),
    fc.record({ status: fc.constant(1) }),
  );
  const items = fc.array(fc.tuple(u32, item), { maxLength: 12 });
  const empty = {
    ...{ orchestrator: 0, cgroupStatus: 0, ppid: 0, uid: 0xffff_ffff, starttime: 0n, comm: "" },
    ...{ cgroupPath: "", cgroupName: "", labels: [] },
  };
  fc.assert(fc.property(items, u64, (items, generation) => {
    const pids = items.map(([pid]) => pid);
    const request = written((to) => encodeAppsRequest(to, pids));
    assert.deepEqual(new AppsRequestView(patched(request)).materialize(), pids);
    const bytes = written((target) => {
      const builder = new AppsLookupBuilder(target, pids);
      for (const [, item] of items) builder.add(item);
      return builder.finish(generation);
    }, ROOM);
    const wanted = items.map(([pid, item]) => ({ pid, ...empty, ...item }));
    const found = new AppsLookupView(patched(bytes)).materialize();
    assert.deepEqual(structuredClone(found), structuredClone(wanted));
  }));
});

Deno.test("a span of nothing is no message", () => {
  assert.throws(() => decodeHeader(spanOf(new Uint8Array())));
});
