import assert from "node:assert/strict";
import { Lab, type LabOptions } from "../../../tests/support/ksync_lab.ts";
import { Flag } from "./entry.ts";
import { DEFAULT_OPTIONS } from "./engine.ts";

const INTERVAL = 100;

/** A lab that sweeps so many entries a turn; the dump of its source is complete. */
function staleLab(perInterval: number, options: LabOptions = {}): Lab {
  const lab = new Lab({
    ...options,
    sweep: { ...DEFAULT_OPTIONS.sweep, afterMs: INTERVAL, intervalMs: INTERVAL, perInterval },
  });
  lab.engine.dumpBegins();
  return lab;
}

/** Takes rows over as they are in the sink. */
function adopt(lab: Lab, ...keys: string[]): void {
  for (const key of keys) lab.engine.adopt(lab.table, key, { value: "old", needs: "" });
}

Deno.test("K46: unclaimed entries are swept so many a turn, and were never written", () => {
  const lab = staleLab(1);
  adopt(lab, "a", "b");
  lab.engine.dumpEnds();
  lab.pass(INTERVAL);
  lab.counts(0, 0, 1);
  lab.pass(INTERVAL);
  lab.counts(0, 0, 2);
  assert.equal(lab.engine.nextDeadline(), Infinity);
});

Deno.test("K47: a claimed entry is not swept, and costs nothing when it is equal", () => {
  for (const [value, changes] of [["old", 0], ["new", 1]] as const) {
    const lab = staleLab(1);
    adopt(lab, "X");
    lab.set("X", "", value);
    lab.engine.dumpEnds();
    lab.pass(INTERVAL);
    assert.equal(lab.state("X"), "IN_SYNC");
    lab.delete("X");
    lab.counts(0, changes, 1);
  }
});

Deno.test("K48: an entry that has an owner is not taken over", () => {
  const lab = staleLab(1);
  lab.set("X", "", "mine");
  assert.equal(lab.engine.adopt(lab.table, "X", { value: "old" }), undefined);
  assert.equal(lab.entry("X").desired["value"], "mine");
  lab.counts(1, 0, 0);
});

Deno.test("K49: an entry that is claimed between two turns survives", () => {
  const lab = staleLab(2);
  adopt(lab, "a", "b", "c");
  lab.engine.dumpEnds();
  lab.pass(INTERVAL);
  lab.set("c", "", "old");
  lab.pass(INTERVAL);
  lab.counts(0, 0, 2);
  assert.equal(lab.state("c"), "IN_SYNC");
});

Deno.test("K50: a row that is found while its delete is outstanding comes back, and is swept", () => {
  const lab = staleLab(1, { atOnce: [] });
  lab.set("X");
  lab.ack("X");
  lab.delete("X");
  adopt(lab, "X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  assert.ok((lab.entry("X").flags & Flag.STALE) !== 0);
  lab.ack("X");
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(2, 0, 1);
  lab.engine.dumpEnds();
  lab.pass(INTERVAL);
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.counts(2, 0, 2);
  lab.ack("X");
  assert.equal(lab.state("X"), "gone");
});

Deno.test("K51: unclaimed entries go with their container", () => {
  const lab = staleLab(1);
  adopt(lab, ...Array.from({ length: 110 }, (_, n) => `e${n}`));
  lab.engine.removeContainer(lab.table);
  lab.settle();
  lab.counts(0, 0, 110, 110);
  assert.equal(lab.emptied, 1);
  assert.equal(lab.table.stale.size, 0);
});

Deno.test("K52: an empty container is told so once", () => {
  const lab = new Lab();
  lab.engine.removeContainer(lab.table);
  lab.engine.removeContainer(lab.table);
  lab.settle();
  assert.equal(lab.emptied, 1);
  assert.ok(lab.table.deleteScheduled);
  lab.counts(0, 0, 0);
});

Deno.test("K53: a container of 110 entries takes two turns", () => {
  const lab = new Lab();
  for (let n = 0; n < 110; n++) lab.set(`e${n}`);
  lab.engine.removeContainer(lab.table);
  lab.engine.tick(0);
  lab.counts(110, 0, 100);
  assert.equal(lab.emptied, 0);
  lab.engine.tick(0);
  lab.counts(110, 0, 110);
  assert.equal(lab.emptied, 1);
  lab.settle();
  assert.equal(lab.emptied, 1);
});

Deno.test("K54: a container is empty only when the last answer is there", () => {
  const lab = new Lab();
  lab.completes = (kind, key) => !(kind === "delete" && key === "late");
  for (let n = 0; n < 110; n++) lab.set(`e${n}`);
  lab.set("late");
  lab.delete("late");
  lab.engine.removeContainer(lab.table);
  lab.settle();
  lab.counts(111, 0, 111);
  assert.equal(lab.emptied, 0);
  lab.ack("late");
  assert.equal(lab.emptied, 1);
});

Deno.test("K55: the deletion of a container follows references, not the order of keys", () => {
  const lab = new Lab();
  lab.set("a");
  lab.set("b", "a");
  lab.set("c", "b");
  lab.engine.removeContainer(lab.table);
  lab.settle();
  assert.deepEqual(lab.writes.slice(3), ["D c", "D b", "D a"]);
  lab.counts(3, 0, 3);
  assert.equal(lab.emptied, 1);
});
