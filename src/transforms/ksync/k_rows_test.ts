import assert from "node:assert/strict";
import { Lab } from "../../../tests/support/ksync_lab.ts";
import { DEFAULT_OPTIONS } from "./engine.ts";
import { type Row, RowBinding, type Verdict } from "./rows.ts";

/** A table whose rows stand for entries of a lab. */
class RowLab extends Lab {
  /** What the filter says of a row, by its id; "accept" where nothing is set. */
  readonly verdicts = new Map<string, Verdict>();
  readonly binding = new RowBinding(
    this.engine,
    this.table,
    (row) => this.verdicts.get(row.id) ?? "accept",
  );
  readonly #rows = new Map<string, Row>();

  /** A row is added or changed. */
  put(id: string, key: string, value = "same"): void {
    const row = { id, key, fields: { value } };
    this.#rows.set(id, row);
    this.binding.notify(row);
  }

  /** A row moves to another entry. */
  move(id: string, key: string): void {
    this.verdicts.set(id, "delete-add");
    this.put(id, key, id);
    this.verdicts.delete(id);
  }

  /** A row is deleted. */
  drop(id: string): void {
    const row = this.#rows.get(id);
    assert.ok(row);
    this.binding.notify({ ...row, deleted: true });
  }

  /** The row that a key follows. */
  follows(key: string): string | undefined {
    return this.binding.associated(this.entry(key))?.id;
  }
}

const SWEEP_ONE = { sweep: { ...DEFAULT_OPTIONS.sweep, perInterval: 1 } };

function deleteOutstanding(kind: string): boolean {
  return kind !== "delete";
}

Deno.test("K56: a row comes and goes", () => {
  const lab = new RowLab();
  lab.put("r", "k");
  lab.drop("r");
  lab.counts(1, 0, 1, 1);
  assert.equal(lab.binding.size, 0);
});

Deno.test("K57: a row that was deleted before anybody heard of it leaves no trace", () => {
  const lab = new RowLab();
  lab.binding.notify({ id: "r", key: "k", fields: {}, deleted: true });
  lab.counts(0, 0, 0);
  assert.equal(lab.table.size, 0);
});

Deno.test("K58: being told twice that a row is deleted is harmless", () => {
  const lab = new RowLab();
  lab.put("r", "k");
  const held = lab.hold("k");
  lab.drop("r");
  lab.drop("r");
  lab.counts(1, 0, 0);
  lab.engine.release(held);
  lab.counts(1, 0, 1, 1);
});

Deno.test("K59: a placeholder that a row stands for again", () => {
  const lab = new RowLab();
  lab.completes = deleteOutstanding;
  lab.put("r", "k");
  lab.drop("r");
  assert.equal(lab.state("k"), "DEL_ACK_WAIT");
  const held = lab.hold("k");
  lab.ack("k");
  assert.equal(lab.state("k"), "TEMP");
  lab.put("r", "k");
  assert.equal(lab.state("k"), "IN_SYNC");
  lab.drop("r");
  lab.engine.release(held);
  lab.ack("k");
  assert.equal(lab.state("k"), "gone");
  lab.counts(2, 0, 2);
});

Deno.test("K60: another row takes an entry over whose own row is deleted", () => {
  const lab = new RowLab();
  lab.put("r1", "k");
  const held = lab.hold("k");
  lab.drop("r1");
  assert.equal(lab.state("k"), "DEL_DEFER_REF");
  lab.put("r2", "k");
  assert.equal(lab.state("k"), "IN_SYNC");
  assert.equal(lab.follows("k"), "r2");
  lab.engine.release(held);
  lab.drop("r2");
  lab.counts(1, 0, 1);
});

Deno.test("K61: a second row waits for the first to go, and then is followed", () => {
  const lab = new RowLab();
  lab.put("r1", "k", "one");
  lab.put("r2", "k", "two");
  lab.put("r2", "k", "three");
  lab.drop("r2");
  lab.put("r2", "k", "four");
  assert.equal(lab.follows("k"), "r1");
  lab.counts(1, 0, 0);
  lab.drop("r1");
  assert.equal(lab.follows("k"), "r2");
  assert.equal(lab.entry("k").believed?.["value"], "four");
  lab.drop("r2");
  lab.counts(1, 1, 1);
  assert.equal(lab.binding.size, 0);
});

Deno.test("K62: rows of a container that is deleted are not listened to any more", () => {
  const lab = new RowLab();
  lab.put("r1", "k");
  lab.put("r2", "k");
  lab.engine.removeContainer(lab.table);
  lab.settle();
  lab.drop("r1");
  lab.drop("r2");
  lab.counts(1, 0, 1);
  assert.equal(lab.emptied, 1);
  assert.equal(lab.binding.size, 0);
});

Deno.test("K63: a row claims what was found in the sink", () => {
  for (const [value, changes] of [["old", 0], ["new", 1]] as const) {
    const lab = new RowLab(SWEEP_ONE);
    lab.engine.dumpBegins();
    lab.engine.adopt(lab.table, "k", { value: "old" });
    lab.put("r", "k", value);
    lab.engine.dumpEnds();
    lab.pass(0);
    assert.equal(lab.state("k"), "IN_SYNC");
    lab.drop("r");
    lab.counts(0, changes, 1);
  }
});

Deno.test("K64: a row whose entry is found again while its delete is outstanding lets go", () => {
  const lab = new RowLab(SWEEP_ONE);
  lab.completes = deleteOutstanding;
  lab.engine.dumpBegins();
  lab.put("r", "k");
  lab.drop("r");
  lab.engine.adopt(lab.table, "k", { value: "same" });
  lab.ack("k");
  lab.counts(2, 0, 1);
  assert.equal(lab.follows("k"), undefined);
  lab.engine.dumpEnds();
  lab.pass(0);
  lab.counts(2, 0, 2);
});

Deno.test("K65: a row that the filter takes for deleted goes once", () => {
  const lab = new RowLab();
  lab.put("r", "k");
  lab.verdicts.set("r", "delete");
  lab.put("r", "k", "changed");
  lab.drop("r");
  lab.counts(1, 0, 1);
});

Deno.test("K66: a row moves to another entry", () => {
  const lab = new RowLab();
  lab.put("r", "10");
  lab.move("r", "11");
  assert.deepEqual(lab.states("10", "11"), ["gone", "IN_SYNC"]);
  lab.drop("r");
  lab.counts(2, 0, 2);
});

Deno.test("K67: the row behind follows when one moves away", () => {
  const lab = new RowLab();
  lab.put("r1", "10", "r1");
  lab.put("r2", "10", "r2");
  lab.move("r1", "11");
  assert.equal(lab.follows("10"), "r2");
  lab.drop("r1");
  lab.drop("r2");
  lab.counts(2, 1, 2);
});

Deno.test("K68: a row that moves queues behind the one that is there", () => {
  const lab = new RowLab();
  lab.put("r1", "10", "r1");
  lab.put("r3", "11", "r3");
  lab.put("r2", "10", "r2");
  lab.move("r1", "11");
  assert.deepEqual([lab.follows("10"), lab.follows("11")], ["r2", "r3"]);
  lab.drop("r3");
  assert.equal(lab.follows("11"), "r1");
  lab.drop("r1");
  lab.drop("r2");
  lab.counts(2, 2, 2);
});

Deno.test("A row that is left out is not followed, and its older self stays", () => {
  const lab = new RowLab();
  lab.put("r", "k", "one");
  lab.verdicts.set("r", "ignore");
  lab.put("r", "k", "two");
  assert.equal(lab.entry("k").desired["value"], "one");
  lab.counts(1, 0, 0);
});

Deno.test("A row that changes is written where it differs, and only there", () => {
  const lab = new RowLab();
  lab.put("r", "k", "one");
  lab.put("r", "k", "one");
  lab.counts(1, 0, 0);
  assert.equal(lab.table.counters.elided, 0);
  lab.put("r", "k", "two");
  lab.counts(1, 1, 0);
});

Deno.test("A row that is swept as unclaimed is written again when it changes", () => {
  const lab = new RowLab();
  lab.put("r", "k", "one");
  lab.engine.dumpBegins();
  lab.engine.dumpEnds();
  assert.equal(lab.table.stale.size, 1);
  lab.put("r", "k", "one");
  assert.equal(lab.table.stale.size, 0);
  lab.counts(1, 0, 0);
});

Deno.test("A row whose dependencies are refused stands for nothing", () => {
  const lab = new RowLab({ onCycle: "reject" });
  lab.set("X", "W");
  lab.binding.notify({ id: "r", key: "W", fields: { needs: "X" } });
  assert.equal(lab.binding.size, 0);
  assert.equal(lab.state("W"), "TEMP");
});

Deno.test("A binding that is taken away leaves the entries as they are", () => {
  const lab = new RowLab();
  lab.put("r", "k");
  lab.binding.unregister();
  lab.drop("r");
  assert.equal(lab.state("k"), "IN_SYNC");
  assert.equal(lab.binding.size, 0);
  lab.delete("k");
  lab.counts(1, 0, 1);
});

Deno.test("A deleted row of an entry that is held comes back with the same row", () => {
  const lab = new RowLab();
  lab.put("r", "k", "one");
  const held = lab.hold("k");
  lab.drop("r");
  assert.equal(lab.state("k"), "DEL_DEFER_REF");
  lab.put("r", "k", "one");
  assert.equal(lab.state("k"), "IN_SYNC");
  lab.engine.release(held);
  lab.counts(1, 0, 0);
});
