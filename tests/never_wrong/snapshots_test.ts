// The snapshots of another program's service, while that program or portsync is away.
import assert from "node:assert/strict";
import { SnapshotBuilder } from "../../src/netipc/codec/cgroups_snapshot.ts";
import { Method } from "../../src/netipc/codec/header.ts";
import { Server } from "../../src/netipc/server.ts";
import { eventually } from "../support/eventually.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "../support/native.ts";
import { serviceName } from "../support/peers.ts";
import { startPortsync } from "../support/portsync.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";

const library = await nativeLibrary();
const runDir = NATIVE_TEST_FOLDER;

/** A program that offers what `items` holds. */
function serve(service: string, items: ReadonlyMap<string, number>): Server {
  const server = new Server({ library, runDir, service }, {
    method: Method.cgroupsSnapshot,
    handle(_request, response) {
      const builder = new SnapshotBuilder(response);
      for (const [name, hash] of items) {
        builder.add({ hash, options: 0, enabled: 1, name, path: `/sys/fs/cgroup/${name}` });
      }
      return builder.finish({ systemdEnabled: 0, generation: 1n });
    },
  });
  void server.start();
  return server;
}

async function rowsBecome(redis: RedisServer, wanted: Record<string, string>): Promise<void> {
  await eventually(async () => {
    const names = (await redis.cli("-n", "6", "KEYS", "*")).split("\n").filter(Boolean).sort();
    const rows: Record<string, string> = {};
    for (const name of names) rows[name] = (await redis.row(6, name))["hash"] ?? "";
    const text = JSON.stringify(rows);
    return text === JSON.stringify(wanted) ? undefined : text;
  });
}

Deno.test("rows follow a service through its restarts and ours", async () => {
  const service = serviceName();
  const items = new Map([["a", 1], ["b", 2]]);
  await using redis = await startRedis();
  await redis.cli("-n", "6", "HSET", "OTHER_TABLE|x", "hash", "7");
  const folder = await Deno.makeTempDir({ prefix: "portsync-poll-" });
  const source = { type: "uds", mode: "poll", run_dir: runDir, service, interval_ms: 20 };
  const spec = {
    pipelines: {
      cgroups: {
        source,
        transforms: [{ type: "ksync" }],
        sinks: [{ type: "state_db", url: redis.url, database: 6 }],
      },
    },
  };
  const others = { "OTHER_TABLE|x": "7" };
  try {
    {
      await using product = await startPortsync(spec, { folder });
      await product.logged(/does not answer/);
      {
        await using _server = serve(service, items);
        await product.logged(/answers/);
        await rowsBecome(redis, { "CGROUP_TABLE|a": "1", "CGROUP_TABLE|b": "2", ...others });
        items.set("b", 3);
        await rowsBecome(redis, { "CGROUP_TABLE|a": "1", "CGROUP_TABLE|b": "3", ...others });
      }
      await product.logged(/does not answer[^]*answers[^]*does not answer; its last rows stay/);
      await rowsBecome(redis, { "CGROUP_TABLE|a": "1", "CGROUP_TABLE|b": "3", ...others });
      items.delete("a");
      items.set("c", 4);
      const before = Number(
        (await redis.cli("INFO", "commandstats")).match(/hset:calls=(\d+)/)?.[1],
      );
      await using _server = serve(service, items);
      await rowsBecome(redis, { "CGROUP_TABLE|b": "3", "CGROUP_TABLE|c": "4", ...others });
      const after = Number(
        (await redis.cli("INFO", "commandstats")).match(/hset:calls=(\d+)/)?.[1],
      );
      assert.equal(after - before, 1);
    }
    items.clear();
    items.set("d", 5);
    await using _server = serve(service, items);
    await using _product = await startPortsync(spec, { folder });
    await rowsBecome(redis, { "CGROUP_TABLE|d": "5", ...others });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
