import assert from "node:assert/strict";
import type { Batch } from "../../core/change.ts";
import {
  PS_DUMP_BEGIN,
  PS_DUMP_END,
  PS_DUMP_FAILED,
  PS_DUMP_INTERRUPTED,
  PS_LINK_DUMPED,
  PS_LOSS_OVERRUN,
  PS_LOST,
} from "../../../ffi/records.gen.ts";
import { linkRecords, type RecordWish } from "../../../tests/support/link_records.ts";
import { LinkBatches } from "./link_batches.ts";
import { LinkTable } from "./link_table.ts";

const A = { ifindex: 1, name: "A" };
const B = { ifindex: 2, name: "B" };
const dumpedA = { ...A, type: PS_LINK_DUMPED };
const begin = { type: PS_DUMP_BEGIN };
const end = { type: PS_DUMP_END };

function read(reader: LinkBatches, ...wishes: readonly RecordWish[]): string[] {
  return reader.read(linkRecords(...wishes), wishes.length).map(brief);
}

function brief({ mark, changes }: Batch): string {
  return [mark ?? "-", ...changes.map(({ op, key }) => `${op} ${key}`)].join(" ");
}

Deno.test("LinkBatches gives plain events as one batch", () => {
  const reader = new LinkBatches(new LinkTable());
  assert.deepEqual(read(reader, A, B, A), ["- set A set B set A"]);
  assert.deepEqual(read(reader), []);
});

Deno.test("LinkBatches puts dump-begin and lost before the changes that follow them", () => {
  const reader = new LinkBatches(new LinkTable());
  assert.deepEqual(read(reader, A, { type: PS_LOST, value: PS_LOSS_OVERRUN }, B, begin, dumpedA), [
    "- set A",
    "lost set B",
    "dump-begin set A",
  ]);
});

Deno.test("LinkBatches puts dump-end after the changes before it, in a batch of its own", () => {
  const reader = new LinkBatches(new LinkTable());
  assert.deepEqual(read(reader, A, B), ["- set A set B"]);
  assert.deepEqual(read(reader, begin, dumpedA, end, A), [
    "dump-begin set A",
    "dump-end delete B",
    "- set A",
  ]);
  assert.deepEqual(read(reader, begin), ["dump-begin"]);
  assert.deepEqual(read(reader, dumpedA, end), ["dump-end set A"]);
});

Deno.test("LinkBatches says nothing of a dump that broke off, and tells its listener", () => {
  const told: string[] = [];
  const reader = new LinkBatches(new LinkTable(), {
    dumped: () => told.push("dumped"),
    interrupted: (errno) => told.push(`interrupted ${errno}`),
    lost: (reason) => told.push(`lost ${reason}`),
  });
  assert.deepEqual(read(reader, begin, dumpedA, { type: PS_DUMP_INTERRUPTED }, B), [
    "dump-begin set A set B",
  ]);
  assert.deepEqual(
    read(reader, begin, { type: PS_DUMP_FAILED, value: 16 }, begin, dumpedA, end, {
      type: PS_LOST,
      value: 1,
    }),
    ["dump-begin", "dump-begin set A", "dump-end delete B", "lost"],
  );
  assert.deepEqual(told, ["interrupted 0", "interrupted 16", "dumped", "lost 1"]);
});
