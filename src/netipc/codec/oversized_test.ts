// What a server's lookup says when its answer does not fit.
import assert from "node:assert/strict";
import { AppsLookupBuilder, AppsLookupView, AppStatus } from "./apps_lookup.ts";
import { CgroupsLookupBuilder, CgroupsLookupView, CgroupStatus } from "./cgroups_lookup.ts";
import { spanOf } from "./span.ts";
import { refuses, sized } from "./testing.ts";

const { known, payloadExceeded, oversizedItem } = CgroupStatus;

/** The states of the items of an answer in so much room, where name `i` has so many bytes. */
function statesOf(room: number, names: readonly number[]): number[] {
  const target = spanOf(new Uint8Array(room));
  const builder = new CgroupsLookupBuilder(target, names.map((_, i) => `/${i}`));
  for (const length of names) builder.add({ status: known, name: "n".repeat(length) });
  const view = new CgroupsLookupView(sized(target, builder.finish(0n)));
  assert.deepEqual(view.materialize().map(({ path }) => path), names.map((_, i) => `/${i}`));
  return view.materialize().map(({ status }) => status);
}

Deno.test("everything behind the first item that does not fit is to be asked for again", () => {
  // Whole items take 40 bytes, short ones 32; three of them with their directory 40 more.
  assert.deepEqual(statesOf(40 + 120, [8, 8, 8]), [known, known, known]);
  assert.deepEqual(statesOf(40 + 119, [8, 8, 8]), [known, known, payloadExceeded]);
  assert.deepEqual(statesOf(40 + 112, [8, 8, 8]), [known, known, payloadExceeded]);
  assert.deepEqual(statesOf(40 + 111, [8, 8, 8]), [known, payloadExceeded, payloadExceeded]);
  assert.deepEqual(statesOf(40 + 111, [8, 8, 0]), [known, payloadExceeded, payloadExceeded]);
  assert.deepEqual(statesOf(40 + 104, [8, 8, 8]), [known, payloadExceeded, payloadExceeded]);
});

Deno.test("a first item that is too large by itself says so alone", () => {
  assert.deepEqual(statesOf(40 + 112, [5000, 8, 8]), [oversizedItem, known, known]);
  assert.deepEqual(statesOf(40 + 112, [5000, 5000, 8]), [
    oversizedItem,
    payloadExceeded,
    payloadExceeded,
  ]);
  assert.deepEqual(statesOf(40 + 96, [8, 0, 0]), [oversizedItem, known, known]);
});

Deno.test("an answer of which not even the shortest form fits is refused", () => {
  const { oversizedItem: ownSize } = AppStatus;
  refuses("overflow", () => statesOf(40 + 95, [8, 8, 8]));
  refuses("overflow", () => statesOf(39, [8, 8, 8]));
  const target = spanOf(new Uint8Array(24 + 63));
  const builder = new AppsLookupBuilder(target, [7]);
  builder.add({ status: 0, comm: "c", cgroupPath: "/p" });
  const [item] = new AppsLookupView(sized(target, builder.finish(0n))).materialize();
  assert.deepEqual([item?.status, item?.pid], [ownSize, 7]);
});

Deno.test("an answer about processes is cut like one about cgroups", () => {
  const target = spanOf(new Uint8Array(16 + 3 * 8 + 72 + 2 * 64));
  const builder = new AppsLookupBuilder(target, [1, 2, 3]);
  const answer = { status: 0, comm: "comm", cgroupPath: "/p", cgroupName: "nam" };
  for (let i = 0; i < 3; i++) builder.add(answer);
  const view = new AppsLookupView(sized(target, builder.finish(0n)));
  const { payloadExceeded: again } = AppStatus;
  assert.deepEqual(view.materialize().map(({ status }) => status), [0, again, again]);
  assert.deepEqual(view.materialize().map(({ pid }) => pid), [1, 2, 3]);
});
