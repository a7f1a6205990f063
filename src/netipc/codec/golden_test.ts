// The vectors of the public implementations: every encoder gives their bytes, and every decoder
// what they mean.
import assert from "node:assert/strict";
import { AppsLookupBuilder, AppsLookupView, AppsRequestView, AppStatus } from "./apps_lookup.ts";
import { encodeAppsRequest } from "./apps_lookup.ts";
import { BatchBuilder, BatchView } from "./batch.ts";
import {
  CgroupsLookupBuilder,
  CgroupsLookupView,
  CgroupsRequestView,
  CgroupStatus,
  encodeCgroupsRequest,
} from "./cgroups_lookup.ts";
import { SnapshotBuilder, SnapshotView } from "./cgroups_snapshot.ts";
import { decodeSnapshotRequest, encodeSnapshotRequest } from "./cgroups_snapshot.ts";
import { decodeHeader, encodeHeader, HEADER_BYTES, Kind, Method, Status } from "./header.ts";
import { decodeHello, decodeHelloAck, encodeHello, encodeHelloAck, Opcode } from "./hello.ts";
import { decodeIncrement, encodeIncrement } from "./increment.ts";
import { Orchestrator } from "./lookup.ts";
import { type Span, spanOf } from "./span.ts";
import { decodeString, encodeString } from "./string_reverse.ts";

const fromHex = (hex: string) => Uint8Array.fromHex(hex.replaceAll(/\s/g, ""));
const room = () => spanOf(new Uint8Array(1024).fill(0xaa));
const hexOf = ({ bytes, start }: Span, length: number) =>
  bytes.subarray(start, start + length).toHex();

function same(target: Span, length: number, hex: string): void {
  assert.equal(hexOf(target, length), hex.replaceAll(/\s/g, ""));
}

Deno.test("the outer header has the bytes of the protocol", () => {
  const hex = "4350494e010020000100010002000000393000002a000000bebafecaefbeadde";
  const header = {
    kind: Kind.request,
    flags: 1,
    code: Method.cgroupsSnapshot,
    status: Status.ok,
    payloadLength: 12345,
    itemCount: 42,
    messageId: 0xDEADBEEFCAFEBABEn,
  };
  const target = room();
  encodeHeader(target.view, 0, header);
  same(target, HEADER_BYTES, hex);
  assert.deepEqual(decodeHeader(spanOf(fromHex(hex))), header);
});

Deno.test("an error's response has the bytes of the protocol", () => {
  const target = room();
  encodeHeader(target.view, 0, {
    kind: Kind.response,
    flags: 0,
    code: Method.cgroupsSnapshot,
    status: Status.internalError,
    payloadLength: 0,
    itemCount: 1,
    messageId: 7n,
  });
  same(target, HEADER_BYTES, "4350494e01002000020000000200060000000000010000000700000000000000");
});

Deno.test("HELLO and its answer have the bytes of the protocol", () => {
  const hello = {
    flags: 0,
    supportedProfiles: 1,
    preferredProfiles: 1,
    maxRequestBytes: 1024,
    maxRequestItems: 1,
    maxResponseBytes: 65536,
    maxResponseItems: 1,
    authToken: 0xDEADBEEFCAFEBABEn,
    packetSize: 212992,
  };
  const helloHex = "01000000010000000100000000040000010000000000010001000000" +
    "00000000bebafecaefbeadde00400300";
  const target = room();
  same(target, encodeHello(target, hello), helloHex);
  assert.deepEqual(decodeHello(spanOf(fromHex(helloHex))), hello);

  const ack = {
    supportedProfiles: 1,
    intersectionProfiles: 1,
    selectedProfile: 1,
    maxRequestBytes: 1024,
    maxRequestItems: 1,
    maxResponseBytes: 65536,
    maxResponseItems: 1,
    packetSize: 212992,
    sessionId: 1n,
  };
  const ackHex = "010000000100000001000000010000000004000001000000000001000100000000400300" +
    "000000000100000000000000";
  same(target, encodeHelloAck(target, ack), ackHex);
  assert.deepEqual(decodeHelloAck(spanOf(fromHex(ackHex))), ack);
});

Deno.test("the handshake's packets have the bytes of the protocol", () => {
  const hello = "4350494e0100200003000000010000002c000000010000000000000000000000" +
    "0100000001000000010000000004000001000000000001000100000000000000" +
    "bebafecaefbeadde00400300";
  const ack = "4350494e01002000030000000200000030000000010000000000000000000000" +
    "0100000001000000010000000100000000040000010000000000010001000000" +
    "00400300000000000100000000000000";
  for (
    const [hex, code, again] of [
      [hello, Opcode.hello, (to: Span, from: Span) => encodeHello(to, decodeHello(from))],
      [ack, Opcode.helloAck, (to: Span, from: Span) => encodeHelloAck(to, decodeHelloAck(from))],
    ] as const
  ) {
    const packet = spanOf(fromHex(hex));
    const header = decodeHeader(packet);
    assert.deepEqual([header.kind, header.code, header.status], [Kind.control, code, Status.ok]);
    const target = room();
    encodeHeader(target.view, 0, header);
    const part = (span: Span) => ({ ...span, start: HEADER_BYTES, length: header.payloadLength });
    const length = again(part(target), part(packet));
    same(target, HEADER_BYTES + length, hex);
  }
});

Deno.test("batches have the bytes of the protocol", () => {
  const three = "0000000008000000080000000300000010000000080000002900000000000000" +
    "61626300000000008877665544332211";
  const items = ["2900000000000000", "616263", "8877665544332211"].map(fromHex);
  const target = room();
  const builder = new BatchBuilder(target, 3);
  for (const item of items) builder.add(item);
  same(target, builder.finish(), three);
  assert.deepEqual(new BatchView(spanOf(fromHex(three)), 3).materialize(), items);

  const two = "0000000003000000080000000500000061626300000000006465666768000000";
  const padded = new BatchBuilder(target, 2);
  for (const text of ["abc", "defgh"]) {
    const at = padded.room();
    padded.commit(new TextEncoder().encodeInto(text, at.bytes.subarray(at.start)).written);
  }
  same(target, padded.finish(), two);
});

Deno.test("the methods for tests have the bytes of the protocol", () => {
  const target = room();
  same(target, encodeIncrement(target, 41n), "2900000000000000");
  assert.equal(decodeIncrement(spanOf(fromHex("2900000000000000ff"))), 41n);
  const hello = "080000000500000068656c6c6f00";
  same(target, encodeString(target, "hello"), hello);
  assert.equal(new TextDecoder().decode(decodeString(spanOf(fromHex(hello)))), "hello");
});

const SNAPSHOT = `
  010000000300000001000000000000002a00000000000000
  000000004b0000005000000048000000980000005100000001000000e9030000
  0000000001000000200000000d0000002e0000001c000000646f636b65722d61
  6263313233002f7379732f66732f6367726f75702f646f636b65722f61626331
  323300000000000001000000d20700000000000001000000200000000b000000
  2c0000001b0000006b38732d706f642d78797a002f7379732f66732f6367726f
  75702f6b756265706f64732f78797a0001000000bb0b00000000000000000000
  200000000c0000002d0000002300000073797374656d642d75736572002f7379
  732f66732f6367726f75702f757365722e736c6963652f757365722d31303030
  00`;

const SNAPSHOT_ITEMS = [
  {
    hash: 1001,
    options: 0,
    enabled: 1,
    name: "docker-abc123",
    path: "/sys/fs/cgroup/docker/abc123",
  },
  { hash: 2002, options: 0, enabled: 1, name: "k8s-pod-xyz", path: "/sys/fs/cgroup/kubepods/xyz" },
  {
    hash: 3003,
    options: 0,
    enabled: 0,
    name: "systemd-user",
    path: "/sys/fs/cgroup/user.slice/user-1000",
  },
];

Deno.test("a snapshot has the bytes of the protocol, however many items were expected", () => {
  const snapshot = { systemdEnabled: 1, generation: 42n };
  for (const expected of [3, 17, undefined]) {
    const target = room();
    const builder = new SnapshotBuilder(target, expected);
    for (const item of SNAPSHOT_ITEMS) builder.add(item);
    same(target, builder.finish(snapshot), SNAPSHOT);
  }
  const view = new SnapshotView(spanOf(fromHex(SNAPSHOT)));
  assert.deepEqual(view.materialize(), { ...snapshot, items: SNAPSHOT_ITEMS });
  assert.equal(new TextDecoder().decode(view.item(1).name), "k8s-pod-xyz");
  assert.equal(new TextDecoder().decode(view.item(1).path), "/sys/fs/cgroup/kubepods/xyz");

  const target = room();
  same(target, encodeSnapshotRequest(target), "01000000");
  decodeSnapshotRequest(spanOf(fromHex("01000000")));
});

Deno.test("a lookup of cgroups has the bytes of the protocol", () => {
  const request = `
    010000000200000000000000000000000000000011000000180000001f000000
    2f7379732f66732f6367726f75702f6100000000000000002f73797374656d2e
    736c6963652f646f636b65722d6162632e73636f706500`;
  const paths = ["/sys/fs/cgroup/a", "/system.slice/docker-abc.scope"];
  const target = room();
  same(target, encodeCgroupsRequest(target, paths), request);
  assert.deepEqual(new CgroupsRequestView(spanOf(fromHex(request))).materialize(), paths);

  const response = `
    01000000010000006400000000000000000000007200000001000000030000001c0000001500000032000000
    05000000020000002f6b756265706f64732e736c6963652f706f642d6100706f642d61005800000009000000
    62000000070000006a000000030000006e000000030000006e616d6573706163650064656661756c7400706f
    640077656200`;
  const item = {
    status: CgroupStatus.known,
    orchestrator: Orchestrator.k8s,
    path: "/kubepods.slice/pod-a",
    name: "pod-a",
    labels: [{ key: "namespace", value: "default" }, { key: "pod", value: "web" }],
  };
  const builder = new CgroupsLookupBuilder(target, [item.path]);
  builder.add(item);
  same(target, builder.finish(100n), response);
  const view = new CgroupsLookupView(spanOf(fromHex(response)));
  assert.deepEqual(view.materialize(), [item]);
  assert.equal(view.generation, 100n);
});

Deno.test("a lookup of processes has the bytes of the protocol", () => {
  const request = `
    0100000003000000000000000000000000000000080000000800000008000000
    10000000080000000000000000000000d204000000000000e110000000000000`;
  const target = room();
  same(target, encodeAppsRequest(target, [0, 1234, 4321]), request);
  assert.deepEqual(new AppsRequestView(spanOf(fromHex(request))).materialize(), [0, 1234, 4321]);

  const response = `
    0100000001000000c80000000000000000000000a70000000100000002000000d204000001000000e803000000000000
    40e20100000000003c0000000f0000004c0000000b000000580000000b00000002000000313233343536373839303132
    333435002f646f636b65722f61626300636f6e7461696e65722d61000000000088000000050000008e0000000c000000
    9b00000007000000a300000003000000696d616765006e67696e783a6c617465737400736572766963650077656200`;
  const item = {
    status: AppStatus.known,
    orchestrator: Orchestrator.docker,
    cgroupStatus: 0,
    pid: 1234,
    ppid: 1,
    uid: 1000,
    starttime: 123456n,
    comm: "123456789012345",
    cgroupPath: "/docker/abc",
    cgroupName: "container-a",
    labels: [{ key: "image", value: "nginx:latest" }, { key: "service", value: "web" }],
  };
  const builder = new AppsLookupBuilder(target, [1234]);
  builder.add(item);
  same(target, builder.finish(200n), response);
  const view = new AppsLookupView(spanOf(fromHex(response)));
  assert.deepEqual(view.materialize(), [item]);
  assert.equal(view.generation, 200n);

  const exceeded = `
    0100000001000000cd00000000000000000000003f0000000100020000000000d604000000000000ffffffff00000000
    00000000000000003c000000000000003d000000000000003e0000000000000000000000000000`;
  const short = new AppsLookupBuilder(target, [1238]);
  short.add({ status: AppStatus.payloadExceeded });
  same(target, short.finish(205n), exceeded);
  const [only] = new AppsLookupView(spanOf(fromHex(exceeded))).materialize();
  assert.deepEqual(only, {
    status: AppStatus.payloadExceeded,
    orchestrator: 0,
    cgroupStatus: 0,
    pid: 1238,
    ppid: 0,
    uid: 0xffff_ffff,
    starttime: 0n,
    comm: "",
    cgroupPath: "",
    cgroupName: "",
    labels: [],
  });
});
