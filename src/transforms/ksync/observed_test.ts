import assert from "node:assert/strict";
import { Lab } from "../../../tests/support/ksync_lab.ts";
import { Flag } from "./entry.ts";

const BUSY = { kind: "transient", error: new Error("busy") } as const;
const NEVER = { kind: "permanent", error: new Error("out of range") } as const;

/** The first wait of the default schedule, with the lab's random number. */
const FIRST_WAIT = 100;

function see(lab: Lab, key: string, fields?: Record<string, string>, mended = false): void {
  lab.engine.observed(lab.table, key, fields, mended);
}

Deno.test("A row that somebody else changed is written again, only where it differs", () => {
  const lab = new Lab();
  lab.engine.set(lab.table, "X", { mtu: "9100", admin: "up" });
  see(lab, "X", { mtu: "1500", admin: "up", speed: "1" });
  lab.counts(1, 1, 0);
  assert.deepEqual(lab.operations[1], {
    op: "set",
    table: "T",
    key: "X",
    fields: { mtu: "9100" },
    removed: [],
  });
  assert.equal(lab.state("X"), "IN_SYNC");
  assert.equal(lab.table.counters.drifted, 1);
  assert.deepEqual(lab.reports, [{ kind: "drift", text: "mtu is 1500 and shall be 9100" }]);
});

Deno.test("A row that is as it shall be costs nothing, whatever others keep in it", () => {
  const lab = new Lab({ table: { numericFields: new Set(["mtu"]) } });
  lab.engine.set(lab.table, "X", { mtu: "9100" });
  see(lab, "X", { mtu: "9100.0", speed: "1" });
  see(lab, "X", { mtu: "9100", speed: "2" });
  lab.counts(1, 0, 0);
  assert.equal(lab.table.counters.drifted, 0);
  assert.deepEqual(lab.reports, []);
});

Deno.test("A field of ours that vanished is set, one of ours that came back is taken away", () => {
  const lab = new Lab({ table: { ownFields: new Set(["old"]) } });
  lab.engine.set(lab.table, "X", { a: "1" });
  see(lab, "X", { old: "1" });
  assert.deepEqual(lab.operations[1], {
    op: "set",
    table: "T",
    key: "X",
    fields: { a: "1" },
    removed: ["old"],
  });
  assert.equal(lab.reports[0]?.text, "a is missing and shall be 1, old shall not be there");
});

Deno.test("A row that is gone is added as a whole, and again when it appears", () => {
  const lab = new Lab({ atOnce: ["change"] });
  lab.engine.set(lab.table, "X", { mtu: "1" });
  lab.ack("X");
  see(lab, "X", undefined);
  assert.equal(lab.reports[0]?.text, "it is gone");
  lab.answer("X", BUSY);
  assert.equal(lab.state("X"), "BACKOFF");
  lab.pass(1);
  see(lab, "X", { mtu: "0" }, true);
  assert.equal(lab.state("X"), "IN_SYNC", "there was no need to wait for the next attempt");
  lab.counts(2, 1, 0);
});

Deno.test("A row that is told while its write is outstanding is left to the answer", () => {
  const lab = new Lab({ atOnce: [] });
  lab.engine.set(lab.table, "X", { mtu: "1" });
  see(lab, "X", { mtu: "0" });
  see(lab, "X", undefined, true);
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(1, 0, 0);
});

Deno.test("What failed is tried at once only when it was mended", () => {
  const lab = new Lab({ atOnce: [] });
  lab.engine.set(lab.table, "X", { mtu: "1" });
  lab.answer("X", BUSY);
  see(lab, "X", { mtu: "0" });
  assert.equal(lab.state("X"), "BACKOFF");
  see(lab, "X", { mtu: "0" }, true);
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.answer("X", NEVER);
  see(lab, "X", { mtu: "0" });
  assert.equal(lab.state("X"), "FAILED");
  see(lab, "X", { mtu: "0" }, true);
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(1, 2, 0);
});

Deno.test("What was seen of a row whose write failed is trusted: only the rest is written", () => {
  const lab = new Lab({ atOnce: [] });
  lab.engine.set(lab.table, "X", { mtu: "1", admin: "up" });
  lab.answer("X", BUSY);
  see(lab, "X", { mtu: "1", admin: "down" });
  lab.pass(FIRST_WAIT);
  assert.deepEqual(lab.request("X").operation, {
    op: "set",
    table: "T",
    key: "X",
    fields: { admin: "up" },
    removed: [],
  });
});

Deno.test("Rows that nobody wants, and placeholders, are only noted", () => {
  const lab = new Lab();
  see(lab, "Y", { value: "1", needs: "" });
  see(lab, "Z", { value: "1", needs: "" });
  see(lab, "Z", undefined);
  lab.set("W", "P");
  see(lab, "P", { value: "1", needs: "" });
  assert.deepEqual(lab.states("Y", "Z", "P", "W"), ["gone", "gone", "TEMP", "ADD_DEFER"]);
  lab.set("Y", "", "1");
  lab.set("Z", "", "1");
  lab.counts(1, 0, 0);
  assert.deepEqual(lab.writes, ["A Z"], "Y stood there already");
});

Deno.test("A row that waits for another takes note, and is written when it may", () => {
  const lab = new Lab();
  lab.set("X", "", "1");
  lab.set("X", "P", "2");
  assert.equal(lab.state("X"), "CHANGE_DEFER");
  see(lab, "X", undefined);
  assert.equal(lab.state("X"), "ADD_DEFER");
  lab.set("P");
  assert.deepEqual(lab.writes, ["A X", "A P", "A X"]);
});

Deno.test("A delete that waits for others is done when its row is gone already", () => {
  const lab = new Lab();
  lab.set("P");
  lab.set("X", "P");
  lab.delete("P");
  assert.equal(lab.state("P"), "DEL_DEFER_REF");
  see(lab, "P", { value: "1", needs: "" });
  assert.equal(lab.state("P"), "DEL_DEFER_REF");
  see(lab, "P", undefined);
  assert.equal(lab.state("P"), "TEMP");
  lab.counts(2, 0, 0);
});

Deno.test("A stale row follows the sink without a write, and goes with its row", () => {
  const lab = new Lab({ table: { owns: () => true, needsScan: true } });
  lab.engine.beginScan(lab.table);
  lab.engine.found(lab.table, "X", { value: "1", needs: "" });
  lab.engine.endScan(lab.table);
  see(lab, "X", { value: "2", needs: "" }, true);
  assert.deepEqual([lab.state("X"), lab.entry("X").desired["value"]], ["IN_SYNC", "2"]);
  lab.set("X", "", "2");
  lab.counts(0, 0, 0);
  lab.engine.dumpBegins();
  lab.engine.dumpEnds();
  see(lab, "X", undefined);
  assert.equal(lab.state("X"), "gone");
  assert.equal(lab.table.stale.size, 0);
  lab.counts(0, 0, 0);
});

Deno.test("While a table is read, what is seen counts as found and nothing is written", () => {
  const lab = new Lab({ table: { owns: () => true, needsScan: true } });
  lab.set("X", "", "1");
  lab.set("Y", "", "1");
  lab.engine.beginScan(lab.table);
  lab.engine.found(lab.table, "S", { value: "1", needs: "" });
  see(lab, "X", { value: "1", needs: "" });
  see(lab, "Y", { value: "1", needs: "" });
  see(lab, "Y", undefined);
  see(lab, "S", undefined);
  lab.counts(0, 0, 0);
  lab.engine.endScan(lab.table);
  assert.deepEqual(lab.writes, ["A Y"]);
  assert.deepEqual(lab.states("X", "Y", "S"), ["IN_SYNC", "IN_SYNC", "gone"]);
  assert.equal(lab.entry("X").flags & Flag.FOUND, 0);
});

Deno.test("A correction waits for its turn as every write does", () => {
  const lab = new Lab({ atOnce: [], maxInFlight: 1 });
  lab.set("X", "", "1");
  lab.ack("X");
  lab.set("Y", "", "1");
  see(lab, "X", { value: "2", needs: "" });
  assert.deepEqual(lab.states("X", "Y"), ["BACKOFF", "SYNC_WAIT"]);
  see(lab, "X", { value: "1", needs: "" });
  lab.ack("Y");
  assert.equal(lab.state("X"), "IN_SYNC", "it was put right meanwhile by whoever had changed it");
  lab.counts(2, 0, 0);
});
