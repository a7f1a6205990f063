/**
 * Dependencies that are deleted together with, or before, what needs them: cascades and circles.
 */
import assert from "node:assert/strict";
import { type Receipt } from "../../core/change.ts";
import { Lab } from "../../../tests/support/ksync_lab.ts";

/** Answers only when the test says so. */
const Y = { atOnce: [] };

/** Keeps receipts. */
function collector(): { receipts: Receipt[]; ticket: { settle(receipt: Receipt): void } } {
  const receipts: Receipt[] = [];
  return { receipts, ticket: { settle: (receipt) => receipts.push(receipt) } };
}

Deno.test("Where deletes cascade, referrers leave first and come back with the row", () => {
  const lab = new Lab({ ...Y, onDependencyDeleted: "cascade", resolveOn: "acked" });
  for (const [key, needs] of [["port", ""], ["lag", "port"], ["vlan", "lag"]] as const) {
    lab.set(key, needs, "1");
    lab.ack(key);
  }
  lab.set("new", "vlan"); // not answered yet when the port goes
  lab.delete("port");
  assert.deepEqual(lab.writes.slice(4), []);
  lab.ack("new", "new", "vlan", "lag", "port");
  assert.deepEqual(lab.writes.slice(4), ["D new", "D vlan", "D lag", "D port"]);
  assert.deepEqual(lab.states("port", "lag", "vlan", "new"), [
    "TEMP",
    "ADD_DEFER",
    "ADD_DEFER",
    "ADD_DEFER",
  ]);
  lab.set("port");
  lab.ack("port", "lag", "vlan", "new");
  assert.deepEqual(lab.writes.slice(8), ["A port", "A lag", "A vlan", "A new"]);
});

Deno.test("Where deletes cascade, whoever begins to refer to a leaving row leaves as well", () => {
  const lab = new Lab({ ...Y, onDependencyDeleted: "cascade" });
  for (const [key, needs] of [["P", ""], ["Q", "P"], ["R", ""]] as const) {
    lab.set(key, needs);
    lab.ack(key);
  }
  lab.delete("P"); // Q has to go first
  lab.set("R", "P");
  assert.equal(lab.state("R"), "RENEW_WAIT");
  lab.ack("Q", "R", "P");
  assert.deepEqual(lab.states("P", "Q", "R"), ["TEMP", "ADD_DEFER", "ADD_DEFER"]);
});

Deno.test("Where deletes cascade, a circle does not hold itself", () => {
  const lab = new Lab({ onDependencyDeleted: "cascade" });
  lab.set("X");
  lab.set("W", "X");
  lab.set("X", "W");
  lab.delete("X");
  assert.equal(lab.state("X"), "TEMP");
  assert.equal(lab.state("W"), "ADD_DEFER");
  lab.delete("W");
  assert.equal(lab.table.size, 0);
});

Deno.test("A given-up circle stays as long as somebody outside holds one of it", () => {
  const lab = new Lab();
  lab.set("X");
  lab.set("W", "X");
  lab.set("X", "W");
  const held = lab.hold("W");
  lab.delete("X", "W");
  assert.deepEqual(lab.states("X", "W"), ["DEL_DEFER_REF", "DEL_DEFER_REF"]);
  lab.engine.release(held);
  assert.equal(lab.table.size, 0);
  assert.equal(lab.engine.release(held), false);
});

Deno.test("A circle is not given up while somebody else refers to it", () => {
  const lab = new Lab();
  lab.set("X");
  lab.set("W", "X");
  lab.set("X", "W");
  lab.set("top", "X");
  lab.delete("X", "W");
  assert.deepEqual(lab.states("X", "W"), ["DEL_DEFER_REF", "DEL_DEFER_REF"]);
  lab.delete("top");
  assert.equal(lab.table.size, 0);
  assert.equal(lab.writes.indexOf("D top"), 4);
});

Deno.test("Placeholders in a circle stay while somebody holds one of them", () => {
  const lab = new Lab();
  lab.set("X", "W");
  lab.set("W", "X");
  const held = lab.hold("X");
  lab.delete("X", "W");
  assert.deepEqual(lab.states("X", "W"), ["TEMP", "TEMP"]);
  lab.engine.release(held);
  assert.equal(lab.table.size, 0);
});

Deno.test("A change that would close a circle is refused where that is asked for", () => {
  const lab = new Lab({ onCycle: "reject" });
  lab.set("X", "W");
  lab.set("W", "V");
  const { receipts, ticket } = collector();
  const fields = { value: "1", needs: "X" };
  assert.equal(lab.engine.set(lab.table, "V", fields, [], ticket), undefined);
  assert.equal(lab.engine.renew(lab.table, "V", fields, ticket), false);
  assert.deepEqual(receipts.map(({ outcome }) => outcome), ["rejected", "rejected"]);
  assert.equal(lab.state("V"), "TEMP");
  assert.equal(lab.table.counters.cycles, 2);
  lab.set("V");
  assert.deepEqual(lab.states("X", "W", "V"), ["IN_SYNC", "IN_SYNC", "IN_SYNC"]);
});

Deno.test("A dependency on itself is reported and left out of account", () => {
  const lab = new Lab();
  lab.set("X", "X,M,M");
  assert.equal(lab.state("X"), "ADD_DEFER");
  lab.set("M");
  assert.equal(lab.state("X"), "IN_SYNC");
  assert.deepEqual(lab.reports.map(({ kind }) => kind), ["cycle"]);
  lab.delete("X", "M");
  assert.equal(lab.table.size, 0);
});

Deno.test("Naming the same dependencies again is no news", () => {
  const lab = new Lab({ onCycle: "report" });
  lab.set("X", "W");
  lab.set("W", "X");
  lab.set("W", "X");
  assert.equal(lab.reports.length, 1);
});
