import assert from "node:assert/strict";
import { formatText } from "./format.ts";
import { openLog } from "./log.ts";
import type { LogRecord } from "./record.ts";

const RECORD: LogRecord = {
  time: Date.UTC(2025, 10, 21, 8),
  level: "warn",
  pipeline: "port-sync",
  message: "Redis is away {not a template}",
  properties: { attempt: 3, error: "no route\x1b[31m", port: "Ethernet0" },
  suppressed: 4,
};

Deno.test("formatText() puts time, level, pipeline, message and values into one safe line", () => {
  assert.equal(
    formatText(RECORD),
    "2025-11-21T08:00:00.000Z WARN  port-sync: Redis is away {not a template} " +
      '(attempt=3, error="no route\\u001b[31m", port=Ethernet0, 4 more like this)',
  );
});

Deno.test("formatText() keeps escape sequences of a message and of a value from the terminal", () => {
  const line = formatText({ ...RECORD, message: "\x1b]0;x\x07", properties: { port: "\x9b2J" } });
  // deno-lint-ignore no-control-regex -- the test is about them
  assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/);
});

Deno.test("openLog() writes text lines at or above its level", () => {
  const lines: string[] = [];
  const log = openLog({ level: "warn", format: "text", write: (line) => lines.push(line) });
  log.logger.info("not wanted");
  log.logger.error("Cannot start", { error: new Error("no memory") });
  log.write(RECORD);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /Z ERROR Cannot start \(error="no memory"\)\n$/);
  assert.equal(lines[1], formatText(RECORD) + "\n");
});

Deno.test("openLog() writes one JSON object a line, with nothing unsafe in it", () => {
  const lines: string[] = [];
  const log = openLog({ level: "debug", format: "json", write: (line) => lines.push(line) });
  log.write({ ...RECORD, message: "a\u202eb\x9b" });
  const [line = ""] = lines;
  assert.ok(line.endsWith("}\n"));
  // deno-lint-ignore no-control-regex -- the test is about them
  assert.doesNotMatch(line.trimEnd(), /[\x00-\x1f\x7f-\x9f\u202e]/);
  const parsed = JSON.parse(line);
  assert.equal(parsed.message, "a\u202eb\x9b");
  assert.equal(parsed.level, "WARN");
  assert.equal(parsed.logger, "portsync.port-sync");
  assert.deepEqual(parsed.properties, { ...RECORD.properties, suppressed: 4 });
});
