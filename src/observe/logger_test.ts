import assert from "node:assert/strict";
import fc from "fast-check";
import { RecordLogger } from "./logger.ts";
import { LineRate } from "./rate.ts";
import { errorText, type LogRecord, plain } from "./record.ts";

Deno.test("RecordLogger drops what is below its level and marks the rest with the pipeline", () => {
  const records: LogRecord[] = [];
  const logger = new RecordLogger({
    pipeline: "p",
    level: "info",
    emit: (record) => records.push(record),
  });
  logger.debug("no");
  logger.info("yes", { port: "Ethernet0" });
  assert.equal(records.length, 1);
  assert.equal(records[0]?.pipeline, "p");
  assert.deepEqual(records[0]?.properties, { port: "Ethernet0" });
});

Deno.test("RecordLogger bounds lines that differ only in their numbers, and counts them", () => {
  const records: LogRecord[] = [];
  const rate = new LineRate({ burst: 2, interval_ms: 3_600_000 });
  const logger = new RecordLogger({ level: "debug", emit: (r) => records.push(r), rate });
  for (let attempt = 0; attempt < 100; attempt++) logger.warn(`Attempt ${attempt} failed`);
  logger.warn("Another thing");
  assert.deepEqual(records.map(({ message }) => message), [
    "Attempt 0 failed",
    "Attempt 1 failed",
    "Another thing",
  ]);
});

Deno.test("LineRate lets a burst through, then one an interval with the count of the others", () => {
  const rate = new LineRate({ burst: 3, interval_ms: 1000 });
  const passed = (now: number) => rate.pass("refused", now);
  assert.deepEqual([0, 1, 2, 3, 4].map(passed), [0, 0, 0, undefined, undefined]);
  assert.equal(passed(999), undefined);
  assert.equal(passed(1000), 3);
  assert.equal(passed(1001), undefined);
  assert.equal(passed(2000), 1);
  assert.deepEqual([9000, 9000, 9000, 9000].map(passed), [0, 0, 0, undefined]);
});

Deno.test("LineRate forgets the kind unseen for longest, so new kinds cannot grow it", () => {
  const rate = new LineRate({ burst: 1, interval_ms: 1000, kinds: 2 });
  for (const kind of ["a", "b", "a", "c"]) rate.pass(kind, 0);
  assert.equal(rate.pass("a", 1), undefined);
  assert.equal(rate.pass("b", 1), 0);
});

Deno.test("plain() makes any value JSON of a bounded size", () => {
  assert.deepEqual(plain({ a: 1n, b: new Error("x"), c: undefined, d: [new Map()] }), {
    a: "1",
    b: "x",
    c: null,
    d: [{}],
  });
  assert.equal(plain("x".repeat(5000)), "x".repeat(2000) + "…");
  fc.assert(fc.property(fc.anything({ withBigInt: true, withDate: true }), (value) => {
    JSON.stringify(plain(value));
  }));
  const ring: Record<string, unknown> = {};
  ring["self"] = ring;
  assert.ok(JSON.stringify(plain(ring)).length < 100);
});

Deno.test("errorText() names the causes once and stops in a ring", () => {
  const cause = new Error("connection refused");
  assert.equal(
    errorText(new Error("Cannot reach Redis", { cause })),
    "Cannot reach Redis: connection refused",
  );
  assert.equal(errorText(new Error("a: connection refused", { cause })), "a: connection refused");
  assert.equal(errorText("text"), "text");
  const ring = new Error("r");
  ring.cause = ring;
  assert.equal(errorText(ring), "r");
});
