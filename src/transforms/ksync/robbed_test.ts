import assert from "node:assert/strict";
import { Lab } from "../../../tests/support/ksync_lab.ts";
import { close, makeBench, ROW, set, turn } from "../../../tests/support/reconciler.ts";

/** An engine whose requests the test answers, with a row `X` that has `a` and `b`. */
function labWithRow(): Lab {
  const lab = new Lab({ atOnce: [] });
  lab.engine.set(lab.table, "X", { a: "1", b: "1" });
  return lab;
}

Deno.test("A first write adds every field, and that is as it should be", () => {
  const lab = labWithRow();
  lab.answer("X", { kind: "ok", added: 2 });
  assert.equal(lab.table.robbed, false);
});

Deno.test("A change that adds what was there already tells that the row was emptied", () => {
  const lab = labWithRow();
  lab.answer("X", { kind: "ok", added: 2 });
  lab.engine.set(lab.table, "X", { a: "2", b: "1" });
  lab.answer("X", { kind: "ok", added: 1 });
  assert.equal(lab.table.robbed, true);
  assert.equal(lab.table.counters.drifted, 1);
  assert.deepEqual(lab.reports, [
    { kind: "drift", text: "fields of it were gone, so all rows of its table are read again" },
  ]);
});

Deno.test("A field that is new to the row may be added, and a deleted row adds none", () => {
  const lab = labWithRow();
  lab.answer("X", { kind: "ok", added: 2 });
  lab.engine.set(lab.table, "X", { a: "2", b: "1", c: "1" });
  lab.answer("X", { kind: "ok", added: 1 });
  lab.delete("X");
  lab.answer("X", { kind: "ok", added: 1 });
  assert.equal(lab.table.robbed, false);
});

Deno.test("A write to a row of which nothing is known proves nothing", () => {
  const lab = labWithRow();
  lab.answer("X", { kind: "transient", error: new Error("busy") });
  lab.engine.tick(1000);
  lab.answer("X", { kind: "ok", added: 2 });
  assert.equal(lab.table.robbed, false);
});

Deno.test("Rows that somebody else has emptied are read again and written as a whole", async () => {
  const bench = await makeBench();
  await bench.handle({ changes: [set("a"), set("b")] });
  bench.sink.isManual = true;
  void bench.handle({ changes: [set("a", { ...ROW, mtu: "1" })] });
  bench.sink.tables.get("T")?.clear();
  bench.sink.pending[0]?.answer([{ ok: true, added: 1 }]);
  bench.sink.isManual = false;
  await bench.sink.written(3);
  await turn();
  assert.deepEqual(bench.sink.scanned, ["T", "T"]);
  assert.deepEqual(bench.sink.row("T", "a"), { ...ROW, mtu: "1" });
  assert.deepEqual(bench.sink.row("T", "b"), ROW);
  await close(bench);
});
