import assert from "node:assert/strict";
import fc from "fast-check";
import { backoff, DEFAULT_BACKOFF } from "./backoff.ts";

Deno.test("backoff() doubles up to the longest wait", () => {
  const options = { initialMs: 50, maxMs: 300, factor: 2, jitter: 0 };
  assert.deepEqual([1, 2, 3, 4, 5].map((failures) => backoff(failures, options, 0.5)), [
    50,
    100,
    200,
    300,
    300,
  ]);
});

Deno.test("backoff() stays between its bounds for any number of failures", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(fc.nat(), random, (failures, chance) => {
    const wait = backoff(failures, DEFAULT_BACKOFF, chance);
    assert.ok(wait >= DEFAULT_BACKOFF.initialMs * (1 - DEFAULT_BACKOFF.jitter));
    assert.ok(wait <= DEFAULT_BACKOFF.maxMs);
  }));
});
