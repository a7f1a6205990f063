import assert from "node:assert/strict";
import { RecordLogger } from "./logger.ts";
import { Meter } from "./telemetry.ts";

const log = new RecordLogger({ level: "error", emit: () => {} });

Deno.test("Meter keeps counters and gauges by component", () => {
  const meter = new Meter();
  const source = meter.telemetry("source.netlink", log);
  source.counter("events_total").value += 2;
  source.counter("events_total").value++;
  let up = 0;
  meter.telemetry("sink.state_db", log).gauge("redis_up", () => up);
  up = 1;
  assert.deepEqual(meter.read(), {
    "source.netlink": { events_total: 3 },
    "sink.state_db": { redis_up: 1 },
  });
});

Deno.test("Meter leaves out a gauge that throws", () => {
  const meter = new Meter();
  meter.telemetry("a", log).gauge("bad", () => {
    throw new Error("no");
  });
  assert.deepEqual(meter.read(), { a: {} });
});
