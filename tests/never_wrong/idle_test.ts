import assert from "node:assert/strict";
import { calls, resetCalls } from "../support/commandstats.ts";
import { pause } from "../support/eventually.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene } from "../support/scene.ts";

Deno.test({
  name: "Without a change no command but a keep-alive goes to Redis",
  ignore: !canMakeNamespaces,
  async fn() {
    await using scene = await createScene();
    await resetCalls(scene.redis);
    await pause(4000);
    const given = await calls(scene.redis);
    assert((given.get("ping") ?? 0) <= 1, `${given.get("ping")} pings in four seconds`);
    given.delete("ping");
    assert.deepEqual([...given.keys()], []);
    await scene.product.stop();
  },
});
