import assert from "node:assert/strict";
import { age } from "./age.ts";

Deno.test("Times are told in the unit that an operator reads", () => {
  assert.deepEqual([0.4, 999, 1500, 119_999, 125_000, 7_200_000].map(age), [
    "0 ms",
    "999 ms",
    "1.5 s",
    "120.0 s",
    "2 min",
    "2 h",
  ]);
});
