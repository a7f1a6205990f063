import assert from "node:assert/strict";
import { ExitCode } from "../core/errors.ts";
import { RestartPolicy } from "./restart.ts";

const killed = { code: 137, signal: "SIGKILL", error: undefined } as const;

function ended(code: number) {
  return { code, signal: null, error: undefined };
}

Deno.test("RestartPolicy doubles its waits up to a bound", () => {
  const policy = new RestartPolicy();
  const waits = Array.from({ length: 12 }, () => policy.judge(killed, 10))
    .map((verdict) => verdict.do === "restart" ? verdict.wait_ms : undefined);
  assert.deepEqual(waits.slice(0, 5), [100, 200, 400, 800, 1600]);
  assert.equal(waits.at(-1), 30_000);
});

Deno.test("RestartPolicy begins anew after a healthy while", () => {
  const policy = new RestartPolicy();
  for (let death = 0; death < 5; death++) policy.judge(killed, 10);
  assert.deepEqual(policy.judge(killed, 60_000), { do: "restart", wait_ms: 100, hopeless: false });
});

Deno.test("RestartPolicy does not start again what finished", () => {
  assert.deepEqual(new RestartPolicy().judge(ended(ExitCode.ok), 10), { do: "finish" });
});

Deno.test("RestartPolicy leaves long pauses where only an operator can help", () => {
  for (const code of [ExitCode.unavailable, ExitCode.config]) {
    const verdict = new RestartPolicy().judge(ended(code), 10);
    assert.deepEqual(verdict, { do: "restart", wait_ms: 60_000, hopeless: true });
  }
  const verdict = new RestartPolicy().judge(ended(ExitCode.internal), 10);
  assert.deepEqual(verdict, { do: "restart", wait_ms: 100, hopeless: false });
});
