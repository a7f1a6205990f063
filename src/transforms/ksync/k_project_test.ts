import assert from "node:assert/strict";
import { Lab } from "../../../tests/support/ksync_lab.ts";
import { raise } from "./dispatch.ts";
import { OK } from "./answers.ts";
import { Outbox } from "./outbox.ts";
import { Event } from "./states.ts";

/** Answers only when the test says so; what is referred to must be confirmed. */
const ACKED = { atOnce: [], resolveOn: "acked" } as const;

const BUSY = { kind: "transient", error: new Error("busy") } as const;
const NEVER = { kind: "permanent", error: new Error("wrong type") } as const;

/** The first wait of the default schedule, with the lab's random number. */
const FIRST_WAIT = 100;

Deno.test("K69: request numbers wrap round, and every answer finds its request", () => {
  const lab = new Lab({ atOnce: ["add", "change"], firstNumber: 0xfffffff0 - 100 });
  const names = Array.from({ length: 100 }, (_, n) => `e${n}`);
  for (const name of names) lab.set(name); // each took a number
  lab.delete(...names);
  assert.equal(lab.engine.inFlight, 100);
  lab.ack(...names);
  assert.equal(lab.engine.inFlight, 0);
  assert.equal(lab.table.size, 0);
  assert.equal(lab.engine.lateAnswers, 0);
});

Deno.test("K70: forty small requests are three batches of at most sixteen, in order", () => {
  const outbox = new Outbox(16, 4096);
  const lab = new Lab({ atOnce: [] });
  for (let n = 0; n < 40; n++) {
    lab.set(`e${n}`);
    const { operation, slot, number } = lab.request(`e${n}`);
    outbox.add(operation, slot, number);
  }
  const batches = outbox.take();
  assert.deepEqual(batches.map((batch) => batch.operations.length), [16, 16, 8]);
  for (const { slots, numbers } of batches) {
    slots.forEach((slot, at) => assert.ok(lab.engine.answer(slot, numbers[at] ?? 0, OK)));
  }
  assert.equal(lab.table.counters.inState("IN_SYNC"), 40);
});

Deno.test("K71: an equal value needs no follow-up, and whoever waited is released all the same", () => {
  const lab = new Lab({ atOnce: [] });
  lab.set("X", "", "same");
  lab.delete("X");
  lab.set("W", "X");
  lab.set("X", "", "same");
  lab.ack("X");
  lab.ack("W");
  lab.counts(2, 0, 0);
  assert.deepEqual(lab.states("X", "W"), ["IN_SYNC", "IN_SYNC"]);
});

Deno.test("K72: deleting again what is being deleted is counted and costs nothing", () => {
  const lab = new Lab({ atOnce: [] });
  lab.set("X");
  lab.ack("X");
  lab.delete("X", "X", "X");
  assert.equal(lab.table.counters.duplicates, 2);
  lab.ack("X");
  lab.counts(1, 0, 1, 1);
});

Deno.test("K73: answers and wake-ups that nobody waits for are counted and change nothing", () => {
  const lab = new Lab({ atOnce: [] });
  lab.set("X");
  lab.ack("X");
  const machine = lab.table.machine;
  assert.ok(machine);
  for (const event of [Event.ADD_ACK, Event.DEL_ACK, Event.RE_EVAL]) {
    raise(machine, lab.entry("X"), event);
  }
  assert.equal(lab.state("X"), "IN_SYNC");
  assert.equal(lab.table.counters.strayEvents(), 3);
  assert.equal(lab.table.counters.strayEvents("IN_SYNC", "ADD_ACK"), 1);
  assert.equal(lab.reports.length, 3);
  lab.counts(1, 0, 0);
});

Deno.test("K74: what waits is written once its dependency is confirmed", () => {
  const lab = new Lab(ACKED);
  lab.set("M");
  lab.set("X", "M");
  assert.equal(lab.state("X"), "ADD_DEFER");
  lab.ack("M");
  lab.ack("X");
  assert.deepEqual(lab.writes, ["A M", "A X"]);
});

Deno.test("K75: a dependency that was refused for good holds back only what needs it", () => {
  const lab = new Lab(ACKED);
  lab.set("M", "", "bad");
  lab.set("X", "M");
  lab.set("other");
  lab.answer("M", NEVER);
  assert.deepEqual(lab.states("M", "X"), ["FAILED", "ADD_DEFER"]);
  assert.deepEqual(lab.writes, ["A M", "A other"]);
  lab.ack("other");
  lab.set("M", "", "good");
  lab.ack("M");
  lab.ack("X");
  assert.deepEqual(lab.states("M", "X", "other"), ["IN_SYNC", "IN_SYNC", "IN_SYNC"]);
});

Deno.test("K76: a write that failed for now is sent again after the first wait", () => {
  const lab = new Lab(ACKED);
  lab.set("X");
  lab.answer("X", BUSY);
  assert.equal(lab.state("X"), "BACKOFF");
  lab.pass(FIRST_WAIT - 1);
  lab.counts(1, 0, 0);
  lab.pass(1);
  lab.counts(2, 0, 0);
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  assert.equal(lab.engine.nextDeadline(), Infinity);
});

Deno.test("K77: an answer after its deadline is dropped by its number", () => {
  const lab = new Lab({ ...ACKED, requestTimeoutMs: 50 });
  lab.set("X");
  const first = lab.request("X");
  lab.pass(50);
  assert.equal(lab.state("X"), "BACKOFF");
  assert.equal(lab.table.counters.timeouts, 1);
  lab.pass(FIRST_WAIT);
  assert.equal(lab.state("X"), "SYNC_WAIT");
  assert.equal(lab.reply(first, OK), false);
  assert.equal(lab.state("X"), "SYNC_WAIT");
  assert.equal(lab.engine.lateAnswers, 1);
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(2, 0, 0);
});

Deno.test("K78: an update that changes nothing costs nothing", () => {
  const lab = new Lab();
  lab.engine.set(lab.table, "X", { a: "1", b: "2" });
  lab.engine.set(lab.table, "X", { b: "2", a: "1" });
  lab.counts(1, 0, 0);
  assert.equal(lab.table.counters.elided, 1);
});

Deno.test("K79: one write says what changed and what is gone, and nothing else", () => {
  const lab = new Lab();
  lab.engine.set(lab.table, "X", { a: "1", b: "2", c: "3" });
  lab.engine.set(lab.table, "X", { a: "1", b: "5" });
  assert.deepEqual(lab.operations.slice(1), [
    { op: "set", table: "T", key: "X", fields: { b: "5" }, removed: ["c"] },
  ]);
});

Deno.test("K80: a circle is reported with its way round, and leaves nothing behind", () => {
  const lab = new Lab();
  lab.set("X", "W");
  lab.set("W", "X");
  assert.deepEqual(lab.reports.map(({ kind }) => kind), ["cycle"]);
  assert.match(lab.reports[0]?.text ?? "", /T\|X, T\|W, T\|X$/);
  assert.deepEqual(lab.states("X", "W"), ["ADD_DEFER", "ADD_DEFER"]);
  lab.delete("X", "W");
  lab.counts(0, 0, 0, 2);
  assert.equal(lab.table.size, 0);
});

Deno.test("K81: a key without an index fails alone, until one is given back", () => {
  const lab = new Lab({ table: { index: { allocate: "engine", max: 2 } } });
  lab.set("a");
  lab.set("b");
  lab.set("c");
  assert.deepEqual(lab.states("a", "b", "c"), ["IN_SYNC", "IN_SYNC", "FAILED"]);
  assert.match(lab.entry("c").trouble?.error?.message ?? "", /index space .* full/);
  lab.set("b");
  lab.counts(2, 1, 0);
  lab.delete("a");
  assert.equal(lab.state("c"), "IN_SYNC");
  assert.equal(lab.entry("c").index, 0);
});
