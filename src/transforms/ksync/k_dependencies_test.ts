import assert from "node:assert/strict";
import { Lab } from "../../../tests/support/ksync_lab.ts";

/** Answers only when the test says so. */
const Y = { atOnce: [] };
const INDEXED = { index: { allocate: "engine", max: 256 } } as const;

Deno.test("K12: a reference that is changed lets the old one go", () => {
  const lab = new Lab();
  lab.set("P");
  lab.set("Q", "P");
  lab.set("R");
  assert.deepEqual(lab.states("P", "Q", "R"), ["IN_SYNC", "IN_SYNC", "IN_SYNC"]);
  lab.set("Q", "R");
  lab.delete("P", "Q", "R");
  lab.counts(3, 1, 3, 3);
  assert.equal(lab.table.size, 0);
});

Deno.test("K13: a missing dependency is a placeholder, and both go without a write", () => {
  const lab = new Lab({ table: INDEXED });
  lab.set("X", "M");
  assert.deepEqual(lab.states("X", "M"), ["ADD_DEFER", "TEMP"]);
  assert.equal(lab.refs("M"), 3);
  assert.equal(lab.entry("M").index, 1);
  lab.delete("X");
  lab.counts(0, 0, 0, 2);
  assert.equal(lab.table.size, 0);
  assert.equal(lab.table.indexes?.size, 0);
});

Deno.test("K14: what waits is written after what it waits for", () => {
  const lab = new Lab();
  lab.set("X", "M");
  lab.set("M");
  assert.equal(lab.state("X"), "IN_SYNC");
  assert.deepEqual(lab.writes, ["A M", "A X"]);
});

Deno.test("K15: a delete waits until nobody refers to the entry", () => {
  const lab = new Lab();
  lab.set("P");
  lab.set("Q", "P");
  lab.delete("P");
  assert.equal(lab.state("P"), "DEL_DEFER_REF");
  lab.counts(2, 0, 0);
  lab.delete("Q");
  assert.deepEqual(lab.writes.slice(2), ["D Q", "D P"]);
  lab.counts(2, 0, 2, 2);
});

Deno.test("K16: deletes go from the top of a tree to its root", () => {
  const lab = new Lab();
  lab.set("v1");
  lab.set("v2", "v1");
  lab.set("v3", "v2");
  lab.set("v4", "v1");
  lab.delete("v1", "v2");
  lab.counts(4, 0, 0);
  assert.deepEqual(lab.states("v1", "v2"), ["DEL_DEFER_REF", "DEL_DEFER_REF"]);
  lab.delete("v3");
  assert.deepEqual(lab.writes.slice(4), ["D v3", "D v2"]);
  assert.equal(lab.state("v1"), "DEL_DEFER_REF");
  lab.delete("v4");
  lab.counts(4, 0, 4);
});

Deno.test("K17: several waiters and their dependency count each other", () => {
  const lab = new Lab();
  for (const key of ["a", "b", "c"]) lab.set(key, "M");
  for (const key of ["a", "b", "c"]) assert.equal(lab.refs(key), 2);
  lab.set("M");
  for (const key of ["a", "b", "c"]) assert.equal(lab.refs(key), 1);
  assert.equal(lab.refs("M"), 4);
  lab.counts(4, 0, 0);
  lab.delete("M");
  assert.equal(lab.state("M"), "DEL_DEFER_REF");
  lab.counts(4, 0, 0);
  lab.delete("a");
  lab.counts(4, 0, 1, 1);
  lab.delete("b");
  lab.counts(4, 0, 2, 2);
  lab.delete("c");
  lab.counts(4, 0, 4, 4);
});

Deno.test("K18: a waiter that names another dependency leaves the first", () => {
  const lab = new Lab();
  lab.set("X", "M2");
  lab.set("X", "M3");
  assert.equal(lab.freed, 1);
  lab.set("M2");
  assert.equal(lab.state("X"), "ADD_DEFER");
  lab.set("M3");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(3, 0, 0);
  assert.equal(lab.refs("M2"), 1);
  assert.equal(lab.refs("M3"), 2);
});

Deno.test("K19: a waiter that names what is there is written at once", () => {
  const lab = new Lab();
  lab.set("X", "M2");
  lab.set("M3");
  lab.set("X", "M3");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(2, 0, 0, 1);
});

/** B needs C, which is missing; A needs B; then B is deleted. */
function placeholderOverPlaceholder(): Lab {
  const lab = new Lab();
  lab.set("B", "C");
  lab.set("A", "B");
  assert.equal(lab.refs("B"), 4);
  lab.delete("B");
  assert.deepEqual(lab.states("A", "B", "C"), ["ADD_DEFER", "TEMP", "TEMP"]);
  assert.equal(lab.refs("B"), 3);
  lab.counts(0, 0, 0, 0);
  return lab;
}

Deno.test("K20: a deleted entry that others wait for stays as a placeholder", () => {
  const lab = placeholderOverPlaceholder();
  lab.delete("A");
  lab.counts(0, 0, 0, 3);
  assert.equal(lab.table.size, 0);
});

Deno.test("K21: a placeholder that is made with another dependency lets the old one go", () => {
  const lab = placeholderOverPlaceholder();
  lab.set("D");
  lab.set("B", "D");
  assert.deepEqual(lab.writes, ["A D", "A B", "A A"]);
  assert.equal(lab.state("C"), "gone");
  lab.delete("A", "B", "D");
  lab.counts(3, 0, 3, 4);
});

Deno.test("K22: what only a placeholder refers to releases nobody", () => {
  const lab = placeholderOverPlaceholder();
  lab.set("C");
  assert.deepEqual(lab.states("A", "B"), ["ADD_DEFER", "TEMP"]);
  assert.equal(lab.refs("C"), 2);
  lab.delete("A");
  assert.equal(lab.freed, 2);
  assert.equal(lab.refs("C"), 1);
  lab.delete("C");
  lab.counts(1, 0, 1, 3);
});

Deno.test("K23: a change whose dependency is missing waits, and comes after it", () => {
  const lab = new Lab();
  lab.set("X");
  lab.set("X", "M");
  assert.equal(lab.state("X"), "CHANGE_DEFER");
  lab.counts(1, 0, 0);
  lab.set("M");
  assert.deepEqual(lab.writes.slice(1), ["A M", "C X"]);
  lab.delete("X", "M");
  lab.counts(2, 1, 2);
});

Deno.test("K24: a deferred change does not hold up the delete", () => {
  const lab = new Lab();
  lab.set("X");
  lab.set("X", "M");
  lab.delete("X");
  lab.counts(1, 0, 1, 2);
});

Deno.test("K25: the placeholder lives until the delete of its referrer is answered", () => {
  const lab = new Lab({ atOnce: ["add", "change"] });
  lab.set("X");
  lab.set("X", "M");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.counts(1, 0, 1, 0);
  lab.ack("X");
  lab.counts(1, 0, 1, 2);
  assert.equal(lab.table.size, 0);
});

Deno.test("K26: dependencies that change and come, under an entry that then leaves", () => {
  const lab = new Lab();
  lab.completes = (kind, key) => !(kind === "delete" && key === "X");
  lab.set("X");
  lab.set("X", "M2");
  assert.equal(lab.state("X"), "CHANGE_DEFER");
  lab.set("X", "M5");
  assert.equal(lab.state("X"), "CHANGE_DEFER");
  assert.equal(lab.freed, 1);
  lab.set("M5");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(2, 1, 0);
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.delete("M5");
  assert.equal(lab.state("M5"), "DEL_DEFER_REF");
  lab.ack("X");
  assert.equal(lab.table.size, 0);
  lab.counts(2, 1, 2, 3);
});

Deno.test("K27: changes of value and of dependency while requests are outstanding", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.set("X");
  lab.set("X", "Z");
  assert.equal(lab.state("X"), "NEED_SYNC");
  lab.set("Z");
  lab.ack("X");
  assert.equal(lab.state("X"), "SYNC_WAIT"); // that Z was sent is enough
  lab.counts(2, 1, 0);
  lab.set("X", "W");
  assert.equal(lab.state("X"), "NEED_SYNC");
  lab.ack("X");
  assert.equal(lab.state("X"), "CHANGE_DEFER");
  lab.set("W");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.counts(3, 2, 0);
  lab.set("X", "V");
  assert.equal(lab.state("X"), "NEED_SYNC");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_SYNC");
  lab.ack("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.counts(3, 2, 1);
  assert.equal(lab.state("V"), "TEMP");
  lab.ack("X");
  assert.deepEqual(lab.states("X", "V"), ["gone", "gone"]);
});

Deno.test("K27: with confirmed dependencies the changes wait until these are answered", () => {
  const lab = new Lab({ ...Y, resolveOn: "acked" });
  lab.set("X");
  lab.set("X", "Z");
  lab.set("Z");
  lab.ack("X");
  assert.equal(lab.state("X"), "CHANGE_DEFER");
  lab.ack("Z");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.set("X", "W");
  lab.ack("X");
  lab.set("W");
  assert.equal(lab.state("X"), "CHANGE_DEFER");
  lab.ack("W");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.counts(3, 2, 0);
});

Deno.test("K28: a dependency that is deleted again leaves after its referrer", () => {
  const lab = new Lab(Y);
  lab.set("X", "M");
  lab.set("M");
  assert.deepEqual(lab.writes, ["A M", "A X"]);
  lab.delete("M");
  assert.equal(lab.state("M"), "DEL_DEFER_SYNC");
  lab.ack("M");
  assert.equal(lab.state("M"), "DEL_DEFER_REF");
  lab.ack("X");
  lab.delete("X");
  lab.ack("X");
  assert.equal(lab.state("M"), "DEL_ACK_WAIT");
  lab.ack("M");
  lab.counts(2, 0, 2, 2);
});

Deno.test("K28: with confirmed dependencies nothing is written over one that leaves", () => {
  const lab = new Lab({ ...Y, resolveOn: "acked" });
  lab.set("X", "M");
  lab.set("M");
  lab.delete("M");
  lab.ack("M");
  assert.equal(lab.state("X"), "ADD_DEFER");
  lab.delete("X");
  lab.ack("M");
  assert.deepEqual(lab.writes, ["A M", "D M"]);
  assert.equal(lab.table.size, 0);
});

Deno.test("K29: an entry whose delete is answered stays as a placeholder for who waits", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.ack("X");
  lab.delete("X");
  lab.set("W", "X");
  assert.equal(lab.state("W"), "ADD_DEFER");
  lab.ack("X");
  assert.equal(lab.state("X"), "TEMP");
  lab.delete("X");
  assert.equal(lab.state("X"), "TEMP");
  lab.delete("W");
  lab.counts(1, 0, 1, 2);
  assert.equal(lab.table.size, 0);
});

Deno.test("K30: an entry that comes back while its delete is outstanding releases who waits", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.ack("X");
  lab.delete("X");
  lab.set("W", "X");
  lab.set("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.ack("X");
  assert.deepEqual(lab.states("X", "W"), ["SYNC_WAIT", "SYNC_WAIT"]);
  lab.ack("X", "W");
  assert.deepEqual(lab.states("X", "W"), ["IN_SYNC", "IN_SYNC"]);
  lab.delete("W", "X");
  assert.equal(lab.state("X"), "DEL_DEFER_REF");
  lab.ack("W", "X");
  lab.counts(3, 0, 3, 2);
});

Deno.test("K31: a chain that is built from its end is written from its root", () => {
  const lab = new Lab();
  lab.set("c", "b");
  lab.set("b", "a");
  lab.counts(0, 0, 0);
  lab.set("a");
  assert.deepEqual(lab.writes, ["A a", "A b", "A c"]);
});

Deno.test("K32: a hundred waiters are written in the order in which they began to wait", () => {
  const lab = new Lab();
  const names = Array.from({ length: 100 }, (_, n) => `e${99 - n}`);
  for (const name of names) lab.set(name, "M");
  assert.equal(lab.refs("M"), 201);
  lab.set("M");
  assert.deepEqual(lab.writes, ["A M", ...names.map((name) => `A ${name}`)]);
  assert.equal(lab.refs("M"), 101);
});

Deno.test("K33: whoever refers to an entry that is leaving waits, and is never written", () => {
  const lab = new Lab();
  lab.set("P");
  lab.set("Q", "P");
  lab.delete("P");
  lab.set("R", "P");
  assert.equal(lab.state("R"), "ADD_DEFER");
  lab.delete("Q");
  assert.deepEqual(lab.writes, ["A P", "A Q", "D Q"]);
  lab.delete("R");
  lab.counts(2, 0, 2, 3);
});

Deno.test("K34: an entry that is made again before its delete was sent never leaves", () => {
  for (const [value, changes] of [["other", 1], ["first", 0]] as const) {
    const lab = new Lab();
    lab.set("P", "", "first");
    lab.set("Q", "P");
    lab.delete("P");
    lab.set("P", "", value);
    assert.equal(lab.state("P"), "IN_SYNC");
    lab.delete("Q", "P");
    lab.counts(2, changes, 2);
  }
});

Deno.test("K35: without compression even the delete of what was never sent is sent", () => {
  const lab = new Lab({ atOnce: ["add", "change"], table: { compressDeletes: false } });
  lab.set("X", "M");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.counts(0, 0, 1);
  lab.ack("X");
  assert.equal(lab.table.size, 0);
});

Deno.test("K36: without compression, under a reference from outside", () => {
  const lab = new Lab({ atOnce: ["add", "change"], table: { compressDeletes: false } });
  lab.set("X", "M");
  const held = lab.hold("X");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_REF");
  lab.counts(0, 0, 0);
  lab.set("X", "M");
  assert.equal(lab.state("X"), "ADD_DEFER");
  lab.engine.release(held);
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.counts(0, 0, 1);
  lab.ack("X");
  assert.equal(lab.table.size, 0);
  lab.counts(0, 0, 1);
});
