import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError, readAssignment, readOrder, readReport, type Report } from "./protocol.ts";

Deno.test("readReport() reads every kind of report", () => {
  const reports: Report[] = [
    { say: "beat" },
    { say: "running" },
    {
      say: "log",
      record: { time: 1, level: "warn", message: "m", properties: { port: "p" }, suppressed: 2 },
    },
    { say: "rows", rows: [{ table: "T", key: "k", fields: { a: "1" } }, { table: "T", key: "l" }] },
    { say: "answer", id: 1, result: { a: [1] } },
    { say: "refuse", id: 2, error: "no" },
    { say: "end", exit_code: 69, error: "why" },
    { say: "end", exit_code: 0 },
  ];
  for (const report of reports) assert.deepEqual(readReport(JSON.stringify(report)), report);
});

Deno.test("readReport() drops what a report should not have, above all another pipeline's name", () => {
  const record = { time: 1, level: "info", message: "m", pipeline: "other", more: 1 };
  assert.deepEqual(readReport(JSON.stringify({ say: "log", record })), {
    say: "log",
    record: { time: 1, level: "info", message: "m" },
  });
});

Deno.test("readReport() refuses what is none", () => {
  const wrong = [
    "",
    "{",
    "[]",
    "null",
    '{"say":"sing"}',
    '{"say":"log"}',
    '{"say":"log","record":{"time":1e99,"level":"info","message":"m"}}',
    '{"say":"log","record":{"time":1,"level":"loud","message":"m"}}',
    '{"say":"rows","rows":[{"table":"T"}]}',
    '{"say":"rows","rows":[{"table":"T","key":"k","fields":{"a":1}}]}',
    '{"say":"answer"}',
    '{"say":"end"}',
  ];
  for (const line of wrong) assert.throws(() => readReport(line), ProtocolError, line);
});

Deno.test("readReport() and readOrder() never throw anything but a ProtocolError", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
    for (const read of [readReport, readOrder]) {
      try {
        read(line);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }
  }));
});

Deno.test("readOrder() reads orders and refuses others", () => {
  const orders = [
    { do: "stop", within_ms: 5000 },
    { do: "ask", id: 1, question: { what: "status" } },
    { do: "ask", id: 2, question: { what: "explain-key", key: "Ethernet0" } },
  ];
  for (const order of orders) assert.deepEqual(readOrder(JSON.stringify(order)), order);
  const wrong = [
    { do: "stop" },
    { do: "ask", id: 1 },
    { do: "ask", id: 1, question: { what: "explain-key" } },
    { do: "ask", id: 1, question: { what: "dance" } },
  ];
  for (const order of wrong) assert.throws(() => readOrder(JSON.stringify(order)), ProtocolError);
});

Deno.test("readAssignment() looks at the outline of the first line", () => {
  const assignment = {
    task: "run",
    plan: { name: "p" },
    service: { runtime_folder: "/run" },
    dry_run: false,
    watch: false,
  };
  assert.deepEqual(readAssignment(JSON.stringify(assignment)), assignment);
  for (const name of Object.keys(assignment)) {
    const without = JSON.stringify({ ...assignment, [name]: undefined });
    assert.throws(() => readAssignment(without), ProtocolError, name);
  }
});
