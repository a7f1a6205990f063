import assert from "node:assert/strict";
import { LogRate } from "./log_rate.ts";

Deno.test("pass() lets one line of a kind through in an interval and counts the others", () => {
  const rate = new LogRate(100);
  assert.equal(rate.pass("a", 0), 0);
  assert.equal(rate.pass("a", 99), undefined);
  assert.equal(rate.pass("b", 99), 0);
  assert.equal(rate.pass("a", 99.5), undefined);
  assert.equal(rate.pass("a", 100), 2);
  assert.equal(rate.pass("a", 150), undefined);
  rate.forget("a");
  assert.equal(rate.pass("a", 151), 0);
});

Deno.test("pass() remembers a bounded number of kinds, the newest", () => {
  const rate = new LogRate(1000);
  for (let kind = 0; kind < 1000; kind++) assert.equal(rate.pass(String(kind), kind / 1000), 0);
  assert.equal(rate.pass("999", 2), undefined);
  assert.equal(rate.pass("0", 2), 0);
});
