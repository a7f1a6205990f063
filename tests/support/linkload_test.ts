import assert from "node:assert/strict";
import { load } from "./linkload.ts";
import { canMakeNamespaces, createNetns } from "./netns.ts";

Deno.test({
  name: "load() makes every change that it was asked for, and says so when it cannot",
  ignore: !canMakeNamespaces,
  async fn() {
    await using netns = await createNetns();
    await assert.rejects(load(netns, "mtu", 1), /Ethernet: No such device/);
    assert.equal((await load(netns, "create", 4, { up: true })).changes, 4);
    await load(netns, "mtu", 6);
    const mtus = (await netns.ip("link")).matchAll(/Ethernet.* mtu (\d+)/g);
    assert.deepEqual(Array.from(mtus, ([, mtu]) => mtu), ["1284", "1285", "1282", "1283"]);
    await load(netns, "swap", 6);
    await load(netns, "rename", 4);
    assert.match(await netns.ip("link"), /r-Ethernet12: .*,UP.* mtu 1282/);
    const { rate } = await load(netns, "updown", 8, { prefix: "r-", rate: 100 });
    assert(rate > 50 && rate < 130, `${rate} changes a second`);
    await assert.rejects(load(netns, "create", 4, { prefix: "r-Ethernet" }), /File exists/);
    await load(netns, "delete", 4, { prefix: "r-" });
    assert.doesNotMatch(await netns.ip("link"), /Ethernet/);
  },
});
