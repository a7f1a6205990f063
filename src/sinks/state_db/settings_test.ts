import assert from "node:assert/strict";
import { StopError } from "../../core/errors.ts";
import { readSettings } from "./settings.ts";

const GOOD = {
  type: "state_db",
  url: "unix:///r.sock",
  database: 6,
  name: "STATE_DB",
  separator: ":",
  connect_timeout_ms: 1,
  request_timeout_ms: 2,
};

Deno.test("readSettings() reads what a plan has", () => {
  const settings = readSettings({ ...GOOD, table: "T" });
  assert.ok(settings.store === "redis");
  assert.equal(settings.separator, ":");
  assert.equal(settings.table, "T");
});

Deno.test("readSettings() refuses a plan that lacks something", () => {
  for (const broken of [{ url: 1 }, { database: "6" }, { username: 7 }, { name: undefined }]) {
    assert.throws(() => readSettings({ ...GOOD, ...broken }), StopError);
  }
});
