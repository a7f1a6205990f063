import assert from "node:assert/strict";
import { BatchBuilder, BatchView } from "./batch.ts";
import { spanOf } from "./span.ts";
import { patched, refuses, sized, written } from "./testing.ts";

const BATCH = written((target) => {
  const builder = new BatchBuilder(target, 2);
  builder.add(Uint8Array.of(1, 2, 3));
  builder.add(Uint8Array.of(4, 5, 6, 7, 8));
  return builder.finish();
});

Deno.test("a batch is refused when an item is not aligned or outside", () => {
  refuses("bad alignment", () => new BatchView(patched(BATCH, [8, 4, 4]), 2));
  refuses("out of bounds", () => new BatchView(patched(BATCH, [12, 4, 9]), 2));
  refuses("out of bounds", () => new BatchView(patched(BATCH, [8, 4, 0xfffffff8]), 2));
  refuses("out of bounds", () => new BatchView(patched(BATCH, [4, 4, 0xffffffff]), 2));
  refuses("truncated", () => new BatchView(sized(patched(BATCH), 15), 2));
  refuses("truncated", () => new BatchView(patched(BATCH), 0xffffffff));
});

Deno.test("a batch is taken with items that overlap or stand in any order", () => {
  const same = new BatchView(patched(BATCH, [8, 4, 0]), 2);
  assert.deepEqual([...same].map(({ length }) => length), [3, 5]);
  const turned = new BatchView(patched(BATCH, [0, 4, 8], [8, 4, 0]), 2);
  assert.deepEqual(turned.materialize(), [Uint8Array.of(4, 5, 6), Uint8Array.of(1, 2, 3, 0, 0)]);
  assert.equal(new BatchView(spanOf(new Uint8Array()), 0).count, 0);
});

Deno.test("a batch has no item before the first or behind the last", () => {
  const batch = new BatchView(patched(BATCH), 2);
  for (const i of [-1, 2, NaN]) {
    refuses("bad item count", () => batch.item(i));
    refuses("bad item count", () => batch.move(i));
  }
});

Deno.test("a window moves over the items of a batch in any order", () => {
  const batch = new BatchView(patched(BATCH), 2);
  for (const i of [1, 0]) assert.deepEqual({ ...batch.move(i) }, batch.item(i));
});

Deno.test("a batch that does not fit is refused, and one with too few items", () => {
  refuses("overflow", () => new BatchBuilder(spanOf(new Uint8Array(15)), 2));
  const builder = new BatchBuilder(spanOf(new Uint8Array(23)), 2);
  refuses("overflow", () => builder.add(new Uint8Array(8)));
  builder.add(new Uint8Array(7));
  refuses("bad item count", () => builder.finish());
  refuses("overflow", () => builder.commit(1));
  assert.equal(builder.room().length, 0);
});

Deno.test("the padding behind the last item is left out where it does not fit", () => {
  const target = spanOf(new Uint8Array(11));
  const builder = new BatchBuilder(target, 1);
  builder.add(Uint8Array.of(1, 2, 3));
  assert.equal(builder.finish(), 11);
});
