import assert from "node:assert/strict";
import { Lab } from "../../../tests/support/ksync_lab.ts";
import { Flag } from "./entry.ts";

/** Answers only when the test says so. */
const Y = { atOnce: [] };

function isRenewPending(lab: Lab, key: string): boolean {
  return (lab.entry(key).flags & Flag.RENEW) !== 0;
}

Deno.test("K37: a renew of a placeholder is an add that waits", () => {
  const lab = new Lab();
  lab.hold("X");
  assert.equal(lab.state("X"), "TEMP");
  lab.engine.renew(lab.table, "X", { value: "1", needs: "M" });
  assert.equal(lab.state("X"), "ADD_DEFER");
  lab.counts(0, 0, 0);
});

Deno.test("K38: without compression a renew deletes even what was never sent", () => {
  const lab = new Lab({ table: { compressDeletes: false } });
  lab.set("X", "M");
  assert.equal(lab.state("X"), "ADD_DEFER");
  lab.renew("X");
  lab.counts(0, 0, 1);
  assert.equal(lab.state("X"), "ADD_DEFER");
});

Deno.test("K39: a renew that is asked for while an add is outstanding runs at the answer", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.renew("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  assert.ok(isRenewPending(lab, "X"));
  lab.ack("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  assert.ok(!isRenewPending(lab, "X"));
  lab.counts(1, 0, 1);
  lab.ack("X");
  lab.ack("X");
  lab.counts(2, 0, 1);
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("K40: a change during a renew is part of it", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.ack("X");
  lab.renew("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.set("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.ack("X");
  lab.ack("X");
  lab.counts(2, 0, 1);
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("K41: a delete cancels a renew that has not begun", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.renew("X");
  lab.delete("X");
  lab.ack("X");
  lab.ack("X");
  lab.counts(1, 0, 1, 1);
});

Deno.test("K42: a renew takes a delete back that waits for an answer", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_SYNC");
  lab.renew("X");
  assert.equal(lab.state("X"), "NEED_SYNC");
  assert.ok(isRenewPending(lab, "X"));
  lab.ack("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.counts(1, 0, 1);
});

Deno.test("K43: a second renew during the first adds at once, without another delete", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.ack("X");
  lab.renew("X");
  lab.renew("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.ack("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.counts(2, 0, 1);
});

Deno.test("K43: without compression the second renew deletes again", () => {
  const lab = new Lab({ ...Y, table: { compressDeletes: false } });
  lab.set("X");
  lab.ack("X");
  lab.renew("X");
  lab.renew("X");
  lab.ack("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.counts(1, 0, 2);
});

Deno.test("K44: a renew does not look at references", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.ack("X");
  lab.hold("X");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_REF");
  lab.renew("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.counts(1, 0, 1);
  lab.ack("X");
  lab.ack("X");
  lab.counts(2, 0, 1);
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("K45: a renewed entry waits for a dependency that is leaving, until it is back", () => {
  for (const [value, changes] of [["other", 1], ["first", 0]] as const) {
    const lab = new Lab();
    lab.set("B", "", "first");
    lab.set("A", "B");
    lab.delete("B");
    assert.equal(lab.state("B"), "DEL_DEFER_REF");
    lab.renew("A");
    assert.equal(lab.state("A"), "ADD_DEFER");
    lab.counts(2, 0, 1);
    lab.set("B", "", value);
    assert.deepEqual(lab.states("A", "B"), ["IN_SYNC", "IN_SYNC"]);
    lab.counts(3, changes, 1);
  }
});
