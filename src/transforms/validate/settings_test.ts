import assert from "node:assert/strict";
import { StopError } from "../../core/errors.ts";
import { readSettings } from "./settings.ts";

const PORTS = {
  url: "unix:///r.sock",
  database: 0,
  name: "APPL_DB",
  table: "PORT_TABLE",
  separator: ":",
  poll_ms: 1,
  hold_max: 2,
  connect_timeout_ms: 3,
  request_timeout_ms: 4,
};

Deno.test("readSettings() reads what a plan has", () => {
  assert.deepEqual(readSettings({ type: "validate", interfaces: ["a*"] }), { interfaces: ["a*"] });
  const { ports } = readSettings({ type: "validate", ports: { ...PORTS, username: "u" } });
  assert.equal(ports?.server.username, "u");
  assert.equal(ports?.holdMax, 2);
});

Deno.test("readSettings() refuses a plan that lacks something", () => {
  for (const ports of [1, { ...PORTS, url: 1 }, { ...PORTS, database: 0.5 }, {}]) {
    assert.throws(() => readSettings({ type: "validate", ports }), StopError);
  }
});
