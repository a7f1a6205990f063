import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

Deno.test({
  name: "The embedded store equals the kernel after bursts, an overflow and links that went",
  ignore,
  async fn() {
    await using scene = await createScene({
      store: "sqlite",
      source: { receive_buffer_bytes: 65_536 },
    });
    await load(scene.netns, "updown", 5000);
    await load(scene.netns, "mtu", 20_000);
    await scene.right();
    await scene.netns.batch(["link del Ethernet0", "link add Ethernet1000 type ifb"]);
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "The embedded store equals the kernel after kills, and after changes between two runs",
  ignore,
  async fn() {
    await using scene = await createScene({ store: "sqlite" });
    const burst = load(scene.netns, "mixed", 10_000);
    Deno.kill(await scene.pipelinePid, "SIGKILL");
    await burst;
    await scene.right();
    await load(scene.netns, "mtu", 5000);
    await scene.product.kill();
    await scene.netns.batch(["link del Ethernet0", "link set Ethernet4 mtu 1400"]);
    await scene.start();
    await scene.right();
    await scene.product.stop();
  },
});
