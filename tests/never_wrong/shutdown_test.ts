import assert from "node:assert/strict";
import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene } from "../support/scene.ts";
import { differences, kernelTable } from "../support/tables.ts";

const ignore = !canMakeNamespaces;

Deno.test({
  name: "What the kernel said before SIGTERM is in STATE_DB when the product has ended",
  ignore,
  async fn() {
    await using scene = await createScene();
    await load(scene.netns, "mixed", 5000);
    const pid = await scene.pipelinePid;
    Deno.kill(pid, "SIGSTOP");
    await load(scene.netns, "mtu", 5000);
    const ended = scene.product.stop();
    Deno.kill(pid, "SIGCONT");
    await ended;
    assert.deepEqual(differences(await kernelTable(scene.netns), await scene.rows()), []);
  },
});

for (const [how, redis] of [["is frozen", "stop"], ["is dead", "kill"]] as const) {
  Deno.test({
    name: `SIGTERM ends the product in time and with exit code 0 while Redis ${how}`,
    ignore,
    async fn() {
      await using scene = await createScene({ ports: 16 });
      await scene.redis[redis]();
      await load(scene.netns, "mixed", 2000);
      const begin = performance.now();
      await scene.product.stop();
      const seconds = (performance.now() - begin) / 1000;
      // service.shutdown_ms is 5 s, and a busy machine takes its own time.
      assert(seconds < 8, `It took ${seconds} s`);
    },
  });
}
