import assert from "node:assert/strict";
import {
  decodeSnapshotRequest,
  encodeSnapshotRequest,
  SnapshotBuilder,
  SnapshotView,
} from "./cgroups_snapshot.ts";
import { spanOf } from "./span.ts";
import { type Patch, patched, refuses, sized, written } from "./testing.ts";

const ITEM = { hash: 7, options: 1, enabled: 1, name: "name", path: "/path" };

// Two items of 43 bytes: the directory at 24, the items at 40 and 88.
const SNAPSHOT = written((target) => {
  const builder = new SnapshotBuilder(target, 2);
  builder.add(ITEM);
  builder.add({ ...ITEM, hash: 8 });
  return builder.finish({ systemdEnabled: 1, generation: 3n });
});

const view = (...patches: Patch[]) => new SnapshotView(patched(SNAPSHOT, ...patches));

Deno.test("a request for a snapshot is checked", () => {
  const request = written(encodeSnapshotRequest);
  decodeSnapshotRequest(patched(request));
  refuses("truncated", () => decodeSnapshotRequest(sized(patched(request), 3)));
  refuses("bad version", () => decodeSnapshotRequest(patched(request, [0, 2, 2])));
  refuses("bad layout", () => decodeSnapshotRequest(patched(request, [2, 2, 1])));
  refuses("overflow", () => encodeSnapshotRequest(spanOf(new Uint8Array(3))));
});

Deno.test("a snapshot is refused for its header and its directory", () => {
  refuses("truncated", () => new SnapshotView(sized(patched(SNAPSHOT), 23)));
  refuses("bad version", () => view([0, 2, 2]));
  refuses("bad layout", () => view([2, 2, 1]));
  refuses("bad layout", () => view([12, 4, 1]));
  refuses("truncated", () => view([4, 4, 0xffffffff]));
  refuses("bad alignment", () => view([24, 4, 4]));
  refuses("out of bounds", () => view([36, 4, 44]));
  refuses("out of bounds", () => view([32, 4, 0xfffffff8]));
  refuses("truncated", () => view([28, 4, 31]));
});

Deno.test("a snapshot is taken with items that overlap, and with bytes behind it", () => {
  assert.equal(view([32, 4, 0]).item(1).hash, 7);
  const longer = patched(SNAPSHOT);
  assert.equal(new SnapshotView(sized(longer, longer.length + 8)).count, 2);
});

Deno.test("an item is refused when it is read, not before", () => {
  const refusesItem = (fault: Parameters<typeof refuses>[0], ...patches: Patch[]) => {
    const snapshot = view(...patches);
    assert.equal(snapshot.item(1).materialize().hash, 8);
    refuses(fault, () => snapshot.item(0));
    refuses(fault, () => snapshot.materialize());
  };
  refusesItem("bad version", [40, 2, 2]);
  refusesItem("bad layout", [42, 2, 1]);
  refusesItem("out of bounds", [56, 4, 31]);
  refusesItem("out of bounds", [60, 4, 11]);
  refusesItem("out of bounds", [60, 4, 0xffffffff]);
  refusesItem("out of bounds", [64, 4, 31]);
  refusesItem("out of bounds", [68, 4, 6]);
  refusesItem("missing NUL", [76, 1, 1]);
  refusesItem("missing NUL", [82, 1, 1]);
  // The path begins inside the name, or at its NUL.
  refusesItem("bad layout", [64, 4, 34], [68, 4, 2]);
  refusesItem("bad layout", [64, 4, 36], [68, 4, 0]);
  refuses("bad item count", () => view().item(-1));
  refuses("bad item count", () => view().item(2));
});

Deno.test("an item is taken with its path before its name", () => {
  const item = view([56, 4, 37], [60, 4, 5], [64, 4, 32], [68, 4, 4]).item(0).materialize();
  assert.deepEqual([item.name, item.path], ["/path", "name"]);
});

Deno.test("an item is taken with a NUL in the middle of its name, which nobody looks for", () => {
  assert.equal(view([73, 1, 0]).item(0).materialize().name, "n\0me");
});

Deno.test("a snapshot that does not fit is refused, and what fitted stays", () => {
  refuses("overflow", () => new SnapshotBuilder(spanOf(new Uint8Array(23)), 0));
  refuses("overflow", () => new SnapshotBuilder(spanOf(new Uint8Array(31)), 1));
  const target = spanOf(new Uint8Array(90));
  const builder = new SnapshotBuilder(target);
  builder.add(ITEM);
  refuses("overflow", () => builder.add(ITEM));
  const length = builder.finish({ systemdEnabled: 0, generation: 0n });
  assert.deepEqual(new SnapshotView(sized(target, length)).materialize().items, [ITEM]);
});
