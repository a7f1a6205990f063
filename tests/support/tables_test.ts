import assert from "node:assert/strict";
import { canMakeNamespaces, createNetns } from "./netns.ts";
import { startRedis } from "./redis.ts";
import { differences, kernelTable, stateTable } from "./tables.ts";

Deno.test({
  name: "kernelTable() gives the rows of portsyncd and leaves names out that no table may hold",
  ignore: !canMakeNamespaces,
  async fn() {
    await using netns = await createNetns();
    assert.deepEqual([...await kernelTable(netns)], []);
    await netns.batch([
      "link add Ethernet0 type ifb",
      "link add Ethernet4 type veth peer name Ethernet8",
      "link set Ethernet0 up mtu 9100",
      "link set Ethernet4 up",
      "link add Ethernet0.10 type ifb",
      "link add eth0 type ifb",
    ]);
    for (const name of ["Ethernet|1", "Ethernet\\033[31m", "Ethernet\\377"]) {
      await netns.exec("sh", "-c", `ip link add "$(printf '${name}')" type ifb`);
    }
    const down = { state: "ok", netdev_oper_status: "down" };
    assert.deepEqual(Object.fromEntries(await kernelTable(netns)), {
      Ethernet0: { state: "ok", netdev_oper_status: "up", admin_status: "up", mtu: "9100" },
      Ethernet4: { ...down, admin_status: "up", mtu: "1500" },
      Ethernet8: { ...down, admin_status: "down", mtu: "1500" },
    });
  },
});

Deno.test("stateTable() reads rows and differences() names what is wrong with each", async () => {
  await using redis = await startRedis();
  const row = (key: string, ...fields: string[]) =>
    redis.cli("-n", "6", "HSET", `PORT_TABLE|${key}`, ...fields);
  await row("Ethernet0", "state", "ok", "mtu", "1", "speed", "100000");
  await row("Ethernet9", "a", "b");
  await row("mine", "a", "b");
  await redis.cli("-n", "6", "SET", "PORT_TABLE|text", "1");
  const actual = await stateTable(redis);
  assert.deepEqual(actual.get("Ethernet0"), { state: "ok", mtu: "1", speed: "100000" });
  assert.equal(actual.size, 3);
  const right = new Map([["Ethernet0", { state: "ok", mtu: "1" }]]);
  assert.deepEqual(differences(right, actual, new Set(["Ethernet9", "mine"])), []);
  const wrong = new Map([["Ethernet0", { state: "ok", mtu: "2" }], ["Ethernet4", { mtu: "3" }]]);
  assert.deepEqual(differences(wrong, actual, new Set(["mine"])), [
    "Ethernet0: mtu is 1, should be 2",
    "Ethernet4: missing, should be mtu=3",
    "Ethernet9: should not be there: a=b",
  ]);
});
