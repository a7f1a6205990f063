import { pause } from "../support/eventually.ts";
import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene, type SceneOptions } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

/** How long a killed Redis stays away. `PORTSYNC_TEST_AWAY_S=10` takes the time of a real one. */
const AWAY_MS = Number(Deno.env.get("PORTSYNC_TEST_AWAY_S") ?? 3) * 1000;

/** Longer than any default timeout, so that requests are given up and sent again. */
const FROZEN_MS = 10_000;

/** Ports that no load changes: their rows come back only if somebody misses them. */
const before: SceneOptions["before"] = ({ netns }) => {
  return netns.addLinks(16, { prefix: "PortChannel", step: 1, up: true });
};

for (const data of ["empty", "withData"] as const) {
  const how = data === "empty" ? "empty" : "with its data";
  Deno.test({
    name: `STATE_DB equals the kernel after Redis was killed under load and came back ${how}`,
    ignore,
    async fn() {
      await using scene = await createScene({ before, redis: { persist: true } });
      const burst = load(scene.netns, "mixed", 4000, { rate: 2000 });
      await pause(1000);
      await scene.redis.kill();
      await burst;
      // What happens while it is away must be right in the end too, and nothing happens after.
      await scene.netns.batch(["link del Ethernet0", "link add Ethernet1000 type ifb"]);
      await pause(AWAY_MS);
      await scene.redis.restart(data);
      await scene.right();
      await scene.product.stop();
    },
  });
}

Deno.test({
  name: "STATE_DB equals the kernel after Redis came back in the middle of a load",
  ignore,
  async fn() {
    await using scene = await createScene({ before });
    const burst = load(scene.netns, "mixed", 8000, { rate: 2000 });
    for (let round = 0; round < 4; round++) {
      await pause(700);
      await scene.redis.restart("empty");
    }
    await burst;
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "STATE_DB equals the kernel after Redis stood still for ten seconds under load",
  ignore,
  async fn() {
    await using scene = await createScene({ before });
    const burst = load(scene.netns, "mixed", 8000, { rate: 2000 });
    await pause(1000);
    scene.redis.stop();
    await Promise.all([burst, pause(FROZEN_MS)]);
    scene.redis.cont();
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "STATE_DB equals the kernel when Redis starts long after the product",
  ignore,
  async fn() {
    await using scene = await createScene({ before, ports: 16 });
    await scene.redis.kill();
    await scene.product.kill();
    await scene.start();
    await scene.netns.ip("link", "set", "Ethernet0", "mtu", "2000");
    await pause(1500);
    await scene.redis.restart("empty");
    await scene.right();
    await scene.product.stop();
  },
});
