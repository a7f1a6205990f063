/**
 * The defects of the reference (chapter 15), each as a test that it would fail.
 */
import assert from "node:assert/strict";
import { Lab } from "../../../tests/support/ksync_lab.ts";
import { OK } from "./answers.ts";
import { raise } from "./dispatch.ts";
import { DEFAULT_OPTIONS } from "./engine.ts";
import type { Machine } from "./machine.ts";
import { Event } from "./states.ts";
import { why } from "./why.ts";

/** Answers only when the test says so. */
const Y = { atOnce: [] };

function machineOf(lab: Lab): Machine {
  assert.ok(lab.table.machine);
  return lab.table.machine;
}

Deno.test("D1: whoever waits is woken whatever state the dependency comes from", () => {
  const lab = new Lab(Y);
  lab.set("X", "", "same");
  lab.delete("X");
  lab.set("W", "X");
  assert.equal(lab.state("W"), "ADD_DEFER");
  lab.set("X", "", "same");
  lab.ack("X"); // the follow-up change is a no-op, and the old state NEED_SYNC wakes nobody there
  assert.equal(lab.state("X"), "IN_SYNC");
  assert.equal(lab.state("W"), "SYNC_WAIT");
});

Deno.test("D2: a second delete aborts in no state", () => {
  const lab = new Lab({ ...Y, table: { compressDeletes: false } });
  lab.set("X");
  lab.delete("X", "X");
  assert.equal(lab.state("X"), "DEL_DEFER_SYNC");
  lab.ack("X");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.set("X");
  lab.delete("X", "X");
  assert.equal(lab.state("X"), "DEL_DEFER_DEL_ACK");
  lab.ack("X");
  lab.ack("X");
  assert.equal(lab.state("X"), "gone");

  lab.set("P");
  lab.ack("P");
  lab.set("Q", "P");
  lab.ack("Q");
  lab.delete("P", "P");
  assert.equal(lab.state("P"), "DEL_DEFER_REF");
  assert.equal(lab.table.counters.duplicates, 4);
});

Deno.test("D3: what the sink has deleted is not deleted again by a renew", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.ack("X");
  lab.delete("X");
  lab.set("X");
  lab.renew("X");
  lab.ack("X");
  assert.deepEqual(lab.writes, ["A X", "D X", "A X"]);
});

Deno.test("D4: an event that a state has no use for is counted, and nothing aborts", () => {
  const lab = new Lab(Y);
  const machine = machineOf(lab);
  lab.set("X", "M");
  const before = lab.states("X", "M");
  for (const event of [Event.ADD_ACK, Event.CHANGE_ACK, Event.DEL_ACK, Event.INVALID]) {
    raise(machine, lab.entry("X"), event);
    raise(machine, lab.entry("M"), event);
  }
  raise(machine, lab.entry("M"), Event.RE_EVAL);
  assert.deepEqual(lab.states("X", "M"), before);
  assert.equal(lab.table.counters.strayEvents(), 9);
});

Deno.test("D5: a refused add is no add: nobody is released, and it is tried again", () => {
  const lab = new Lab({ ...Y, resolveOn: "acked" });
  lab.set("M");
  lab.set("X", "M");
  lab.answer("M", { kind: "transient", error: new Error("out of memory") });
  assert.deepEqual(lab.states("M", "X"), ["BACKOFF", "ADD_DEFER"]);
  lab.pass(100);
  lab.ack("M");
  assert.deepEqual(lab.writes, ["A M", "A M", "A X"]);
});

Deno.test("D6: a lost answer has a deadline", () => {
  const lab = new Lab({ ...Y, requestTimeoutMs: 1000 });
  lab.set("X");
  lab.request("X");
  lab.pass(1000);
  lab.pass(100);
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("D6: requests are bounded by a window, and those behind it keep their order", () => {
  const lab = new Lab({ ...Y, maxInFlight: 2 });
  for (const key of ["a", "b", "c", "d"]) lab.set(key);
  lab.set("d");
  assert.deepEqual(lab.states("a", "b", "c", "d"), [
    "SYNC_WAIT",
    "SYNC_WAIT",
    "BACKOFF",
    "BACKOFF",
  ]);
  lab.ack("b");
  assert.deepEqual(lab.writes, ["A a", "A b", "A c"]);
  lab.ack("a", "c", "d");
  assert.deepEqual(lab.writes, ["A a", "A b", "A c", "A d"]);
  assert.equal(lab.engine.inFlight, 0);
});

Deno.test("D6: what is asked for while the sink is away is written when it is back and read", () => {
  const lab = new Lab(Y);
  lab.set("kept", "", "1");
  lab.set("changed", "", "1");
  lab.set("lost", "", "1");
  lab.ack("kept", "changed", "lost");
  lab.engine.sinkLost(lab.table);
  lab.set("changed", "", "2");
  lab.set("new");
  lab.counts(3, 0, 0);
  lab.engine.beginScan(lab.table);
  for (const key of ["kept", "changed"]) {
    lab.engine.found(lab.table, key, { value: "1", needs: "" });
  }
  lab.engine.endScan(lab.table);
  assert.deepEqual(lab.writes.slice(3).sort(), ["A lost", "A new", "C changed"]);
});

Deno.test("D7: creating what exists leaks no index", () => {
  const lab = new Lab({ table: { index: { allocate: "engine", max: 8 } } });
  lab.set("X");
  lab.set("X");
  assert.equal(lab.table.indexes?.size, 1);
});

Deno.test("D8: a container that is not empty is dropped once it is", () => {
  const lab = new Lab();
  lab.set("X");
  lab.engine.unregister(lab.table);
  assert.ok(lab.engine.containers.has("T"));
  lab.engine.removeContainer(lab.table);
  lab.settle();
  assert.ok(!lab.engine.containers.has("T"));
});

Deno.test("D9: a circle of rows that are in the sink can be deleted", () => {
  const lab = new Lab();
  lab.set("X");
  lab.set("W", "X");
  lab.set("X", "W");
  assert.deepEqual(lab.states("X", "W"), ["IN_SYNC", "IN_SYNC"]);
  assert.deepEqual(lab.reports.map(({ kind }) => kind), ["cycle"]);
  lab.delete("X", "W");
  assert.equal(lab.table.size, 0);
  lab.counts(2, 1, 2, 2);
});

Deno.test("D10: a wait link may cross containers", () => {
  const lab = new Lab(Y);
  const other = lab.engine.container("U", {
    dependencies: () => [{ table: "T", key: "X" }],
  });
  lab.engine.set(other, "member", { value: "1" });
  lab.set("X");
  lab.ack("X");
  lab.ack("member");
  assert.deepEqual(lab.writes, ["A X", "A member"]);
  assert.equal(other.counters.inState("IN_SYNC"), 1);
});

Deno.test("D11: who began to wait first is woken first", () => {
  const lab = new Lab();
  for (const key of ["z", "m", "a"]) lab.set(key, "M");
  lab.set("m", "M"); // it unlinks and waits again, behind the others
  lab.set("M");
  assert.deepEqual(lab.writes, ["A M", "A z", "A a", "A m"]);
});

Deno.test("D12: rows that are found in the sink are adopted without a write", () => {
  const lab = new Lab({
    sweep: { ...DEFAULT_OPTIONS.sweep },
    table: { owns: () => true, needsScan: true },
  });
  lab.engine.beginScan(lab.table);
  for (let n = 0; n < 100; n++) {
    lab.engine.found(lab.table, `e${n}`, { value: "1", needs: "" });
  }
  lab.engine.endScan(lab.table);
  for (let n = 0; n < 100; n++) lab.set(`e${n}`, "", "1");
  lab.counts(0, 0, 0);
  assert.equal(lab.table.stale.size, 0);
});

Deno.test("D13: a waiter that an earlier one freed is not woken", () => {
  const lab = new Lab();
  lab.set("first", "M");
  lab.set("second", "M");
  // A sink that takes the first waiter's write as the moment to let the second one go.
  const second = lab.entry("second");
  const machine = machineOf(lab);
  lab.completes = (_kind, key) => {
    if (key === "first") {
      machine.later(second, Event.DEL_REQ);
      machine.later(second, Event.RE_EVAL);
      machine.later(lab.entry("M"), Event.RE_EVAL);
    }
    return true;
  };
  lab.set("M");
  assert.equal(lab.state("first"), "IN_SYNC");
  assert.deepEqual(lab.writes.slice(0, 2), ["A M", "A first"]);
  assert.equal(lab.table.counters.strayEvents(), 0);
});

Deno.test("D14: the engine says in one line why an entry waits", () => {
  const lab = new Lab(Y);
  lab.set("member", "lag");
  lab.pass(12_400);
  assert.equal(
    why(lab.engine, lab.entry("member")),
    "ADD_DEFER 12.4 s: waits for T|lag (TEMP, no owner)",
  );
  assert.equal(lab.table.counters.inState("ADD_DEFER"), 1);
  assert.deepEqual(lab.engine.history(lab.entry("member")).map(({ time }) => time), [0]);
});

Deno.test("D14: the last sixteen transitions of an entry are kept", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.reply(lab.request("X"), OK);
  for (let n = 0; n < 20; n++) {
    lab.pass(1);
    lab.set("X");
    lab.ack("X");
  }
  const history = lab.engine.history(lab.entry("X"));
  assert.equal(history.length, 16);
  assert.deepEqual(history.map(({ time }) => time), [
    ...[13, 13, 14, 14, 15, 15, 16, 16, 17, 17, 18, 18, 19, 19, 20, 20],
  ]);
});
