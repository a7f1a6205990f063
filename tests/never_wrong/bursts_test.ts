import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

for (const [what, mode] of [["up/down", "updown"], ["MTU", "mtu"], ["mixed", "mixed"]] as const) {
  Deno.test({
    name: `STATE_DB equals the kernel after a burst of 20,000 ${what} changes on 128 ports`,
    ignore,
    async fn() {
      await using scene = await createScene();
      await load(scene.netns, mode, 20_000);
      await scene.right();
      await scene.product.stop();
    },
  });
}

Deno.test({
  name: "STATE_DB equals the kernel after bursts from two writers at once",
  ignore,
  async fn() {
    await using scene = await createScene();
    await Promise.all([
      load(scene.netns, "updown", 5000),
      load(scene.netns, "mtu", 10_000, { batch: 1 }),
    ]);
    await scene.right();
    await scene.product.stop();
  },
});
