import assert from "node:assert/strict";
import { calls, resetCalls } from "../support/commandstats.ts";
import { eventually } from "../support/eventually.ts";
import { LateProxy } from "../support/late_proxy.ts";
import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

Deno.test({
  name: "STATE_DB equals the kernel after the pipeline's process was killed during a burst",
  ignore,
  async fn() {
    await using scene = await createScene();
    const before = await scene.pipelinePid;
    const burst = load(scene.netns, "mixed", 20_000);
    Deno.kill(before, "SIGKILL");
    await burst;
    await scene.right();
    assert.notEqual(await scene.pipelinePid, before);
    await scene.product.stop();
  },
});

Deno.test({
  name: "What a killed process had sent does not come after what the next one writes",
  ignore,
  async fn() {
    const sink: Record<string, unknown> = {};
    const network = Promise.withResolvers<LateProxy>();
    await using scene = await createScene({
      ports: 4,
      sink,
      before: ({ redis }) => {
        const proxy = new LateProxy(redis.socket);
        sink["url"] = proxy.url;
        network.resolve(proxy);
      },
    });
    await using proxy = await network.promise;
    proxy.partition();
    await scene.netns.batch(["link set Ethernet0 mtu 4000"]);
    await eventually(() => proxy.held > 0 ? undefined : "nothing has been sent");
    Deno.kill(await scene.pipelinePid, "SIGKILL");
    proxy.heal();
    await scene.netns.batch(["link set Ethernet0 mtu 5000"]);
    await scene.right();
    await proxy.deliver();
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "Links that came and went while the process was dead are right when it is back",
  ignore,
  async fn() {
    await using scene = await createScene();
    await scene.product.kill();
    await scene.netns.batch([
      "link del Ethernet0",
      "link set Ethernet4 down",
      "link set Ethernet8 mtu 4000",
      "link add Ethernet1000 type ifb",
    ]);
    await scene.start();
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "A restart with nothing changed writes nothing",
  ignore,
  async fn() {
    await using scene = await createScene();
    await load(scene.netns, "mixed", 500);
    await scene.right();
    await scene.product.stop();
    await resetCalls(scene.redis);
    await scene.start();
    await eventually(async () => {
      return (await calls(scene.redis)).has("scan") ? undefined : "nobody reads the table";
    });
    await scene.right({ holdMs: 1000 });
    const others = [...(await calls(scene.redis)).keys()].filter((name) => !READS.has(name));
    assert.deepEqual(others, []);
    await scene.product.stop();
  },
});

/** What a start may ask of Redis, and what this test asks itself. */
const READS = new Set([
  ...[
    "hello",
    "auth",
    "select",
    "client|id",
    "client|setname",
    "client|setinfo",
    "client|list",
    "ping",
  ],
  ...["scan", "hgetall", "hmget", "type", "eval", "keys"],
]);
