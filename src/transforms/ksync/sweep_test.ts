/**
 * Dumps of the source, and the sweep of what they leave out (chapters 13 and 18.5).
 */
import assert from "node:assert/strict";
import type { Fields } from "../../core/change.ts";
import { Lab, type LabOptions } from "../../../tests/support/ksync_lab.ts";
import { DEFAULT_OPTIONS } from "./engine.ts";

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

Deno.test("Rows of ours that a complete dump leaves out are swept, rows of others are kept", () => {
  const lab = unread();
  lab.engine.dumpBegins();
  read(lab, {
    Ethernet0: OK_ROW,
    Ethernet999: OK_ROW,
    "Ethernet0.10": OK_ROW,
    stateless: { speed: "100" },
  });
  set(lab, "Ethernet0", OK_ROW);
  lab.engine.dumpEnds();
  lab.pass(0);
  assert.deepEqual(lab.writes, ["D Ethernet999"]);
});

Deno.test("After a loss of events a dump claims what is still there, and the rest is swept", () => {
  const lab = unread();
  read(lab, {});
  for (const key of ["a", "b", "c"]) set(lab, key, OK_ROW);
  lab.engine.eventsLost();
  lab.engine.dumpEnds(); // no dump has begun, so it says nothing
  lab.pass(0);
  lab.engine.dumpBegins();
  set(lab, "a", OK_ROW);
  lab.engine.dumpEnds();
  set(lab, "c", OK_ROW); // it came back before the sweep
  lab.pass(0);
  assert.deepEqual(lab.writes.slice(3), ["D b"]);
});

Deno.test("A dump that is cut off sweeps nothing, and the next one decides", () => {
  const lab = unread();
  read(lab, {});
  set(lab, "a", OK_ROW);
  lab.engine.dumpBegins();
  lab.engine.eventsLost();
  lab.engine.dumpEnds();
  lab.pass(1000);
  assert.equal(lab.state("a"), "IN_SYNC");
  lab.engine.dumpBegins();
  lab.engine.dumpEnds();
  lab.engine.dumpBegins(); // before anything was swept
  lab.pass(1000);
  assert.equal(lab.state("a"), "IN_SYNC");
  lab.engine.dumpEnds();
  lab.pass(0);
  assert.equal(lab.state("a"), "gone");
});

Deno.test("Rows that are found after the dump was complete are swept as well", () => {
  const lab = unread({ sweep: { ...DEFAULT_OPTIONS.sweep, afterMs: 10 } });
  lab.engine.dumpBegins();
  set(lab, "a", OK_ROW);
  lab.engine.dumpEnds();
  read(lab, { a: OK_ROW, b: OK_ROW });
  lab.pass(9);
  assert.deepEqual(lab.writes, []);
  lab.pass(1);
  assert.deepEqual(lab.writes, ["D b"]);
});

Deno.test("Rows that turn out to be ours after they were read are adopted as far as they are known", () => {
  const lab = unread({}, { owns: undefined });
  lab.engine.dumpBegins();
  read(lab, { a: OK_ROW, "b.1": OK_ROW });
  assert.equal(lab.engine.own(lab.table, owns), false);
  assert.equal(lab.table.stale.size, 1);
  set(lab, "a", OK_ROW);
  assert.deepEqual(lab.writes, []);
  lab.engine.dumpEnds(); // what is known of b.1 is old from here on
  assert.ok(lab.engine.own(lab.table, () => true));
  assert.equal(lab.table.stale.size, 0);
});

Deno.test("A dump that does not end is reported, and sweeps only where that is asked for", () => {
  for (const withoutEnd of [false, true]) {
    const lab = unread({ sweep: { ...DEFAULT_OPTIONS.sweep, maxWaitMs: 500, withoutEnd } });
    read(lab, { a: OK_ROW, "b.1": OK_ROW });
    assert.equal(lab.engine.nextDeadline(), 500);
    read(lab, { a: OK_ROW, "b.1": OK_ROW }); // the wait goes on
    lab.pass(500);
    lab.settle();
    assert.equal(lab.state("a"), withoutEnd ? "gone" : "IN_SYNC");
    assert.deepEqual(lab.reports.map(({ kind }) => kind), ["unswept"]);
    assert.match(lab.reports[0]?.text ?? "", /1 unclaimed rows/);
    assert.equal(lab.engine.nextDeadline(), Infinity);
    assert.ok(lab.engine.isDumpOverdue);
    lab.engine.dumpBegins();
    lab.engine.dumpEnds();
    assert.ok(!lab.engine.isDumpOverdue);
  }
});

Deno.test("A sweep ends what was asked for and not written, and tells whoever asked", () => {
  const lab = unread({ atOnce: ["add"] });
  read(lab, {});
  set(lab, "a", OK_ROW);
  const outcomes: string[] = [];
  const ticket = { settle: ({ outcome }: { outcome: string }) => outcomes.push(outcome) };
  lab.engine.set(lab.table, "a", { ...OK_ROW, mtu: "1" }, [], ticket);
  lab.engine.set(lab.table, "a", { ...OK_ROW, mtu: "2" }, [], ticket);
  lab.engine.dumpBegins();
  lab.engine.dumpEnds();
  lab.pass(0);
  assert.equal(lab.state("a"), "DEL_DEFER_SYNC");
  assert.deepEqual(outcomes, ["superseded"]);
  lab.ack("a");
  assert.deepEqual(outcomes, ["superseded", "applied"]);
});

Deno.test("Unclaimed rows that depend on each other are all forgotten when the sink lost them", () => {
  for (const first of ["a", "b"]) {
    const lab = unread({ renew: "hold" });
    read(lab, {});
    if (first === "a") lab.set("a");
    lab.set("b", "a");
    lab.set("a");
    lab.renew("a"); // it waits until b has let go of it
    assert.equal(lab.state("a"), "DEL_DEFER_REF");
    const { length } = lab.writes;
    lab.engine.dumpBegins();
    lab.engine.dumpEnds();
    lab.engine.sinkLost(lab.table);
    read(lab, {});
    assert.equal(lab.table.size, 0);
    assert.equal(lab.writes.length, length);
  }
});
