import assert from "node:assert/strict";
import { ReconnectError, RetryLaterError } from "../core/errors.ts";
import { RecordedTelemetry } from "../../tests/support/telemetry.ts";
import { LinkDiary } from "./link_diary.ts";

Deno.test("a diary says each turn once, again after a quiet time, and always when all is well again", () => {
  const telemetry = new RecordedTelemetry();
  const diary = new LinkDiary({ log: telemetry.log, purpose: "STATE_DB" }, "unix:///r");
  diary.up(0);
  diary.lost(1000);
  for (let attempt = 0; attempt < 5; attempt++) diary.failed(new ReconnectError("gone"));
  diary.failed("odd");
  diary.up(3500);
  diary.lost(3600);
  diary.up(3700);
  diary.staleKept("NOPERM");
  diary.staleKept("NOPERM");
  assert.deepEqual(telemetry.lines.map(({ level, message }) => `${level} ${message}`), [
    "info STATE_DB: connected to Redis at unix:///r",
    "warn STATE_DB: gone; trying again until it works",
    "warn STATE_DB: odd; trying again until it works",
    "info STATE_DB: connected to Redis at unix:///r again after 2.5 s",
    "warn STATE_DB: Redis at unix:///r does not end connections that were given up, so an old " +
    "write may still come through it; permit this user CLIENT LIST and CLIENT KILL: NOPERM",
  ]);
  diary.failed(new ReconnectError("gone"), performance.now() + 31_000);
  assert.match(telemetry.messages().at(-1) ?? "", /works \(4 more times since the last line\)$/);
  diary.startAnew();
  diary.lost(40_000);
  diary.failed(new ReconnectError("gone"));
  diary.up(42_500);
  assert.deepEqual(telemetry.messages().slice(6), [
    "STATE_DB: gone; trying again until it works",
    "STATE_DB: connected to Redis at unix:///r again after 2.5 s",
  ]);
});

Deno.test("a quiet diary speaks of refusals only", () => {
  const telemetry = new RecordedTelemetry();
  const diary = new LinkDiary({ log: telemetry.log, purpose: "x", quiet: true }, "unix:///r");
  diary.up(0);
  diary.failed(new ReconnectError("gone"));
  diary.failed(new RetryLaterError("no permission"));
  assert.deepEqual(telemetry.lines.map(({ level }) => level), ["debug", "debug", "warn"]);
});
