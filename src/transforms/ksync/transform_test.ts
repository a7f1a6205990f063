import assert from "node:assert/strict";
import { ACCEPTED, APPLIED, SUPERSEDED } from "../../core/change.ts";
import { RejectError, RetryLaterError } from "../../core/errors.ts";
import type { RowEvent } from "../../core/stage.ts";
import {
  close,
  LONG_MS,
  makeBench,
  remove,
  ROW,
  set,
  turn,
} from "../../../tests/support/reconciler.ts";
import { pause } from "../../../tests/support/eventually.ts";
import { ScriptedSink } from "../../../tests/support/scripted_sink.ts";

Deno.test("A change is answered once the sink has it", async () => {
  const bench = await makeBench();
  assert.ok(bench.sink.isOpen);
  assert.deepEqual(await bench.handle({ changes: [set("a"), set("b")] }), [APPLIED, APPLIED]);
  assert.deepEqual(await bench.handle({ changes: [set("a")] }), [APPLIED]);
  assert.equal(bench.sink.writes.length, 1);
  assert.deepEqual(bench.sink.row("T", "b"), ROW);
  assert.deepEqual(await bench.handle({ changes: [remove("b")] }), [APPLIED]);
  assert.equal(bench.sink.row("T", "b"), undefined);
  assert.deepEqual(await bench.handle({}), []);
  await close(bench);
});

Deno.test("An idle key is written in the turn of its change, and a batch in one call", async () => {
  const bench = await makeBench();
  await turn(); // the sink is read
  void bench.handle({ changes: [set("a")] });
  assert.equal(bench.sink.writes.length, 1);
  void bench.handle({ changes: [set("b"), set("c"), set("b", { ...ROW, mtu: "1" }), set("d")] });
  assert.equal(bench.sink.writes.length, 2);
  assert.deepEqual(bench.sink.writes[1]?.map(({ key }) => key), ["b", "c", "d"]);
  await close(bench);
});

Deno.test("A change whose place a newer one took is superseded, a refused one is rejected", async () => {
  const bench = await makeBench();
  bench.sink.isManual = true;
  await turn();
  const first = bench.handle({ changes: [set("a", { v: "1" })] });
  const second = bench.handle({ changes: [set("a", { v: "2" }), set("b")] });
  const third = bench.handle({ changes: [set("a", { v: "3" })] });
  bench.sink.pending[0]?.answer();
  assert.deepEqual(await first, [APPLIED]);
  await turn();
  bench.sink.pending[1]?.answer([{ ok: false, error: new RejectError("wrong type") }]);
  const [replaced, refused] = await second;
  assert.deepEqual(replaced, SUPERSEDED);
  assert.equal(refused?.outcome, "rejected");
  bench.sink.pending[2]?.answer();
  assert.deepEqual(await third, [APPLIED]);
  assert.deepEqual(bench.telemetry.messages("error"), [
    "A row cannot be written; it is set aside until its value changes or it is retried",
  ]);
  await close(bench);
});

Deno.test("A change that waits too long is deferred, with the reason, and holds up no other", async () => {
  const bench = await makeBench({
    settle_ms: 20,
    depends_on: [{ table: "T", key: "{port}.{vlan}", needs: ["T|{port}"] }].map((rule) => ({
      ...rule,
      key: "sub{port}",
    })),
  });
  const [waits, goes] = await bench.handle({ changes: [set("subEthernet0"), set("b")] });
  assert.equal(waits?.outcome, "deferred");
  assert.match(
    waits?.outcome === "deferred" ? waits.reason : "",
    /^ADD_DEFER .* waits for T\|Ethernet0 \(TEMP, no owner\)$/,
  );
  assert.deepEqual(goes, APPLIED);
  await bench.handle({ changes: [set("Ethernet0")] });
  assert.deepEqual(bench.sink.row("T", "subEthernet0"), ROW);
  await close(bench);
});

Deno.test("A sink that is away or slow defers nothing, it holds the answers up", async () => {
  const sink = new ScriptedSink();
  sink.isUp = false;
  const bench = await makeBench({
    settle_ms: 0,
    depends_on: [{ table: "T", key: "member", needs: ["T|lag"] }],
  }, { sink });
  let answered = 0;
  const first = bench.handle({ changes: [set("a"), set("member")] });
  void first.then(() => answered++);
  await turn();
  const second = bench.handle({ changes: [set("b")] });
  void second.then(() => answered++);
  await pause(250); // twice they are due, and looked at
  assert.equal(answered, 0);
  sink.isManual = true;
  sink.comeBack();
  await sink.written(1);
  await pause(250);
  assert.equal(answered, 0);
  for (const write of sink.pending) write.answer();
  assert.deepEqual(await second, [APPLIED]);
  const [applied, waits] = await first;
  assert.deepEqual(applied, APPLIED);
  assert.match(waits?.outcome === "deferred" ? waits.reason : "", /waits for T\|lag/);
  await close(bench);
});

Deno.test("A source that cannot repeat is answered at once, whatever the sink does", async () => {
  const sink = new ScriptedSink();
  sink.isUp = false;
  const bench = await makeBench({}, { acknowledge: "accepted", sink });
  assert.deepEqual(await bench.handle({ changes: [set("a"), set("b", ROW, "OTHER")] }), [
    ACCEPTED,
    { outcome: "rejected", error: new RejectError("OTHER is no table of this pipeline") },
  ]);
  assert.deepEqual(bench.sink.writes, []);
  sink.comeBack();
  await sink.written(1);
  assert.deepEqual(sink.row("T", "a"), ROW);
  await close(bench);
});

Deno.test("A change of a table that the spec does not name is rejected", async () => {
  const bench = await makeBench();
  const [receipt] = await bench.handle({ changes: [set("a", ROW, "OTHER")] });
  assert.equal(receipt?.outcome, "rejected");
  await close(bench);
});

Deno.test("Where the spec names no table, each is read when its first change comes", async () => {
  const bench = await makeBench({ tables: undefined });
  bench.sink.put("U", "a", ROW);
  assert.deepEqual(await bench.handle({ changes: [set("a", ROW, "U")] }), [APPLIED]);
  assert.deepEqual(bench.sink.scanned, ["U"]);
  assert.deepEqual(bench.sink.writes, []);
  assert.deepEqual(await bench.handle({ changes: [set("a"), set("b", ROW, "U")] }), [
    APPLIED,
    APPLIED,
  ]);
  assert.deepEqual(bench.sink.scanned, ["U", "T"]);
  await close(bench);
});

Deno.test("Rows of a table that only a dependency names are nobody's to sweep", async () => {
  const sink = new ScriptedSink();
  sink.put("LAG", "Po1", ROW);
  sink.put("LAG", "Po2", ROW);
  const bench = await makeBench({
    tables: undefined,
    depends_on: [{ table: "MEMBER", needs: ["LAG|{field:lag}"] }],
    owns: { field: "state" },
    settle_ms: 10,
  }, { sink });
  const member = set("a", { lag: "Po1" }, "MEMBER");
  const [waits] = await bench.handle({ mark: "dump-begin", changes: [member] });
  assert.equal(waits?.outcome, "deferred");
  await bench.handle({ mark: "dump-end" });
  assert.deepEqual(sink.writes, []);
  // The source names the table after all: from now on its rows are ours.
  await bench.handle({ mark: "dump-begin", changes: [member, set("Po1", ROW, "LAG")] });
  await bench.handle({ mark: "dump-end" });
  await sink.written(2);
  assert.deepEqual(sink.row("MEMBER", "a"), { lag: "Po1" });
  assert.deepEqual(sink.writes.flat().map(({ op, key }) => `${op} ${key}`).sort(), [
    "delete Po2",
    "set a",
  ]);
  await close(bench);

  const other = await makeBench({
    tables: undefined,
    depends_on: [{ table: "MEMBER", needs: ["LAG|{field:lag}"] }],
    settle_ms: 10,
  });
  await other.handle({ changes: [member] });
  assert.deepEqual(await other.handle({ changes: [set("Po1", ROW, "LAG")] }), [
    { outcome: "applied" },
  ]);
  await close(other);
});

Deno.test("A restart adopts what is there, and sweeps what a complete dump leaves out", async () => {
  const sink = new ScriptedSink();
  sink.put("T", "Ethernet0", { ...ROW, host_tx_ready: "true" });
  sink.put("T", "Ethernet999", ROW);
  sink.put("T", "Ethernet0.10", ROW);
  sink.put("T", "stateless", { speed: "1" });
  const bench = await makeBench({ owns: { keys: ["*"], field: "state" } }, { sink });
  await bench.handle({ mark: "lost" });
  await bench.handle({ mark: "dump-begin", changes: [set("Ethernet0")] });
  await bench.handle({ mark: "dump-end" });
  await sink.written(1);
  assert.deepEqual(sink.writes, [[{ op: "delete", table: "T", key: "Ethernet999" }]]);
  await close(bench);
});

Deno.test("An operator can ask why, retry, and count", async () => {
  const bench = await makeBench({ tables: ["T", "U"], retry: { initial_ms: LONG_MS } });
  bench.sink.isManual = true;
  await turn();
  void bench.handle({ changes: [set("a"), set("a", ROW, "U")] });
  bench.sink.pending[0]?.answer([{ ok: false, error: new RetryLaterError("busy") }]);
  await turn();
  assert.match(bench.stage.explainKey("T|a")[0] ?? "", /^T\|a BACKOFF .* after: busy$/);
  assert.equal(bench.stage.explainKey("a").filter((line) => /^[TU]\|a /.test(line)).length, 2);
  assert.deepEqual(bench.stage.explainKey("none"), []);
  assert.equal(bench.stage.retry("U|a"), false);
  assert.ok(bench.stage.retry("a"));
  assert.equal(bench.sink.writes.length, 2);
  const counts = bench.stage.counts();
  assert.equal(counts["entries"], 2);
  assert.equal(counts["IN_SYNC"], 1);
  assert.equal(counts["retries"], 1);
  assert.equal(counts["unsynced"], 1);
  assert.ok((counts["oldest_unsynced_ms"] ?? -1) >= 0);
  await close(bench);
});

Deno.test("Telemetry has the engine's numbers", async () => {
  const bench = await makeBench();
  await bench.handle({ changes: [set("a")] });
  const { counters, gauges } = bench.telemetry;
  assert.equal(counters.get("ksync_adds_total")?.value, 1);
  const read = Object.fromEntries([...gauges].map(([name, gauge]) => [name, gauge()]));
  assert.equal(read["ksync_entries"], 1);
  assert.equal(read["ksync_unsynced"], 0);
  assert.equal(read["ksync_oldest_unsynced_ms"], 0);
  bench.sink.isManual = true;
  void bench.handle({ changes: [set("b")] });
  assert.ok((gauges.get("ksync_oldest_unsynced_ms")?.() ?? -1) >= 0);
  assert.equal(gauges.get("ksync_in_flight")?.(), 1);
  await close(bench);
});

Deno.test("Reports that no key stands behind are logged as well", async () => {
  const sink = new ScriptedSink();
  sink.put("T", "a", ROW);
  const bench = await makeBench({
    owns: { field: "state" },
    sweep: { max_wait_ms: 1000, without_end: true },
  }, { sink });
  await bench.telemetry.line(/not named all of its rows/);
  await sink.written(1);
  assert.equal(sink.row("T", "a"), undefined);
  await close(bench);
});

Deno.test("What the sink sees of its rows is put right", async () => {
  let tell: (events: readonly RowEvent[]) => void = () => {};
  const sink = Object.assign(new ScriptedSink(), {
    observe(listener: (events: readonly RowEvent[]) => void): () => void {
      tell = listener;
      return () => void (tell = () => {});
    },
  });
  const bench = await makeBench({}, { sink });
  await bench.handle({ changes: [set("a")] });
  tell([{ key: "a", fields: { ...ROW, mtu: "1" }, mended: false }]);
  assert.deepEqual(sink.writes[1], [
    { op: "set", table: "T", key: "a", fields: { mtu: "9100" }, removed: [] },
  ]);
  await turn();
  await close(bench);
});

Deno.test("All of the engine's settings follow the spec's", async () => {
  const bench = await makeBench({
    damping: { half_life_ms: 1000 },
    numeric_fields: ["mtu"],
    owns: { fields: ["mac"] },
    retry: { on_change: "now" },
    resolved_when: [{ table: "T", field: "state", equals: "ok" }],
    depends_on: [{ table: "T", key: "member", needs: ["T|lag"] }],
    settle_ms: 10,
  });
  const [, waits] = await bench.handle({
    changes: [set("lag", { state: "down" }), set("member")],
  });
  assert.equal(waits?.outcome, "deferred");
  await bench.handle({ changes: [set("lag", { state: "ok", mtu: "9100" })] });
  assert.deepEqual(bench.sink.row("T", "member"), ROW);
  const writes = bench.sink.writes.length;
  await bench.handle({ changes: [set("lag", { state: "ok", mtu: "9100.0" })] });
  assert.equal(bench.sink.writes.length, writes);
  await close(bench);
});
