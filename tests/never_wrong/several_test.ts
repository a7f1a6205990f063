import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { load } from "../support/linkload.ts";
import { canMakeNamespaces, createNetns, type Netns } from "../support/netns.ts";
import { type Portsync, startPortsync } from "../support/portsync.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createScene, PIPELINE, sceneSpec } from "../support/scene.ts";
import {
  differences,
  embeddedTable,
  kernelTable,
  stateTable,
  type Table,
} from "../support/tables.ts";

const ignore = !canMakeNamespaces;

async function right(netns: Netns, rows: () => Table | Promise<Table>, product: Portsync) {
  await eventually(async () => {
    const wrong = differences(await kernelTable(netns), await rows());
    return wrong.length > 0 ? `${wrong.slice(0, 5).join("\n")}\n${product.log}` : undefined;
  });
}

/** A place with links, and where its rows go. */
interface Place {
  readonly netns: Netns;
  readonly redis: RedisServer;
}

function pipelineOf({ netns, redis }: Place): unknown {
  return sceneSpec(netns, redis.url).pipelines[PIPELINE];
}

Deno.test({
  name: "Two pipelines of one spec stay right while the other's Redis or process dies",
  ignore,
  async fn() {
    await using first = await createNetns();
    await using second = await createNetns();
    await using one = await startRedis();
    await using two = await startRedis();
    for (const netns of [first, second]) await netns.addLinks(32, { up: true });
    await using product = await startPortsync({
      pipelines: {
        first: pipelineOf({ netns: first, redis: one }),
        second: pipelineOf({ netns: second, redis: two }),
      },
    });
    const bothRight = async () => {
      await right(first, () => stateTable(one), product);
      await right(second, () => stateTable(two), product);
    };
    await bothRight();
    const untouched = await product.pipelinePid("second");
    await one.kill();
    await Promise.all([load(first, "mixed", 2000), load(second, "mixed", 2000)]);
    await right(second, () => stateTable(two), product);
    await one.restart("empty");
    Deno.kill(await product.pipelinePid("first"), "SIGKILL");
    await Promise.all([load(first, "mtu", 2000), load(second, "mtu", 2000)]);
    await bothRight();
    assert.equal(await product.pipelinePid("second"), untouched);
    await product.stop();
  },
});

Deno.test({
  name: "Two sinks of one pipeline equal the kernel, also after one of them was away",
  ignore,
  async fn() {
    await using scene = await createScene({ ports: 64 });
    await scene.product.stop();
    await using product = await startPortsync({ pipelines: { [PIPELINE]: withTwoSinks(scene) } });
    const file = `${scene.redis.folder}/second.db`;
    const bothRight = async () => {
      await right(scene.netns, () => stateTable(scene.redis), product);
      await right(scene.netns, () => embeddedTable(file), product);
    };
    await bothRight();
    await scene.redis.kill();
    await load(scene.netns, "mixed", 5000);
    await right(scene.netns, () => embeddedTable(file), product);
    await scene.redis.restart("empty");
    await bothRight();
    await product.stop();
  },
});

function withTwoSinks({ netns, redis }: Place): unknown {
  const pipeline = Object(pipelineOf({ netns, redis }));
  const second = { type: "state_db", url: `sqlite:${redis.folder}/second.db` };
  return { ...pipeline, sinks: [...pipeline.sinks, second] };
}

for (const as of ["supervisor", "alone"] as const) {
  const who = as === "alone" ? "A pipeline that runs alone" : "A supervisor";
  Deno.test({
    name: `${who} under the permissions that explain prints leaves the rows that the kernel has`,
    ignore,
    async fn() {
      await using scene = await createScene({ product: { as } });
      await load(scene.netns, "mixed", 5000);
      await scene.right();
      await scene.redis.restart("empty");
      await scene.netns.batch(["link del Ethernet0", "link add Ethernet1000 type ifb"]);
      await scene.right();
      await scene.product.stop();
    },
  });
}
