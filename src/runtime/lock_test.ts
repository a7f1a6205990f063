import assert from "node:assert/strict";
import { ExitCode, StopError } from "../core/errors.ts";
import { takeLock } from "./lock.ts";

Deno.test("takeLock() keeps a second holder out, tells who the first is, and lets go", async () => {
  const folder = await Deno.makeTempDir();
  try {
    {
      using _held = await takeLock(folder, "port-sync");
      await assert.rejects(
        () => takeLock(folder, "port-sync", 0),
        (error) =>
          error instanceof StopError && error.exitCode === ExitCode.unavailable &&
          error.message.includes(`(process ${Deno.pid})`) &&
          error.message.includes("Pipeline port-sync is run by another process"),
      );
      using _other = await takeLock(folder, "another", 0);
    }
    using _again = await takeLock(folder, "port-sync", 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("all holders of a lock have their lineage in common, and no other lock has it", async () => {
  const folder = await Deno.makeTempDir();
  const lineageOf = async (pipeline: string) => {
    using held = await takeLock(folder, pipeline);
    return held.lineage;
  };
  try {
    const lineage = await lineageOf("a");
    assert.equal(await lineageOf("a"), lineage);
    assert.notEqual(await lineageOf("b"), lineage);
    await Deno.writeTextFile(`${folder}/a.lock`, "1\n'; FLUSHALL\n");
    assert.match(await lineageOf("a"), /^[0-9a-f-]{36}$/, "a damaged file gets a new one");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("takeLock() waits a little for a holder that is about to end", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const held = await takeLock(folder, "p");
    const waiting = takeLock(folder, "p");
    setTimeout(() => held[Symbol.dispose](), 60);
    using _taken = await waiting;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("takeLock() says what is wrong with its folder", async () => {
  await assert.rejects(
    () => takeLock("/nowhere", "p"),
    (error) =>
      error instanceof StopError && error.message.startsWith("The lock /nowhere/p.lock cannot"),
  );
});
