import assert from "node:assert/strict";
import { sleep } from "./sleep.ts";

Deno.test("sleep() waits its time when nobody is in a hurry", async () => {
  const start = performance.now();
  await sleep(20, new AbortController().signal);
  assert.ok(performance.now() - start >= 19);
});

Deno.test("sleep() ends with its signal and leaves no timer behind", async () => {
  const controller = new AbortController();
  const sleeping = sleep(60_000, controller.signal);
  controller.abort();
  await sleeping;
  await sleep(60_000, controller.signal);
});
