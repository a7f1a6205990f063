/**
 * What is gathered, held back and bounded: turns, the window, quiet periods, damping.
 */
import assert from "node:assert/strict";
import { APPLIED, type Receipt, SUPERSEDED } from "../../core/change.ts";
import { Lab } from "../../../tests/support/ksync_lab.ts";

/** Answers only when the test says so. */
const Y = { atOnce: [] };

const DAMPING = {
  penalty: 1000,
  suppressAbove: 2000,
  reuseBelow: 750,
  halfLifeMs: 1000,
  maxSuppressMs: 4000,
};

/** Asks for a row, or for none, and keeps what becomes of that. */
function ask(lab: Lab, key: string, value: string | undefined): Receipt[] {
  const receipts: Receipt[] = [];
  const ticket = { settle: (receipt: Receipt) => receipts.push(receipt) };
  if (value === undefined) lab.engine.delete(lab.table, key, ticket);
  else lab.engine.set(lab.table, key, { value, needs: "" }, [], ticket);
  return receipts;
}

Deno.test("What is asked for in one turn is looked at once, at its end", () => {
  const lab = new Lab(Y);
  lab.engine.cork();
  const asked = ["1", "2", undefined, "3"].map((value) => ask(lab, "X", value));
  lab.set("W");
  lab.delete("none");
  assert.deepEqual(lab.writes, []);
  lab.engine.uncork();
  assert.deepEqual(lab.writes, ["A X", "A W"]);
  lab.ack("X");
  assert.deepEqual(asked, [[SUPERSEDED], [SUPERSEDED], [SUPERSEDED], [APPLIED]]);
  assert.equal(lab.table.counters.coalesced, 3);
});

Deno.test("A row that comes and goes in one turn is never written", () => {
  const lab = new Lab(Y);
  lab.engine.cork();
  const came = ask(lab, "X", "1");
  const went = ask(lab, "X", undefined);
  const again = ask(lab, "X", undefined);
  lab.engine.uncork();
  assert.equal(lab.state("X"), "gone");
  assert.deepEqual([came, went, again], [[SUPERSEDED], [SUPERSEDED], [APPLIED]]);
  lab.counts(0, 0, 0, 1);
});

Deno.test("A row that goes and comes back equal in one turn is never written", () => {
  const lab = new Lab();
  lab.set("X", "", "same");
  lab.engine.cork();
  lab.delete("X");
  lab.set("X", "", "same");
  lab.engine.uncork();
  lab.counts(1, 0, 0);
});

Deno.test("In a turn, what is outstanding follows the owner at once", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.engine.cork();
  lab.set("X");
  assert.equal(lab.state("X"), "NEED_SYNC");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_SYNC");
  lab.engine.uncork();
  assert.equal(lab.state("X"), "DEL_DEFER_SYNC");
});

Deno.test("Without compression every delete of a turn is seen by the sink", () => {
  const lab = new Lab({ table: { compressDeletes: false } });
  lab.engine.cork();
  lab.set("X");
  lab.delete("X");
  lab.set("X");
  lab.engine.uncork();
  assert.deepEqual(lab.writes, ["A X", "D X", "A X"]);
});

Deno.test("A renew in a turn comes after what was asked for before it", () => {
  const lab = new Lab();
  lab.set("X");
  lab.engine.cork();
  lab.set("X");
  lab.renew("X");
  lab.engine.uncork();
  assert.deepEqual(lab.writes, ["A X", "C X", "D X", "A X"]);
  lab.engine.cork();
  lab.delete("X");
  assert.equal(lab.renew("X"), false); // nobody has it any more
  lab.engine.uncork();
  assert.equal(lab.state("X"), "gone");
});

Deno.test("What a turn has put off is not dropped by what the turn releases", () => {
  const lab = new Lab();
  lab.set("a", "b");
  lab.engine.cork();
  lab.set("a");
  lab.set("b");
  lab.engine.uncork();
  assert.deepEqual(lab.states("a", "b"), ["IN_SYNC", "IN_SYNC"]);
});

Deno.test("A held delete that a turn takes back and asks for again is looked at", () => {
  const lab = new Lab(Y);
  lab.set("a", "", "1");
  lab.ack("a");
  lab.set("b", "a");
  lab.ack("b");
  lab.delete("a");
  assert.equal(lab.state("a"), "DEL_DEFER_REF");
  lab.set("c");
  lab.engine.cork();
  lab.set("a", "", "1");
  lab.delete("a");
  lab.set("b");
  lab.set("c"); // outstanding, so that its event is raised inside the turn
  lab.engine.uncork();
  assert.equal(lab.state("a"), "DEL_ACK_WAIT");
});

Deno.test("A queue that was long is forgotten as it is served", () => {
  const lab = new Lab({ ...Y, maxInFlight: 1 });
  const names = Array.from({ length: 3000 }, (_, n) => `e${n}`);
  for (const name of names) lab.set(name);
  assert.equal(lab.engine.waiting, 2999);
  for (const name of names) lab.ack(name);
  assert.equal(lab.engine.waiting, 0);
  assert.deepEqual(lab.writes, names.map((name) => `A ${name}`));
});

Deno.test("A place in the queue is kept once, and given up when nothing is left to write", () => {
  const lab = new Lab({ ...Y, maxInFlight: 1 });
  lab.set("a");
  lab.set("b");
  lab.set("b");
  lab.delete("b");
  assert.equal(lab.state("b"), "gone");
  lab.set("c");
  assert.equal(lab.engine.waiting, 2);
  lab.ack("a");
  assert.deepEqual(lab.writes, ["A a", "A c"]);
});

Deno.test("A delete waits for a slot like a write", () => {
  const lab = new Lab({ ...Y, maxInFlight: 1 });
  lab.set("a");
  lab.ack("a");
  lab.set("b");
  lab.delete("a");
  assert.equal(lab.state("a"), "BACKOFF");
  lab.delete("a");
  lab.ack("b");
  assert.equal(lab.state("a"), "DEL_ACK_WAIT");
});

Deno.test("A renew waits for a slot like a write", () => {
  const lab = new Lab({ ...Y, maxInFlight: 1 });
  lab.set("a");
  lab.ack("a");
  lab.set("b");
  lab.renew("a");
  assert.equal(lab.state("a"), "BACKOFF");
  lab.ack("b");
  assert.equal(lab.state("a"), "RENEW_WAIT");
});

Deno.test("Whoever follows up stands behind those who wait", () => {
  const lab = new Lab({ ...Y, maxInFlight: 1 });
  lab.set("a");
  lab.set("a");
  lab.set("b");
  lab.ack("a");
  assert.deepEqual(lab.writes, ["A a", "A b"]);
  lab.ack("b");
  assert.deepEqual(lab.writes, ["A a", "A b", "C a"]);
});

Deno.test("While anything is outstanding ready keys gather, for a time, to a number, or to the answer", () => {
  const lab = new Lab({ ...Y, gatherMs: 10, gatherOperations: 3 });
  lab.set("a");
  lab.set("b");
  assert.deepEqual(lab.writes, ["A a"]);
  assert.equal(lab.engine.nextDeadline(), 10);
  lab.pass(5);
  lab.set("c");
  lab.pass(5); // since the first of them
  assert.deepEqual(lab.writes, ["A a", "A b", "A c"]);
  for (const key of ["d", "e", "f"]) lab.set(key);
  lab.pass(0);
  assert.equal(lab.writes.length, 6);
  lab.set("g");
  lab.ack("a", "b", "c", "d", "e", "f");
  assert.equal(lab.writes.length, 7);
});

Deno.test("A flap inside the quiet period of an idle key costs nothing", () => {
  const lab = new Lab({ coalesceMs: 20 });
  lab.set("X", "", "up");
  assert.deepEqual(lab.writes, []);
  lab.pass(20);
  assert.deepEqual(lab.writes, ["A X"]);
  lab.set("X", "", "down");
  lab.pass(10);
  lab.set("X", "", "up");
  assert.equal(lab.state("X"), "IN_SYNC");
  assert.equal(lab.engine.nextDeadline(), Infinity);
  lab.delete("X");
  lab.pass(10);
  assert.equal(lab.state("X"), "BACKOFF");
  lab.set("X", "", "down");
  lab.pass(10);
  assert.deepEqual(lab.writes, ["A X", "C X"]);
});

Deno.test("A key that flaps is held back, and its last value is written when it is quiet", () => {
  const lab = new Lab({ damping: DAMPING });
  for (let n = 0; n < 5; n++) lab.set("X", "", n % 2 === 0 ? "up" : "down");
  lab.set("X", "", "up"); // no change, no flap
  assert.deepEqual(lab.writes, ["A X", "C X"]);
  assert.equal(lab.state("X"), "BACKOFF");
  lab.set("X", "", "down");
  assert.equal(lab.state("X"), "IN_SYNC"); // which is what was written before it was held
  lab.delete("X");
  assert.equal(lab.state("X"), "BACKOFF");
  assert.equal(lab.table.counters.damped, 1);
  lab.pass(4000);
  assert.equal(lab.state("X"), "gone");
  assert.deepEqual(lab.writes, ["A X", "C X", "D X"]);
  assert.deepEqual(lab.reports.map(({ kind }) => kind), ["damped"]);
});

Deno.test("However often a key flaps, it is not held back for longer than the bound", () => {
  const lab = new Lab({ damping: DAMPING });
  for (let n = 0; n < 1000; n++) lab.set("X");
  assert.equal(lab.state("X"), "BACKOFF");
  assert.ok(lab.engine.nextDeadline() <= DAMPING.maxSuppressMs + 1);
  lab.pass(DAMPING.maxSuppressMs + 1);
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.set("X");
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("In a hurry nothing waits for further changes any more", () => {
  const lab = new Lab({ ...Y, coalesceMs: 1000, gatherMs: 1000, damping: DAMPING });
  lab.set("a");
  lab.set("b");
  for (let n = 0; n < 9; n++) lab.set("c");
  assert.deepEqual(lab.writes, []);
  lab.engine.hurry();
  assert.deepEqual(lab.writes, ["A a", "A b", "A c"]);
  lab.set("d");
  assert.equal(lab.writes.length, 4);
});

Deno.test("In a hurry a key that flaps is written at once", () => {
  const lab = new Lab({ damping: DAMPING });
  for (let n = 0; n < 9; n++) lab.set("X");
  assert.equal(lab.state("X"), "BACKOFF");
  lab.engine.hurry();
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("A delete that is held for long is reported, with who holds it", () => {
  const lab = new Lab({ holdWarnMs: 100 });
  lab.set("P");
  lab.set("Q", "P");
  lab.delete("P");
  lab.pass(99);
  assert.equal(lab.reports.length, 0);
  lab.pass(1);
  assert.deepEqual([...lab.reports], [{ kind: "held", text: "its delete is held by T|Q" }]);
  assert.equal(lab.engine.nextDeadline(), Infinity);
  lab.set("P");
  lab.delete("P"); // the time begins anew
  lab.delete("Q");
  assert.equal(lab.engine.timed, 0);
  const held = lab.hold("Q");
  lab.set("Q");
  lab.delete("Q");
  lab.pass(100);
  assert.deepEqual(lab.reports.slice(1).map(({ text }) => text), [
    "its delete is held by a reference from outside",
  ]);
  lab.engine.release(held);
  assert.equal(lab.table.size, 0);
});

Deno.test("Time does not run backwards", () => {
  const lab = new Lab();
  lab.engine.now = 10;
  lab.engine.now = 5;
  assert.equal(lab.engine.now, 10);
});
