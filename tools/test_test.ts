import assert from "node:assert/strict";
import { countTests } from "./test.ts";

Deno.test("countTests() reads the summary of a good run", () => {
  assert.deepEqual(countTests("…\nok | 12 passed (3 steps) | 0 failed | 1 ignored (6ms)\n", true), {
    passed: 12,
    failed: 0,
    ignored: 1,
  });
});

Deno.test("countTests() reads through colours and takes the last summary, which is the run's own", () => {
  const output = "ok | 1 passed | 0 failed (1ms)\n" +
    "\x1b[31mFAILED\x1b[0m | 5 passed (1 step) | 2 failed (4 steps) \x1b[90m(1s)\x1b[0m\n";
  assert.deepEqual(countTests(output, false), { passed: 5, failed: 2, ignored: 0 });
});

Deno.test("countTests() counts a run without a summary as a failure", () => {
  assert.deepEqual(countTests("error: Type checking failed.\n", false), {
    passed: 0,
    failed: 1,
    ignored: 0,
  });
});

Deno.test("countTests() counts a run that ended badly after good tests as a failure", () => {
  assert.equal(countTests("ok | 5 passed | 0 failed (1s)\n", false).failed, 1);
});
