import assert from "node:assert/strict";
import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

Deno.test({
  name: "STATE_DB equals the kernel while the supervisor stands still, and after it goes on",
  ignore,
  async fn() {
    await using scene = await createScene();
    const before = await scene.pipelinePid;
    Deno.kill(scene.product.pid, "SIGSTOP");
    try {
      await load(scene.netns, "mixed", 10_000);
      await scene.redis.restart("empty");
      await scene.right();
    } finally {
      Deno.kill(scene.product.pid, "SIGCONT");
    }
    await load(scene.netns, "mixed", 1000);
    await scene.right();
    assert.equal(await scene.pipelinePid, before);
    await scene.product.stop();
  },
});

Deno.test({
  name: "A killed supervisor takes its pipelines along, and the next one puts the rows right",
  ignore,
  async fn() {
    await using scene = await createScene();
    const burst = load(scene.netns, "mixed", 10_000);
    await scene.product.kill(); // fails when a child is left
    await burst;
    await scene.start();
    await scene.right();
    await scene.product.stop();
  },
});
