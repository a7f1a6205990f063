/**
 * What owners may ask for beyond set and delete, and what makes no sense.
 */
import assert from "node:assert/strict";
import { APPLIED, type Receipt } from "../../core/change.ts";
import { Lab } from "../../../tests/support/ksync_lab.ts";
import { Engine } from "./engine.ts";

/** Answers only when the test says so. */
const Y = { atOnce: [] };

/** Keeps receipts. */
function collector(): { receipts: Receipt[]; ticket: { settle(receipt: Receipt): void } } {
  const receipts: Receipt[] = [];
  return { receipts, ticket: { settle: (receipt) => receipts.push(receipt) } };
}

Deno.test("An entry takes another key without a write", () => {
  const lab = new Lab();
  lab.set("a");
  lab.set("b", "a");
  const e = lab.entry("a");
  assert.ok(lab.engine.changeKey(lab.table, "a", "z"));
  assert.equal(lab.entry("z"), e);
  assert.equal(lab.state("a"), "gone");
  assert.equal(lab.refs("z"), 2);
  assert.equal(lab.writes.length, 2);
  assert.equal(lab.engine.history(e).length, 2);
  assert.equal(lab.engine.changeKey(lab.table, "none", "y"), false);
  assert.equal(lab.engine.changeKey(lab.table, "z", "z"), false);
});

Deno.test("Two entries exchange their keys when the new one is taken", () => {
  const lab = new Lab();
  lab.set("a");
  lab.set("b");
  const [a, b] = [lab.entry("a"), lab.entry("b")];
  assert.ok(lab.engine.changeKey(lab.table, "a", "b"));
  assert.deepEqual([lab.entry("a"), lab.entry("b")], [b, a]);
  assert.deepEqual([a.key, b.key], ["b", "a"]);
  assert.equal(lab.table.size, 2);
});

Deno.test("The keys of a container can be walked in their order, and the walk resumed", () => {
  const lab = new Lab();
  assert.equal(lab.table.next(), undefined);
  for (const key of ["c", "a", "e"]) lab.set(key);
  assert.equal(lab.table.next()?.key, "a");
  assert.equal(lab.table.next("a")?.key, "c");
  lab.delete("c");
  assert.equal(lab.table.next("a")?.key, "e");
  assert.equal(lab.table.next("d")?.key, "e");
  assert.equal(lab.table.next("e"), undefined);
});

Deno.test("A renew with a value needs no row before it", () => {
  const lab = new Lab();
  const { receipts, ticket } = collector();
  assert.ok(lab.engine.renew(lab.table, "X", { value: "1" }, ticket));
  assert.deepEqual(lab.writes, ["A X"]);
  assert.deepEqual(receipts, [APPLIED]);
});

Deno.test("A renew of what nobody has is refused", () => {
  const lab = new Lab();
  const { receipts, ticket } = collector();
  lab.hold("X");
  for (const key of ["X", "none"]) {
    assert.equal(lab.engine.renew(lab.table, key, undefined, ticket), false);
  }
  assert.deepEqual(receipts.map(({ outcome }) => outcome), ["rejected", "rejected"]);
  assert.equal(lab.engine.misuse, 2);
});

Deno.test("A renew that waits for referrers begins when they are gone, where renews hold", () => {
  const lab = new Lab({ renew: "hold" });
  lab.set("P", "", "1");
  lab.set("Q", "P");
  lab.renew("P");
  assert.equal(lab.state("P"), "DEL_DEFER_REF");
  lab.set("P", "", "2"); // part of the renew
  assert.equal(lab.state("P"), "DEL_DEFER_REF");
  lab.delete("Q");
  assert.deepEqual(lab.writes.slice(2), ["D Q", "D P", "A P"]);
  assert.equal(lab.entry("P").believed?.["value"], "2");
});

Deno.test("A delete cancels a renew that waits for referrers", () => {
  const lab = new Lab({ renew: "hold" });
  lab.set("P");
  lab.set("Q", "P");
  lab.renew("P");
  lab.delete("P");
  assert.equal(lab.state("P"), "DEL_DEFER_REF");
  lab.delete("Q");
  assert.deepEqual(lab.writes.slice(2), ["D Q", "D P"]);
  assert.equal(lab.table.size, 0);
});

Deno.test("A row can be referred to when what the sink holds says so", () => {
  const lab = new Lab({
    table: { isDataResolved: (believed) => believed["value"] !== "down" },
    resolveOn: "acked",
    atOnce: ["add", "delete"],
  });
  lab.set("lag", "", "down");
  lab.set("member", "lag");
  assert.equal(lab.state("member"), "ADD_DEFER");
  lab.set("lag", "", "up");
  assert.equal(lab.state("member"), "ADD_DEFER");
  lab.ack("lag");
  assert.equal(lab.state("member"), "IN_SYNC");
});

Deno.test("A row whose newer value waits can still be referred to", () => {
  const lab = new Lab({ coalesceMs: 50 });
  lab.set("P");
  lab.pass(50);
  lab.set("P");
  lab.set("Q", "P");
  lab.pass(50);
  assert.deepEqual(lab.states("P", "Q"), ["IN_SYNC", "IN_SYNC"]);
  lab.set("P");
  lab.renew("P"); // now it is about to leave
  lab.set("R", "P");
  assert.equal(lab.state("R"), "ADD_DEFER");
});

Deno.test("Where nothing can depend on a table, nobody is looked for", () => {
  const lab = new Lab({ table: { wakesWaiters: false } });
  lab.set("X", "M");
  lab.set("M");
  assert.equal(lab.state("X"), "ADD_DEFER");
});

Deno.test("A dependency may name a table that is not there yet", () => {
  const opened: string[] = [];
  const engine = new Engine({
    send: () => true,
    openTable: (name) => {
      opened.push(name);
      return {};
    },
  });
  const rules = { dependencies: () => [{ table: "U", key: "x" }] };
  engine.set(engine.container("T", rules), "X", { value: "1" });
  assert.deepEqual(opened, ["U"]);
  const other = engine.containers.get("U");
  assert.ok(other);
  assert.equal(other.counters.inState("TEMP"), 1);

  const bare = new Engine({ send: () => true });
  bare.set(bare.container("T", rules), "X", { value: "1" });
  assert.ok(bare.containers.has("U"));
  bare.set(bare.container("U"), "x", { value: "1" });
  assert.equal(bare.traced, 2);
});

Deno.test("A container of another engine is refused, and whoever asked is told", () => {
  const lab = new Lab();
  const stranger = new Lab();
  const { receipts, ticket } = collector();
  assert.equal(lab.engine.set(stranger.table, "X", {}, [], ticket), undefined);
  lab.engine.delete(stranger.table, "X", ticket);
  assert.equal(lab.engine.renew(stranger.table, "X", {}, ticket), false);
  assert.equal(lab.engine.changeKey(stranger.table, "X", "Y"), false);
  assert.equal(lab.engine.misuse, 4);
  stranger.set("X");
  lab.engine.sinkLost(stranger.table);
  lab.engine.beginScan(stranger.table);
  lab.engine.found(stranger.table, "X", {});
  lab.engine.endScan(stranger.table);
  lab.engine.observed(stranger.table, "X", undefined, true);
  lab.engine.removeContainer(stranger.table);
  lab.engine.unregister(stranger.table);
  assert.equal(lab.engine.own(stranger.table, () => true), false);
  assert.equal(lab.engine.retry(stranger.table, "X"), false);
  assert.equal(lab.engine.hold(stranger.table, "Y"), undefined);
  assert.equal(lab.engine.adopt(stranger.table, "Y", {}), undefined);
  assert.equal(lab.engine.misuse, 15);
  assert.deepEqual(stranger.states("X", "Y"), ["IN_SYNC", "gone"]);
  assert.deepEqual(receipts.map(({ outcome }) => outcome), ["rejected", "rejected", "rejected"]);
});

Deno.test("A container that is being removed takes nothing new", () => {
  const lab = new Lab();
  lab.set("kept");
  const { receipts, ticket } = collector();
  lab.engine.removeContainer(lab.table);
  lab.engine.set(lab.table, "X", { value: "1" }, [], ticket);
  assert.equal(lab.engine.renew(lab.table, "kept", undefined, ticket), false);
  assert.equal(lab.engine.adopt(lab.table, "X", { value: "1" }), undefined);
  lab.delete("X");
  lab.engine.delete(lab.table, "X", ticket);
  assert.deepEqual(receipts.map(({ outcome }) => outcome), ["rejected", "rejected", "applied"]);
  lab.engine.beginScan(lab.table);
  lab.engine.found(lab.table, "Y", { value: "1" });
  lab.engine.endScan(lab.table);
  assert.equal(lab.table.size, 1);
  lab.settle();
  assert.equal(lab.table.size, 0);
});

Deno.test("An entry without an index that is deleted makes no place for itself", () => {
  const lab = new Lab({ table: { index: { allocate: "engine", max: 1 } } });
  lab.set("a");
  lab.set("b");
  lab.set("c");
  assert.equal(lab.table.starving.size, 2);
  lab.delete("b");
  assert.equal(lab.table.starving.size, 1);
  lab.delete("a");
  assert.deepEqual(lab.states("c"), ["IN_SYNC"]);
  assert.equal(lab.table.starving.size, 0);
});

Deno.test("A stale entry that the driver wants to know of is told before it goes", () => {
  const expired: string[] = [];
  const engine = new Engine({ send: () => true, expiring: ({ key }) => expired.push(key) });
  const table = engine.container("T");
  engine.dumpBegins();
  engine.adopt(table, "X", { value: "1" });
  engine.dumpEnds();
  engine.tick(0);
  assert.deepEqual(expired, ["X"]);
});

Deno.test("A write that waits for a slot is withdrawn without a write of its own", () => {
  const lab = new Lab({ ...Y, maxInFlight: 1 });
  lab.set("a");
  lab.ack("a");
  lab.set("b");
  lab.set("a");
  lab.delete("a");
  assert.equal(lab.state("a"), "BACKOFF");
  lab.ack("b");
  assert.deepEqual(lab.writes, ["A a", "A b", "D a"]);
});

Deno.test("A waiter that is woken in the turn that changes it has no link to lose", () => {
  const lab = new Lab(Y);
  lab.set("M");
  lab.delete("M");
  lab.set("W", "M");
  assert.deepEqual(lab.states("M", "W"), ["DEL_DEFER_SYNC", "ADD_DEFER"]);
  lab.engine.cork();
  lab.set("W", "M");
  lab.set("M"); // it is outstanding, so this is acted on at once, and W is released
  lab.engine.uncork();
  assert.deepEqual(lab.states("M", "W"), ["NEED_SYNC", "SYNC_WAIT"]);
});

Deno.test("What is sent can be referred to by what it is going to hold", () => {
  const lab = new Lab({ ...Y, table: { isDataResolved: (row) => row["value"] === "up" } });
  lab.set("lag", "", "up");
  lab.set("member", "lag");
  assert.deepEqual(lab.writes, ["A lag", "A member"]);
});

Deno.test("A row is not adopted while its delete waits, but comes back to be swept", () => {
  const lab = new Lab(Y);
  lab.set("a", "", "1");
  lab.ack("a");
  lab.delete("a");
  lab.answer("a", { kind: "transient", error: new Error("busy") });
  assert.ok(lab.engine.adopt(lab.table, "a", { value: "1", needs: "" }));
  assert.equal(lab.table.stale.size, 1);
  assert.equal(lab.state("a"), "BACKOFF");
  assert.equal(lab.engine.adopt(lab.table, "a", { value: "1", needs: "" }), undefined);
  lab.set("b", "", "1");
  lab.delete("b");
  assert.equal(lab.state("b"), "DEL_DEFER_SYNC");
  assert.ok(lab.engine.adopt(lab.table, "b", { value: "1", needs: "" }));
  assert.equal(lab.state("b"), "NEED_SYNC");
});

Deno.test("Only what waits for a time has one, and only what is outstanding was sent", () => {
  const lab = new Lab(Y);
  lab.engine.now = 7;
  lab.set("X");
  assert.equal(lab.engine.sentAt(lab.entry("X")), 7);
  assert.equal(lab.engine.dueOf(lab.entry("X")), Infinity);
  lab.ack("X");
  assert.equal(lab.engine.sentAt(lab.entry("X")), Infinity);
});
