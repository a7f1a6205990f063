import assert from "node:assert/strict";
import { APPLIED } from "../../core/change.ts";
import { RetryLaterError, StopError } from "../../core/errors.ts";
import { close, LONG_MS, makeBench, ROW, set, turn } from "../../../tests/support/reconciler.ts";
import { ScriptedSink } from "../../../tests/support/scripted_sink.ts";

Deno.test("Nothing is written after a reconnect before the rows were read", async () => {
  const bench = await makeBench();
  await bench.handle({ changes: [set("a"), set("b")] });
  bench.sink.lose();
  const changed = bench.handle({ changes: [set("a", { ...ROW, mtu: "1" })] });
  let open = () => {};
  bench.sink.scanGate = new Promise((resolve) => open = resolve);
  bench.sink.comeBack();
  await turn();
  assert.equal(bench.sink.writes.length, 1);
  open();
  assert.deepEqual(await changed, [APPLIED]);
  assert.deepEqual(bench.sink.writes[1], [
    { op: "set", table: "T", key: "a", fields: { mtu: "1" }, removed: [] },
  ]);
  await close(bench);
});

Deno.test("A scan that another loss cuts off is begun anew", async () => {
  const bench = await makeBench();
  await bench.handle({ changes: [set("a"), set("b")] });
  let open = () => {};
  bench.sink.scanGate = new Promise((resolve) => open = resolve);
  bench.sink.lose();
  bench.sink.comeBack();
  await turn();
  bench.sink.lose();
  bench.sink.comeBack();
  await turn();
  open();
  assert.deepEqual(await bench.handle({ changes: [set("c")] }), [APPLIED]);
  assert.equal(bench.sink.scanned.length, 3);
  // A table without rows is read to its end at once, also when that is too late.
  bench.sink.tables.clear();
  bench.sink.lose();
  bench.sink.comeBack();
  bench.sink.lose();
  bench.sink.comeBack();
  assert.deepEqual(await bench.handle({ changes: [set("c")] }), [APPLIED]);
  await close(bench);
});

Deno.test("Rows that cannot be read are read again, and said so", async () => {
  const sink = new ScriptedSink();
  sink.scanErrors.push(new RetryLaterError("loading"), new RetryLaterError("loading"));
  const bench = await makeBench({ retry: { initial_ms: 1, max_ms: 2 } }, { sink });
  assert.deepEqual(await bench.handle({ changes: [set("a")] }), [APPLIED]);
  assert.deepEqual(sink.scanned, ["T", "T", "T"]);
  assert.equal(bench.telemetry.messages("warn").length, 2);
  await close(bench);
});

Deno.test("A scan that fails after the next loss is no news", async () => {
  const bench = await makeBench();
  await turn();
  bench.sink.scanErrors.push(new RetryLaterError("cut off"));
  bench.sink.lose();
  bench.sink.comeBack();
  bench.sink.lose();
  await turn();
  assert.deepEqual(bench.telemetry.messages(), []);
  await close(bench);
});

Deno.test("What only an operator can mend ends the pipeline", async () => {
  const sink = new ScriptedSink();
  sink.scanErrors.push(new StopError("no permission"));
  const bench = await makeBench({}, { sink });
  await turn();
  assert.deepEqual(bench.failures.map(({ message }) => message), ["no permission"]);
  sink.lose();
  sink.comeBack();
  sink.isManual = true;
  await turn();
  const receipts = bench.handle({ changes: [set("a")] });
  sink.pending[0]?.answer([{ ok: false, error: new StopError("read only") }]);
  assert.equal((await receipts)[0]?.outcome, "rejected");
  assert.equal(bench.failures.length, 2);
  await close(bench);
});

Deno.test("A write that failed for now is sent again", async () => {
  const bench = await makeBench({ retry: { initial_ms: 1 }, settle_ms: LONG_MS });
  bench.sink.isManual = true;
  await turn();
  const receipts = bench.handle({ changes: [set("a"), set("b")] });
  bench.sink.pending[0]?.answer([{ ok: false, error: new RetryLaterError("busy") }]);
  await bench.sink.written(2);
  bench.sink.pending[1]?.answer();
  assert.deepEqual(await receipts, [APPLIED, APPLIED]);
  await close(bench);
});

Deno.test("A sink that breaks its word is taken as failed for now", async () => {
  const bench = await makeBench({ retry: { initial_ms: 1 }, settle_ms: LONG_MS });
  bench.sink.isManual = true;
  await turn();
  const receipts = bench.handle({ changes: [set("a")] });
  bench.sink.pending[0]?.reject(new TypeError("a fault of the sink"));
  await bench.sink.written(2);
  bench.sink.pending[1]?.reject("no error at all");
  await bench.sink.written(3);
  let retried = () => {};
  const forgotten = new Promise<void>((resolve) => retried = resolve);
  bench.sink.write = () => { // an outcome is missing
    retried();
    return Promise.resolve([]);
  };
  bench.sink.pending[2]?.reject("again");
  await forgotten;
  await turn();
  assert.match(bench.stage.explainKey("a")[0] ?? "", /after: The sink gave no outcome/);
  void receipts;
  await close(bench);
});

Deno.test("A request that is never answered is sent again after its time", async () => {
  const bench = await makeBench({ request_timeout_ms: 5, retry: { initial_ms: 1 } });
  bench.sink.isManual = true;
  await turn();
  const receipts = bench.handle({ changes: [set("a")] });
  await bench.sink.written(2);
  bench.sink.pending[1]?.answer();
  assert.deepEqual(await receipts, [APPLIED]);
  bench.sink.pending[0]?.answer();
  await turn();
  assert.equal(bench.telemetry.counters.get("ksync_late_answers_total")?.value, 1);
  assert.equal(bench.stage.counts()["late_answers"], 1);
  await close(bench);
});

Deno.test("Closing lets what is on its way arrive, and writes what only waited to be quiet", async () => {
  const bench = await makeBench({ coalesce_ms: LONG_MS, max_in_flight: 1 });
  bench.sink.isManual = true;
  await turn();
  const receipts = bench.handle({ changes: [set("a"), set("b")] });
  assert.deepEqual(bench.sink.writes, []);
  const closed = bench.stage.close(performance.now() + LONG_MS);
  bench.sink.pending[0]?.answer();
  await turn();
  bench.sink.pending[1]?.answer();
  await closed;
  assert.deepEqual(await receipts, [APPLIED, APPLIED]);
  assert.deepEqual(await bench.handle({ changes: [set("c")] }), [
    { outcome: "deferred", reason: "the pipeline stops" },
  ]);
  assert.equal(bench.sink.writes.length, 2);
  await bench.stage.close(performance.now());
});

Deno.test("Closing waits for a scan that is going on, as far as there is time", async () => {
  const sink = new ScriptedSink();
  sink.put("T", "a", ROW);
  let open = () => {};
  sink.scanGate = new Promise((resolve) => open = resolve);
  const bench = await makeBench({}, { sink });
  const receipts = bench.handle({ changes: [set("b")] });
  const closed = bench.stage.close(performance.now() + LONG_MS);
  open();
  await closed;
  assert.deepEqual(await receipts, [APPLIED]);

  const stuck = await makeBench({});
  stuck.sink.isManual = true;
  await turn();
  const never = stuck.handle({ changes: [set("b")] });
  await stuck.stage.close(performance.now() + 10);
  assert.deepEqual(await never, [{ outcome: "deferred", reason: "the pipeline stops" }]);
  stuck.sink.pending[0]?.answer([{ ok: false, error: new RetryLaterError("busy") }]);
  await turn();
  assert.equal(stuck.sink.writes.length, 1);
});

Deno.test("What waits for ever holds up no shutdown", async () => {
  const bench = await makeBench({
    settle_ms: LONG_MS,
    depends_on: [{ table: "T", key: "member", needs: ["T|lag"] }],
  });
  const receipts = bench.handle({ changes: [set("member")] });
  await turn();
  await bench.stage.close(performance.now() + LONG_MS);
  assert.deepEqual(await receipts, [{ outcome: "deferred", reason: "the pipeline stops" }]);
});

Deno.test("Nobody waits for receipts after the signal", async () => {
  const bench = await makeBench({ settle_ms: LONG_MS });
  bench.sink.isManual = true;
  await turn();
  const controller = new AbortController();
  const receipts = bench.handle({ changes: [set("a")] }, controller.signal);
  controller.abort();
  const stopped = [{ outcome: "deferred", reason: "the pipeline stops" }];
  assert.deepEqual(await receipts, stopped);
  assert.deepEqual(await bench.handle({ changes: [set("b")] }, controller.signal), stopped);
  await close(bench);
});

Deno.test("When nothing is left to wait for, no timer is left either", async () => {
  const bench = await makeBench({ request_timeout_ms: 5 });
  await bench.handle({ changes: [set("a")] });
  // The timer of the answered request comes once more, and then none does: the sanitizer sees.
  await new Promise((resolve) => setTimeout(resolve, 15));
  await close(bench);
});
