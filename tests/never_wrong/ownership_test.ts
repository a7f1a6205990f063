import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

const OURS = ["state", "ok", "netdev_oper_status", "up", "admin_status", "up", "mtu", "9100"];

Deno.test({
  name: "A planted row with our fields is swept after the dump, and rows of others are kept",
  ignore,
  async fn() {
    const foreign = {
      "Ethernet0.10": ["state", "ok"], // intfmgrd's, for a sub-interface
      "Ethernet996": ["host_tx_ready", "true"], // xcvrd's, before its port has a link
      "eth0": OURS, // no port of this pipeline
    };
    await using scene = await createScene({
      ports: 16,
      before: async ({ redis }) => {
        for (const [key, fields] of Object.entries({ ...foreign, Ethernet999: OURS })) {
          await redis.cli("-n", "6", "HSET", `PORT_TABLE|${key}`, ...fields);
        }
      },
      foreign: Object.keys(foreign),
    });
    await scene.right();
    for (const [key, fields] of Object.entries(foreign)) {
      const row = await scene.redis.row(6, `PORT_TABLE|${key}`);
      assert.deepEqual(Object.entries(row).flat(), fields, key);
    }
    assert.deepEqual(await scene.redis.row(6, "PORT_TABLE|Ethernet999"), {});
    await scene.product.stop();
  },
});

Deno.test({
  name: "Fields that others put into our rows outlive bursts, resyncs and restarts",
  ignore,
  async fn() {
    await using scene = await createScene({
      ports: 8,
      source: { receive_buffer_bytes: 65_536 },
      before: ({ redis }) =>
        redis.cli("-n", "6", "HSET", "PORT_TABLE|Ethernet0", "host_tx_ready", "true", "mtu", "1"),
    });
    await scene.cli("HSET", "PORT_TABLE|Ethernet4", "supported_speeds", "100000");
    await load(scene.netns, "mixed", 2000);
    await scene.right();
    await scene.product.stop();
    await scene.start();
    await load(scene.netns, "mtu", 100);
    await scene.right();
    const first = await scene.redis.row(6, "PORT_TABLE|Ethernet0");
    const second = await scene.redis.row(6, "PORT_TABLE|Ethernet4");
    assert.equal(first["host_tx_ready"], "true");
    assert.equal(second["supported_speeds"], "100000");
    await scene.product.stop();
  },
});

Deno.test({
  name: "A row whose link is deleted goes as a whole, with the fields of others",
  ignore,
  async fn() {
    await using scene = await createScene({ ports: 4 });
    await scene.cli("HSET", "PORT_TABLE|Ethernet0", "host_tx_ready", "true");
    await scene.netns.ip("link", "del", "Ethernet0");
    await scene.right();
    await eventually(async () => {
      const left = await scene.cli("EXISTS", "PORT_TABLE|Ethernet0");
      return left === "0" ? undefined : "the row is still there";
    });
    await scene.product.stop();
  },
});

Deno.test({
  name: "Rows that somebody else has emptied are whole again with the next change of any of them",
  ignore,
  async fn() {
    await using scene = await createScene({ ports: 64 });
    await load(scene.netns, "mixed", 1000);
    await scene.right();
    await scene.cli("FLUSHDB");
    await scene.netns.ip("link", "set", "Ethernet4", "mtu", "1279");
    await scene.right();
    await scene.cli("HDEL", "PORT_TABLE|Ethernet8", "state", "mtu");
    await scene.netns.ip("link", "set", "Ethernet8", "mtu", "1279");
    await scene.right();
    const burst = load(scene.netns, "mixed", 5000);
    for (let round = 0; round < 5; round++) await scene.cli("FLUSHDB");
    await burst;
    // Who emptied the table last may have come after the last change.
    await load(scene.netns, "mtu", 1);
    await scene.right();
    await scene.product.stop();
  },
});
