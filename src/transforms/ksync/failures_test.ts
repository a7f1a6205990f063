/**
 * Answers that are no "ok", and the ways back from them (chapter 8.2).
 */
import assert from "node:assert/strict";
import { APPLIED, type Receipt, SUPERSEDED } from "../../core/change.ts";
import { Lab, type LabOptions } from "../../../tests/support/ksync_lab.ts";

import { DEFAULT_OPTIONS } from "./engine.ts";
import { Flag } from "./entry.ts";

const BUSY = { kind: "transient", error: new Error("busy") } as const;
const UNTOUCHED = { ...BUSY, untouched: true } as const;
const NEVER = { kind: "permanent", error: new Error("wrong type") } as const;

/** Answers only when the test says so; what is referred to must be confirmed. */
function labY(options: LabOptions = {}): Lab {
  return new Lab({ atOnce: [], resolveOn: "acked", ...options });
}

/** A lab with X in the sink. */
function withX(options: LabOptions = {}): Lab {
  const lab = labY(options);
  lab.set("X", "", "1");
  lab.ack("X");
  return lab;
}

/** Asks for a row, or for none, and keeps what becomes of that. */
function ask(lab: Lab, key: string, value: string | undefined): Receipt[] {
  const receipts: Receipt[] = [];
  const ticket = { settle: (receipt: Receipt) => receipts.push(receipt) };
  if (value === undefined) lab.engine.delete(lab.table, key, ticket);
  else lab.engine.set(lab.table, key, { value, needs: "" }, [], ticket);
  return receipts;
}

Deno.test("A newer value takes the place of one that failed, and does not shorten the wait", () => {
  const lab = labY();
  const first = ask(lab, "X", "1");
  lab.answer("X", BUSY);
  const second = ask(lab, "X", "2");
  assert.deepEqual([first, second], [[SUPERSEDED], []]);
  assert.equal(lab.state("X"), "BACKOFF");
  lab.pass(99);
  lab.counts(1, 0, 0);
  lab.pass(1);
  assert.deepEqual(lab.operations.at(-1), {
    op: "set",
    table: "T",
    key: "X",
    fields: { value: "2", needs: "" },
    removed: [],
  });
  lab.ack("X");
  assert.deepEqual(second, [APPLIED]);
  assert.equal(lab.table.counters.retries, 1);
  assert.equal(lab.table.counters.transient, 1);
});

Deno.test("A newer value goes at once where that is asked for", () => {
  const lab = labY({ retryOnChange: true });
  lab.set("X");
  lab.answer("X", BUSY);
  lab.set("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
});

Deno.test("A newer value that the sink holds already needs no further attempt", () => {
  const lab = withX();
  const asked = ask(lab, "X", "2");
  lab.answer("X", UNTOUCHED);
  const back = ask(lab, "X", "1");
  assert.equal(lab.state("X"), "IN_SYNC");
  assert.deepEqual([asked, back], [[SUPERSEDED], [APPLIED]]);
  lab.counts(1, 1, 0);
  assert.equal(lab.engine.nextDeadline(), Infinity);
});

Deno.test("A delete during the wait acts at once", () => {
  const lab = labY();
  lab.set("X");
  lab.answer("X", BUSY);
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.delete("X");
  lab.ack("X");
  assert.equal(lab.state("X"), "gone");
});

Deno.test("A delete during the wait writes nothing when nothing can be in the sink", () => {
  const lab = labY();
  lab.set("X");
  lab.answer("X", UNTOUCHED);
  lab.delete("X");
  assert.equal(lab.state("X"), "gone");
  lab.counts(1, 0, 0);
});

Deno.test("An add that certainly failed and is no longer wanted is over", () => {
  const lab = labY();
  lab.set("X");
  lab.delete("X");
  lab.answer("X", UNTOUCHED);
  assert.equal(lab.state("X"), "gone");
  lab.counts(1, 0, 0);
});

Deno.test("A delete that failed is tried again, and a second one in the wait changes nothing", () => {
  const lab = withX();
  const asked = ask(lab, "X", undefined);
  lab.answer("X", BUSY);
  assert.equal(lab.state("X"), "BACKOFF");
  lab.delete("X");
  assert.deepEqual(asked, [SUPERSEDED]);
  assert.equal(lab.table.counters.duplicates, 1);
  lab.pass(100);
  lab.ack("X");
  assert.equal(lab.state("X"), "gone");
  lab.counts(1, 0, 2);
});

Deno.test("A row that is wanted again after a failed delete is written in full", () => {
  const lab = withX();
  lab.delete("X");
  lab.answer("X", BUSY);
  lab.set("X", "", "1");
  lab.pass(100);
  assert.deepEqual(lab.operations.at(-1)?.op, "set");
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("A renew whose delete failed is a renew again", () => {
  const lab = withX();
  lab.renew("X");
  lab.answer("X", BUSY);
  assert.equal(lab.state("X"), "BACKOFF");
  lab.set("X", "", "2"); // part of the renew
  assert.equal(lab.state("X"), "BACKOFF");
  lab.pass(100);
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.ack("X");
  lab.ack("X");
  assert.deepEqual(lab.writes, ["A X", "D X", "D X", "A X"]);
});

Deno.test("A renew is remembered while a write waits for its next attempt", () => {
  const lab = withX();
  lab.set("X", "", "2");
  lab.answer("X", BUSY);
  lab.renew("X");
  lab.pass(100);
  assert.equal(lab.state("X"), "RENEW_WAIT");
});

Deno.test("A value that was refused for good is not tried again, another one is", () => {
  const lab = withX();
  const refused = ask(lab, "X", "bad");
  lab.answer("X", NEVER);
  assert.equal(lab.state("X"), "FAILED");
  assert.deepEqual(refused, [{ outcome: "rejected", error: NEVER.error }]);
  const again = ask(lab, "X", "bad");
  assert.deepEqual(again, [{ outcome: "rejected", error: NEVER.error }]);
  lab.set("X", "", "bad");
  lab.counts(1, 1, 0);
  const good = ask(lab, "X", "1");
  assert.equal(lab.state("X"), "IN_SYNC"); // which the sink still holds
  assert.deepEqual(good, [APPLIED]);
  lab.counts(1, 1, 0);
});

Deno.test("A refused value that was replaced meanwhile does not park the entry", () => {
  const lab = labY();
  lab.set("X", "", "bad");
  lab.set("X", "", "good");
  lab.answer("X", NEVER);
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.set("X", "", "bad");
  lab.set("X", "", "good");
  lab.answer("X", NEVER);
  assert.equal(lab.state("X"), "FAILED");
});

Deno.test("A renew that waits for a refused write begins all the same when the value is new", () => {
  const lab = withX();
  lab.set("X", "", "bad");
  lab.renew("X");
  lab.set("X", "", "good");
  lab.answer("X", NEVER);
  assert.equal(lab.state("X"), "RENEW_WAIT");
});

Deno.test("A delete follows a refused write", () => {
  const lab = withX();
  lab.set("X", "", "bad");
  lab.delete("X");
  lab.answer("X", NEVER);
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
});

Deno.test("A refused delete parks the entry until somebody asks again", () => {
  const lab = withX();
  const asked = ask(lab, "X", undefined);
  lab.answer("X", NEVER);
  assert.equal(lab.state("X"), "FAILED");
  assert.equal(asked[0]?.outcome, "rejected");
  lab.delete("X");
  assert.equal(lab.state("X"), "FAILED");
  assert.ok(lab.engine.retry(lab.table, "X"));
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.answer("X", NEVER);
  lab.set("X", "", "1");
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("A row that is wanted again keeps its old value when its delete is refused", () => {
  const lab = withX();
  lab.delete("X");
  lab.set("X", "", "2");
  lab.answer("X", NEVER);
  assert.equal(lab.state("X"), "SYNC_WAIT");
  assert.equal(lab.writes.at(-1), "C X");
});

Deno.test("A renew whose delete is refused is parked, and can be renewed by an operator", () => {
  const lab = withX();
  lab.renew("X");
  lab.answer("X", NEVER);
  assert.equal(lab.state("X"), "FAILED");
  lab.renew("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
});

Deno.test("A failed entry that is deleted leaves what the sink holds of it", () => {
  const lab = withX();
  lab.set("X", "", "bad");
  lab.answer("X", NEVER);
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
});

Deno.test("After so many attempts an entry is parked, with the last error", () => {
  const lab = labY({ retry: { ...DEFAULT_OPTIONS.retry, maxAttempts: 2 } });
  const asked = ask(lab, "X", "1");
  lab.answer("X", BUSY);
  lab.pass(100);
  lab.answer("X", BUSY);
  assert.equal(lab.state("X"), "FAILED");
  assert.deepEqual(asked.map(({ outcome }) => outcome), ["rejected"]);
  assert.match(lab.entry("X").trouble?.error?.message ?? "", /2 attempts: busy/);
  assert.deepEqual(lab.reports.map(({ kind }) => kind), ["retry", "failed"]);
});

Deno.test("A delete is given up after so many attempts as well, and the value may come back", () => {
  const lab = withX({ retry: { ...DEFAULT_OPTIONS.retry, maxAttempts: 1 } });
  lab.delete("X");
  lab.answer("X", BUSY);
  assert.equal(lab.state("X"), "FAILED");
  lab.set("X", "", "1");
  assert.equal(lab.state("X"), "SYNC_WAIT");
});

Deno.test("Only what waits or was parked can be retried by an operator", () => {
  const lab = withX();
  assert.equal(lab.engine.retry(lab.table, "X"), false);
  assert.equal(lab.engine.retry(lab.table, "none"), false);
  lab.set("X", "", "2");
  lab.answer("X", BUSY);
  assert.ok(lab.engine.retry(lab.table, "X"));
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.ack("X");
  assert.equal(lab.engine.timed, 0);
});

Deno.test("Without compression a failed delete waits too, also when nothing is in the sink", () => {
  const lab = labY({ table: { compressDeletes: false } });
  lab.set("X", "M");
  lab.delete("X");
  lab.answer("X", UNTOUCHED);
  assert.equal(lab.state("X"), "BACKOFF");
  lab.pass(100);
  lab.ack("X");
  assert.equal(lab.table.size, 0);
});

Deno.test("Fields that a lost write may have left behind are taken away by the next", () => {
  const lab = labY();
  lab.engine.set(lab.table, "X", { a: "1", b: "1" });
  lab.answer("X", BUSY);
  lab.engine.set(lab.table, "X", { a: "1" });
  lab.pass(100);
  assert.deepEqual(lab.operations.at(-1), {
    op: "set",
    table: "T",
    key: "X",
    fields: { a: "1" },
    removed: ["b"],
  });
  lab.answer("X", BUSY);
  lab.pass(200);
  assert.deepEqual(lab.operations.at(-1), lab.operations.at(-2));
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("A field that the owner takes away is removed once, also when nobody knew of it", () => {
  const lab = withX();
  const remove = (...names: string[]) =>
    lab.engine.set(lab.table, "X", { value: "1", needs: "" }, names);
  remove("old", "value");
  assert.deepEqual(lab.operations.at(-1), {
    op: "set",
    table: "T",
    key: "X",
    fields: {},
    removed: ["old"],
  });
  remove("old"); // while that is outstanding
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  remove("old");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(1, 1, 0);
  remove("other");
  lab.answer("X", UNTOUCHED);
  lab.pass(100);
  assert.deepEqual(lab.operations.at(-1), { ...lab.operations[1], removed: ["other"] });
  lab.ack("X");
  remove("other", "old");
  lab.counts(1, 3, 0);
});

Deno.test("A field that was removed and set again is removed again", () => {
  const lab = withX();
  lab.engine.set(lab.table, "X", { value: "1", needs: "" }, ["x"]);
  lab.ack("X");
  lab.engine.set(lab.table, "X", { value: "1", needs: "", x: "1" });
  lab.ack("X");
  lab.engine.set(lab.table, "X", { value: "1", needs: "" }, ["x"]);
  assert.deepEqual(lab.operations.at(-1), { ...lab.operations[1], removed: ["x"] });
});

Deno.test("Of a row that is certainly absent no field is removed", () => {
  const lab = labY();
  lab.engine.set(lab.table, "X", { a: "1" }, ["b"]);
  assert.deepEqual(lab.operations, [
    { op: "set", table: "T", key: "X", fields: { a: "1" }, removed: [] },
  ]);
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
});

Deno.test("What the sink chose as an index is known with its answer, and only then referred to", () => {
  const lab = labY({ resolveOn: "sent", table: { index: { allocate: "sink" } } });
  lab.set("M");
  lab.set("X", "M");
  assert.equal(lab.state("X"), "ADD_DEFER");
  lab.reply(lab.request("M"), { kind: "ok", index: 17 });
  assert.equal(lab.entry("M").index, 17);
  assert.equal(lab.state("X"), "SYNC_WAIT");
});

Deno.test("An index from the sink is left out of account where the engine hands them out", () => {
  const lab = labY({ table: { index: { allocate: "engine", max: 4 } } });
  lab.set("X");
  lab.reply(lab.request("X"), { kind: "ok", index: 17 });
  assert.equal(lab.entry("X").index, 0);
});

Deno.test("A delete cancels a renew that waits behind the delete of the same row", () => {
  const lab = withX();
  lab.delete("X");
  lab.renew("X");
  assert.ok((lab.entry("X").flags & Flag.RENEW) !== 0);
  lab.delete("X");
  lab.ack("X");
  assert.equal(lab.state("X"), "gone");
  lab.counts(1, 0, 1);
});

Deno.test("A delete whose request is lost and taken back counts as replaced", () => {
  const lab = withX();
  const asked = ask(lab, "X", undefined);
  lab.set("X", "", "2");
  lab.answer("X", BUSY);
  assert.deepEqual(asked, [SUPERSEDED]);
});

Deno.test("Whoever asked for a value is told when a later attempt succeeds", () => {
  const lab = labY();
  const asked = ask(lab, "X", "1");
  lab.answer("X", BUSY);
  lab.pass(100);
  assert.deepEqual(asked, []);
  lab.ack("X");
  assert.deepEqual(asked, [APPLIED]);
});
