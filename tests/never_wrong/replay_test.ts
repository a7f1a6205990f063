import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { startPortsync } from "../support/portsync.ts";
import { createScene } from "../support/scene.ts";
import { differences, embeddedTable, kernelTable } from "../support/tables.ts";

Deno.test({
  name: "A recording of a burst, played again, leaves the rows that the kernel has in the end",
  ignore: !canMakeNamespaces,
  async fn() {
    await using scene = await createScene({ ports: 64 });
    const { folder } = scene.redis;
    const recording = `${folder}/links.psnl`;
    await using recorder = await startPortsync(scene.spec, {
      command: "record",
      args: ["--output", recording],
    });
    await eventually(async () => {
      const size = await Deno.stat(recording).then(({ size }) => size, () => 0);
      return size > 1000 ? undefined : "nothing is recorded";
    });
    await load(scene.netns, "mixed", 5000);
    await scene.netns.batch([
      "link del Ethernet0",
      "link add Ethernet1000 type ifb",
      "link set Ethernet4 down",
      "link set Ethernet4 name Ethernet0",
    ]);
    await scene.right();
    await recorder.stop();
    await scene.product.stop();
    const url = `sqlite:${folder}/replayed.db`;
    const interfaces = ["Ethernet*"];
    await using player = await startPortsync({
      pipelines: {
        replayed: {
          source: { type: "replay", file: recording, interfaces },
          transforms: [{ type: "validate" }, { type: "ksync" }],
          sinks: [{ type: "state_db", url }],
        },
      },
    });
    await player.finished();
    const rows = embeddedTable(`${folder}/replayed.db`);
    assert.deepEqual(differences(await kernelTable(scene.netns), rows), []);
  },
});
