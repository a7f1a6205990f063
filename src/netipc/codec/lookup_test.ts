// What both lookups refuse, and what a server says when its answer is too large.
import assert from "node:assert/strict";
import {
  AppCgroupStatus,
  AppsLookupBuilder,
  AppsLookupView,
  AppsRequestView,
  AppStatus,
  encodeAppsRequest,
} from "./apps_lookup.ts";
import {
  CgroupsLookupBuilder,
  CgroupsLookupView,
  CgroupsRequestView,
  CgroupStatus,
  encodeCgroupsRequest,
} from "./cgroups_lookup.ts";
import { spanOf } from "./span.ts";
import { type Patch, patched, refuses, sized, written } from "./testing.ts";

const CGROUPS_REQUEST = written((target) => encodeCgroupsRequest(target, ["/a", "/bcd"]));
const APPS_REQUEST = written((target) => encodeAppsRequest(target, [5, 6]));

Deno.test("a lookup's request is refused for its header and its directory", () => {
  for (
    const [bytes, decode] of [
      [
        CGROUPS_REQUEST,
        (...patches: Patch[]) => new CgroupsRequestView(patched(CGROUPS_REQUEST, ...patches)),
      ],
      [
        APPS_REQUEST,
        (...patches: Patch[]) => new AppsRequestView(patched(APPS_REQUEST, ...patches)),
      ],
    ] as const
  ) {
    assert.equal(decode().count, 2);
    refuses("bad version", () => decode([0, 2, 2]));
    refuses("bad layout", () => decode([2, 2, 1]));
    refuses("bad layout", () => decode([8, 4, 1]));
    refuses("bad layout", () => decode([12, 4, 1]));
    refuses("truncated", () => decode([4, 4, 100]));
    refuses("bad alignment", () => decode([24, 4, 4]));
    refuses("bad layout", () => decode([24, 4, 0]));
    refuses("out of bounds", () => decode([28, 4, 100]));
    assert.ok(bytes.length > 16);
  }
  refuses("truncated", () => new AppsRequestView(sized(patched(APPS_REQUEST), 15)));
});

Deno.test("a path asked for is some bytes and one NUL", () => {
  const decode = (...patches: Patch[]) =>
    new CgroupsRequestView(patched(CGROUPS_REQUEST, ...patches));
  refuses("missing NUL", () => decode([34, 1, 1]));
  refuses("bad layout", () => decode([33, 1, 0]));
  refuses("truncated", () => decode([20, 4, 1]));
  refuses("bad item count", () => decode().path(2));
  refuses("bad item count", () => decode().path(-1));
  const room = () => spanOf(new Uint8Array(64));
  refuses("bad layout", () => encodeCgroupsRequest(room(), [""]));
  refuses("bad layout", () => encodeCgroupsRequest(room(), ["a\0b"]));
  refuses("overflow", () => encodeCgroupsRequest(room(), ["x".repeat(64)]));
  refuses("overflow", () => encodeCgroupsRequest(spanOf(new Uint8Array(15)), []));
  assert.equal(encodeCgroupsRequest(room(), []), 16);
});

Deno.test("a pid asked for is exactly 8 bytes", () => {
  const decode = (...patches: Patch[]) => new AppsRequestView(patched(APPS_REQUEST, ...patches));
  refuses("bad layout", () => decode([36, 4, 1]));
  refuses("truncated", () => decode([20, 4, 7]));
  refuses("bad layout", () =>
    new AppsRequestView(patched(
      written((target) => {
        target.bytes.set(APPS_REQUEST);
        return 56;
      }),
      [28, 4, 9],
    )));
  refuses("bad item count", () => decode().pid(2));
  refuses("bad item count", () => decode().pid(-1));
});

// One item at 24: path at 52, name at 57, the end of the strings at 60, the labels' table at 64.
const CGROUP = {
  status: CgroupStatus.known,
  orchestrator: 3,
  path: "/abc",
  name: "ab",
  labels: [{ key: "k", value: "" }, { key: "kk", value: "v" }],
};
const CGROUPS = written((target) => {
  const builder = new CgroupsLookupBuilder(target, [CGROUP.path]);
  builder.add(CGROUP);
  return builder.finish(1n);
});

Deno.test("an answer about cgroups is refused for its item", () => {
  const decode = (...patches: Patch[]) => new CgroupsLookupView(patched(CGROUPS, ...patches));
  assert.deepEqual(decode().materialize(), [CGROUP]);
  refuses("truncated", () => decode([20, 4, 27]));
  refuses("bad version", () => decode([24, 2, 2]));
  refuses("bad layout", () => decode([26, 2, 5]));
  refuses("bad layout", () => decode([26, 2, 2]));
  refuses("bad layout", () => decode([30, 2, 1]));
  refuses("bad layout", () => decode([50, 2, 1]));
  refuses("out of bounds", () => decode([32, 4, 27]));
  refuses("out of bounds", () => decode([36, 4, 0xffffffff]));
  refuses("missing NUL", () => decode([56, 1, 1]));
  refuses("bad layout", () => decode([53, 1, 0]));
  refuses("bad layout", () => decode([36, 4, 0], [52, 1, 0]));
  refuses("bad layout", () => decode([40, 4, 30], [44, 4, 2]));
  refuses("bad item count", () => decode().item(1));
  refuses("bad item count", () => decode().item(-1));
  refuses("bad layout", () => decode([28, 2, 1], [26, 2, 1]));
});

Deno.test("labels are refused unless they stand without a gap in their order", () => {
  const decode = (...patches: Patch[]) => new CgroupsLookupView(patched(CGROUPS, ...patches));
  refuses("bad layout", () => decode([48, 2, 0])); // no labels, but bytes behind the strings
  refuses("truncated", () => decode([48, 2, 4]));
  refuses("bad layout", () => decode([48, 2, 1]));
  refuses("bad layout", () => decode([60, 1, 1])); // padding before the table
  refuses("bad layout", () => decode([64, 4, 73]));
  refuses("bad layout", () => decode([68, 4, 0], [96, 1, 0]));
  refuses("bad layout", () => decode([72, 4, 75]));
  refuses("missing NUL", () => decode([97, 1, 1]));
  refuses("out of bounds", () => decode([92, 4, 2]));
  const shorter = patched(CGROUPS, [20, 4, CGROUPS.length - 24 - 1]);
  refuses("out of bounds", () => new CgroupsLookupView(shorter));
  const longer = patched(new Uint8Array([...CGROUPS, 0]), [20, 4, CGROUPS.length - 24 + 1]);
  refuses("bad layout", () => new CgroupsLookupView(longer));
});

// One item at 24: its strings from 84 on.
const APP = {
  status: AppStatus.known,
  orchestrator: 2,
  cgroupStatus: AppCgroupStatus.known,
  pid: 9,
  ppid: 1,
  uid: 0,
  starttime: 5n,
  comm: "c",
  cgroupPath: "/p",
  cgroupName: "n",
  labels: [{ key: "k", value: "v" }],
};
const NAMELESS = { orchestrator: 0, cgroupName: "", labels: [] };
const apps = (item: object) =>
  written((target) => {
    const builder = new AppsLookupBuilder(target, [9]);
    builder.add({ status: 0, ...item });
    return builder.finish(1n);
  });
const APPS = apps(APP);

Deno.test("an answer about processes is refused for its item", () => {
  const decode = (...patches: Patch[]) => new AppsLookupView(patched(APPS, ...patches));
  assert.deepEqual(decode().materialize(), [APP]);
  refuses("truncated", () => decode([20, 4, 59]));
  refuses("bad version", () => decode([24, 2, 2]));
  refuses("bad layout", () => decode([26, 2, 4]));
  refuses("bad layout", () => decode([26, 2, 1]));
  refuses("bad layout", () => decode([44, 4, 1]));
  refuses("bad layout", () => decode([82, 2, 1]));
  refuses("out of bounds", () => decode([56, 4, 59]));
  refuses("missing NUL", () => decode([85, 1, 1]));
  refuses("bad layout", () => decode([64, 4, 60], [68, 4, 1]));
  refuses("bad layout", () => decode([72, 4, 60], [76, 4, 1]));
  refuses("bad layout", () => decode([72, 4, 62], [76, 4, 2]));
  refuses("bad item count", () => decode().item(1));
  refuses("bad item count", () => decode().item(-1));
});

Deno.test("a known process has what the state of its cgroup demands", () => {
  const { known, unknownRetryLater, unknownPermanent, hostRoot } = AppCgroupStatus;
  const states: [number, object, boolean][] = [
    [known, {}, true],
    [known, { cgroupPath: "" }, false],
    [known, NAMELESS, true],
    [known, { comm: "" }, false],
    [known, { comm: "x".repeat(15) }, true],
    [known, { comm: "x".repeat(16) }, false],
    [unknownRetryLater, NAMELESS, true],
    [unknownRetryLater, { ...NAMELESS, cgroupPath: "" }, true],
    [unknownRetryLater, { ...NAMELESS, cgroupName: "n" }, false],
    [unknownRetryLater, { ...NAMELESS, orchestrator: 1 }, false],
    [unknownPermanent, NAMELESS, true],
    [unknownPermanent, { ...NAMELESS, cgroupPath: "" }, false],
    [unknownPermanent, { ...NAMELESS, labels: APP.labels }, false],
    [hostRoot, { ...NAMELESS, cgroupPath: "" }, true],
    [hostRoot, NAMELESS, false],
    [4, {}, false],
  ];
  for (const [cgroupStatus, change, fair] of states) {
    const item = { ...APP, ...change, cgroupStatus };
    if (fair) {
      assert.deepEqual(new AppsLookupView(patched(apps(item))).materialize(), [item]);
      continue;
    }
    refuses("bad layout", () => apps(item));
    // What a builder refuses, a decoder refuses too: here by way of a state that asks for less.
    if (cgroupStatus === hostRoot || cgroupStatus === 4) {
      const other = apps({ ...item, cgroupStatus: known });
      refuses("bad layout", () => new AppsLookupView(patched(other, [30, 2, cgroupStatus])));
    }
  }
  refuses("bad layout", () => new AppsLookupView(patched(APPS, [60, 4, 0], [84, 1, 0])));
});

Deno.test("an unknown process says nothing but its pid", () => {
  const unknown = apps({ status: AppStatus.unknown });
  assert.equal(unknown.length, 24 + 63);
  const decode = (...patches: Patch[]) => new AppsLookupView(patched(unknown, ...patches));
  assert.equal(decode().item(0).status, AppStatus.unknown);
  refuses("bad layout", () => decode([28, 2, 1]));
  refuses("bad layout", () => decode([30, 2, 1]));
  refuses("bad layout", () => decode([36, 4, 1]));
  refuses("bad layout", () => decode([40, 4, 0]));
  refuses("bad layout", () => decode([48, 4, 1]));
  refuses("bad layout", () => decode([52, 4, 1]));
});

Deno.test("an answer that no peer would take is not written", () => {
  const cgroup = (answer: object) => {
    const builder = new CgroupsLookupBuilder(spanOf(new Uint8Array(512)), ["/a"]);
    builder.add({ status: 0, ...answer });
    return builder;
  };
  refuses("bad layout", () => cgroup({ status: 5 }));
  refuses("bad layout", () => cgroup({ status: -1 }));
  refuses("bad layout", () => cgroup({ name: "a\0b" }));
  refuses("bad layout", () => cgroup({ labels: [{ key: "", value: "" }] }));
  refuses("bad layout", () => cgroup({ labels: [{ key: "k", value: "\0" }] }));
  const labels = Array.from({ length: 65536 }, () => ({ key: "k", value: "" }));
  refuses("bad item count", () => cgroup({ labels }));
  refuses("bad item count", () => cgroup({}).add({ status: 0 }));
  refuses("bad layout", () => apps({ status: 4 }));
  refuses("bad layout", () => apps({ cgroupPath: "/p" }));
  refuses("bad layout", () => apps({ comm: "c" }));
  refuses("bad layout", () => apps({ status: -1 }));
  refuses("bad layout", () => apps({ ...APP, cgroupName: "a\0b" }));
  const app = new AppsLookupBuilder(spanOf(new Uint8Array(512)), [1]);
  refuses("bad item count", () => app.finish(0n));
  app.add({ status: 0, comm: "c", cgroupPath: "/p" });
  refuses("bad item count", () => app.add({ status: 1 }));
});
