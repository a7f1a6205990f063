import assert from "node:assert/strict";
import {
  APPLIED,
  type Batch,
  deferred,
  type Receipt,
  rejected,
  SUPERSEDED,
} from "../core/change.ts";
import type { Stage } from "../core/stage.ts";
import { FanOut } from "./fan_out.ts";

const BATCH: Batch = {
  changes: ["a", "b", "c", "d"].map((key) => ({
    op: "delete",
    table: "T",
    key,
    fields: {},
    time: 0,
  })),
};
const WAITS = deferred("it waits");
const NEVER = rejected(new Error("never"));

function answering(receipts: Receipt[], log: string[] = []): Stage {
  return {
    handle: () => {
      log.push("handled");
      return Promise.resolve(receipts);
    },
    close: () => {
      log.push("closed");
      return Promise.resolve();
    },
  };
}

const signal = new AbortController().signal;
const noFailure = (error: Error) => {
  throw error;
};

Deno.test("FanOut answers with the worst receipt of the required branches", async () => {
  const fan = new FanOut([
    { stage: answering([APPLIED, SUPERSEDED, WAITS, APPLIED]), required: true },
    { stage: answering([SUPERSEDED, APPLIED, NEVER, APPLIED]), required: true },
    { stage: answering([NEVER, NEVER, NEVER, NEVER]), required: false },
  ], noFailure);
  assert.deepEqual(await fan.handle(BATCH, signal), [SUPERSEDED, SUPERSEDED, NEVER, APPLIED]);
});

Deno.test("FanOut gives every branch the batch at once, and waits only for the required", async () => {
  const log: string[] = [];
  const slow: Stage = {
    handle: () => {
      log.push("slow");
      return new Promise(() => {});
    },
    close: () => Promise.resolve(),
  };
  const fan = new FanOut([
    { stage: slow, required: false },
    { stage: answering([APPLIED, APPLIED, APPLIED, APPLIED], log), required: true },
  ], noFailure);
  const answer = fan.handle(BATCH, signal);
  assert.deepEqual(log, ["slow", "handled"]);
  assert.equal((await answer).length, 4);
});

Deno.test("FanOut reports the failure of a branch that nobody waits for", async () => {
  const failures: Error[] = [];
  const failing: Stage = {
    handle: () => Promise.reject("text"),
    close: () => Promise.resolve(),
  };
  const fan = new FanOut([{ stage: failing, required: false }], (error) => failures.push(error));
  await fan.handle(BATCH, signal);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(failures.map(({ message }) => message), ["text"]);
});

Deno.test("FanOut closes every branch, also when one cannot", async () => {
  const log: string[] = [];
  const failing: Stage = {
    handle: () => Promise.resolve([]),
    close: () => Promise.reject(new Error("stuck")),
  };
  const fan = new FanOut([
    { stage: failing, required: true },
    { stage: answering([], log), required: true },
  ], noFailure);
  await assert.rejects(fan.close(0), /stuck/);
  assert.deepEqual(log, ["closed"]);
});
