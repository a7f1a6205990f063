/**
 * The sink's rows: read, adopted, and shared with others (chapters 13 and 18.5).
 */
import assert from "node:assert/strict";
import type { Fields } from "../../core/change.ts";
import { Lab, type LabOptions } from "../../../tests/support/ksync_lab.ts";

/** Rows are ours that carry `state` and whose key has no dot. */
function owns(key: string, fields: Fields): boolean {
  return !key.includes(".") && "state" in fields;
}

const OK_ROW = { state: "ok", mtu: "9100" };

/** A lab whose sink has to be read before anything is written. */
function unread(options: LabOptions = {}, table: LabOptions["table"] = {}): Lab {
  return new Lab({ ...options, table: { owns, needsScan: true, ...table } });
}

/** Reads the sink. */
function read(lab: Lab, rows: Readonly<Record<string, Fields>>): void {
  lab.engine.beginScan(lab.table);
  for (const [key, fields] of Object.entries(rows)) lab.engine.found(lab.table, key, fields);
  lab.engine.endScan(lab.table);
}

function set(lab: Lab, key: string, fields: Fields): void {
  lab.engine.set(lab.table, key, fields);
}

Deno.test("Nothing is written before the sink is read, and then only what differs", () => {
  const lab = unread();
  set(lab, "same", OK_ROW);
  set(lab, "other", OK_ROW);
  set(lab, "new", OK_ROW);
  lab.delete("gone", "absent");
  assert.deepEqual(lab.writes, []);
  read(lab, { same: OK_ROW, other: { ...OK_ROW, mtu: "1500" }, gone: OK_ROW });
  assert.deepEqual(lab.writes, ["C other", "A new", "D gone"]);
  assert.deepEqual(lab.operations[0], {
    op: "set",
    table: "T",
    key: "other",
    fields: { mtu: "9100" },
    removed: [],
  });
  assert.equal(lab.table.size, 3);
});

Deno.test("A restart with nothing changed writes nothing", () => {
  const lab = unread();
  lab.engine.dumpBegins();
  const rows = Object.fromEntries(
    Array.from({ length: 50 }, (_, n) => [`Ethernet${n}`, { ...OK_ROW, host_tx_ready: "true" }]),
  );
  read(lab, rows);
  for (const key of Object.keys(rows)) set(lab, key, OK_ROW);
  lab.engine.dumpEnds();
  lab.pass(1000);
  assert.deepEqual(lab.writes, []);
  assert.equal(lab.engine.nextDeadline(), Infinity);
});

Deno.test("Foreign fields of an adopted row cause no write and are never named", () => {
  const lab = unread();
  read(lab, { X: { ...OK_ROW, host_tx_ready: "true" } });
  set(lab, "X", { ...OK_ROW, mtu: "1500" });
  assert.deepEqual(lab.operations, [
    { op: "set", table: "T", key: "X", fields: { mtu: "1500" }, removed: [] },
  ]);
  assert.deepEqual(lab.entry("X").believed, { ...OK_ROW, mtu: "1500" });
});

Deno.test("Fields that are declared ours are removed, also when an earlier run wrote them", () => {
  const lab = unread({}, { ownFields: new Set(["mac"]) });
  read(lab, { X: { ...OK_ROW, mac: "02:00", speed: "100" } });
  set(lab, "X", OK_ROW);
  assert.deepEqual(lab.operations, [
    { op: "set", table: "T", key: "X", fields: {}, removed: ["mac"] },
  ]);
});

Deno.test("Fields that the owner takes away are removed from an adopted row", () => {
  const lab = unread();
  read(lab, { X: { ...OK_ROW, mac: "02:00" } });
  lab.engine.set(lab.table, "X", OK_ROW, ["mac", "none"]);
  assert.deepEqual(lab.operations, [
    { op: "set", table: "T", key: "X", fields: {}, removed: ["mac", "none"] },
  ]);
});

Deno.test("Without ownership nothing is adopted or swept, but a fresh row costs no write", () => {
  const lab = unread({}, { owns: undefined });
  lab.engine.dumpBegins();
  read(lab, { a: { ...OK_ROW, foreign: "x" }, b: OK_ROW });
  assert.equal(lab.table.size, 0);
  set(lab, "a", OK_ROW);
  lab.engine.dumpEnds();
  lab.pass(1000);
  assert.deepEqual(lab.writes, []);
  // What was read grows old: after the dump only that the row is there is known.
  set(lab, "b", OK_ROW);
  assert.deepEqual(lab.operations, [
    { op: "set", table: "T", key: "b", fields: OK_ROW, removed: [] },
  ]);
});

Deno.test("A row that nobody claimed is deleted when its owner says so", () => {
  const lab = unread({}, { owns: undefined });
  read(lab, { a: OK_ROW });
  lab.delete("a", "b");
  assert.deepEqual(lab.writes, ["D a"]);
  assert.equal(lab.table.counters.duplicates, 1);
});

Deno.test("A claim of a placeholder finds what the sink holds", () => {
  const lab = unread({}, { owns: undefined });
  lab.hold("X");
  read(lab, { X: OK_ROW });
  assert.equal(lab.state("X"), "TEMP");
  set(lab, "X", OK_ROW);
  assert.deepEqual(lab.writes, []);
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("A placeholder whose row is found and ours becomes that row", () => {
  const lab = unread();
  lab.hold("X");
  read(lab, { X: OK_ROW });
  assert.equal(lab.state("X"), "IN_SYNC");
  assert.equal(lab.table.stale.size, 1);
});

Deno.test("A delete of a placeholder whose row somebody else made is sent", () => {
  const lab = unread({}, { owns: undefined });
  const held = lab.hold("X");
  read(lab, { X: OK_ROW });
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_REF");
  lab.engine.release(held);
  assert.deepEqual(lab.writes, ["D X"]);
});

Deno.test("An intact sink costs reads and no write when it comes back", () => {
  const lab = unread();
  read(lab, {});
  set(lab, "a", OK_ROW);
  set(lab, "b", OK_ROW);
  lab.engine.sinkLost(lab.table);
  assert.deepEqual(lab.states("a", "b"), ["BACKOFF", "BACKOFF"]);
  read(lab, { a: { ...OK_ROW, host_tx_ready: "true" }, b: OK_ROW });
  assert.deepEqual(lab.states("a", "b"), ["IN_SYNC", "IN_SYNC"]);
  lab.counts(2, 0, 0);
});

Deno.test("What the sink lost or changed while it was away is put right", () => {
  const lab = unread();
  read(lab, {});
  for (const key of ["lost", "old", "kept"]) set(lab, key, OK_ROW);
  lab.engine.sinkLost(lab.table);
  read(lab, { old: { ...OK_ROW, mtu: "1" }, kept: OK_ROW });
  lab.counts(4, 1, 0);
  assert.deepEqual(lab.writes.slice(3), ["A lost", "C old"]);
});

Deno.test("A scan that is cut off by another loss counts for nothing", () => {
  const lab = unread();
  read(lab, {});
  set(lab, "a", OK_ROW);
  lab.engine.sinkLost(lab.table);
  lab.engine.beginScan(lab.table);
  lab.engine.found(lab.table, "a", OK_ROW);
  lab.engine.sinkLost(lab.table);
  set(lab, "a", OK_ROW);
  assert.equal(lab.state("a"), "BACKOFF");
  read(lab, {});
  lab.counts(2, 0, 0);
});

Deno.test("A row that is claimed while it is read is known from that moment", () => {
  const lab = unread();
  lab.engine.beginScan(lab.table);
  lab.engine.found(lab.table, "a", OK_ROW);
  set(lab, "a", OK_ROW);
  assert.equal(lab.state("a"), "IN_SYNC");
  lab.engine.found(lab.table, "b.1", OK_ROW);
  set(lab, "b.1", OK_ROW);
  assert.equal(lab.state("b.1"), "IN_SYNC");
  lab.engine.endScan(lab.table);
  assert.deepEqual(lab.writes, []);
});

Deno.test("A request that the loss cut off leaves no field behind", () => {
  const lab = unread({ atOnce: [] });
  read(lab, {});
  set(lab, "a", { ...OK_ROW, extra: "1" });
  lab.engine.sinkLost(lab.table);
  set(lab, "a", OK_ROW);
  read(lab, { a: { ...OK_ROW, extra: "1", foreign: "x" } });
  assert.deepEqual(lab.operations.slice(1), [
    { op: "set", table: "T", key: "a", fields: {}, removed: ["extra"] },
  ]);
});

Deno.test("A field that a lost request was to remove is removed when the sink is back", () => {
  const lab = unread({ atOnce: ["add"] });
  read(lab, {});
  set(lab, "a", OK_ROW);
  lab.engine.set(lab.table, "a", OK_ROW, ["old"]);
  lab.engine.sinkLost(lab.table);
  read(lab, { a: { ...OK_ROW, old: "1", foreign: "x" } });
  assert.deepEqual(lab.operations.slice(2), [
    { op: "set", table: "T", key: "a", fields: {}, removed: ["old"] },
  ]);
});

Deno.test("A delete and a renew that the loss cut off are finished when the sink is back", () => {
  const lab = unread({ atOnce: ["add"] });
  read(lab, {});
  set(lab, "deleted", OK_ROW);
  set(lab, "renewed", OK_ROW);
  set(lab, "vanished", OK_ROW);
  lab.delete("deleted", "vanished");
  lab.renew("renewed");
  lab.engine.sinkLost(lab.table);
  read(lab, { deleted: OK_ROW, renewed: OK_ROW });
  assert.deepEqual(lab.writes.slice(6), ["D deleted", "D renewed"]);
  assert.deepEqual(lab.states("deleted", "renewed", "vanished"), [
    "DEL_ACK_WAIT",
    "RENEW_WAIT",
    "gone",
  ]);
});

Deno.test("What waits for a dependency is in the state that the scan says", () => {
  const lab = unread();
  read(lab, {});
  lab.set("added", "M");
  lab.set("changed", "", "1");
  lab.set("changed", "M", "2");
  assert.deepEqual(lab.states("added", "changed"), ["ADD_DEFER", "CHANGE_DEFER"]);
  lab.engine.sinkLost(lab.table);
  lab.set("new", "M");
  assert.equal(lab.state("new"), "ADD_DEFER");
  read(lab, { added: { value: "old", needs: "" } });
  assert.deepEqual(lab.states("added", "changed", "new"), [
    "CHANGE_DEFER",
    "ADD_DEFER",
    "ADD_DEFER",
  ]);
});

Deno.test("A held delete whose row vanished is a placeholder, and a parked row is tried again", () => {
  const lab = unread({ atOnce: ["add", "delete"] });
  read(lab, {});
  lab.set("P");
  lab.set("Q", "P");
  lab.delete("P");
  lab.set("failed");
  lab.set("failed");
  lab.answer("failed", { kind: "permanent", error: new Error("wrong type") });
  lab.engine.sinkLost(lab.table);
  assert.deepEqual(lab.states("P", "failed"), ["DEL_DEFER_REF", "FAILED"]);
  read(lab, {});
  assert.deepEqual(lab.states("P", "failed", "Q"), ["TEMP", "IN_SYNC", "ADD_DEFER"]);
});

Deno.test("Unclaimed rows that the sink lost do not come back", () => {
  const lab = unread();
  read(lab, { a: OK_ROW, b: OK_ROW, c: OK_ROW });
  lab.engine.sinkLost(lab.table);
  read(lab, { b: { ...OK_ROW, mtu: "1", more: "x" }, c: { mtu: "9100" } });
  assert.deepEqual(lab.states("a", "b", "c"), ["gone", "IN_SYNC", "gone"]);
  assert.deepEqual(lab.writes, []);
  set(lab, "b", { ...OK_ROW, mtu: "1" });
  assert.deepEqual(lab.writes, []);
});

Deno.test("What was taken for ours and is not leaves no trace, also under a reference", () => {
  const lab = unread();
  read(lab, { a: { ...OK_ROW, foreign: "x" } });
  lab.engine.sinkLost(lab.table);
  lab.set("b", "a");
  read(lab, { a: { mtu: "1", foreign: "x" } });
  assert.equal(lab.state("a"), "TEMP");
  lab.delete("a");
  set(lab, "a", OK_ROW);
  assert.deepEqual(lab.operations[0], {
    op: "set",
    table: "T",
    key: "a",
    fields: OK_ROW,
    removed: [],
  });
});

Deno.test("An unclaimed row that is deleted and fails is no reason to touch foreign fields", () => {
  const lab = unread({ atOnce: [] });
  read(lab, { a: { ...OK_ROW, foreign: "x" } });
  lab.delete("a");
  lab.answer("a", { kind: "transient", error: new Error("busy") });
  set(lab, "a", OK_ROW);
  lab.pass(100);
  assert.deepEqual(lab.operations.at(-1), {
    op: "set",
    table: "T",
    key: "a",
    fields: OK_ROW,
    removed: [],
  });
});

Deno.test("An adopted row is not renewed, because nobody has asked for it", () => {
  const lab = unread();
  read(lab, { a: OK_ROW });
  assert.equal(lab.renew("a"), false);
  assert.equal(lab.engine.misuse, 1);
  lab.counts(0, 0, 0);
});

Deno.test("An adopted row whose dependencies are found with it is there at once", () => {
  const lab = unread({}, { owns: () => true });
  read(lab, { b: { value: "1", needs: "a" }, a: { value: "1", needs: "" } });
  assert.deepEqual(lab.states("a", "b"), ["IN_SYNC", "IN_SYNC"]);
  assert.deepEqual(lab.writes, []);
});
