/** validate, ksync and the state_db sink together: held ports, a late Redis and the sweep. */
import assert from "node:assert/strict";
import { ksyncSchema } from "../schemas/ksync.ts";
import type { Change } from "../src/core/change.ts";
import type { Stage } from "../src/core/stage.ts";
import { parseAddress } from "../src/redis/address.ts";
import { RedisSubscriber } from "../src/redis/subscriber.ts";
import createStateDb from "../src/sinks/state_db/sink.ts";
import createKsync from "../src/transforms/ksync/transform.ts";
import createValidate from "../src/transforms/validate/transform.ts";
import { makeContext } from "./support/context.ts";
import { sinkSettings } from "./support/disturbed_sink.ts";
import { nextTurn } from "./support/event.ts";
import { type RedisServer, startRedis } from "./support/redis.ts";

const { signal } = new AbortController();

function link(key: string, mtu: string): Change {
  const fields = { state: "ok", netdev_oper_status: "up", admin_status: "up", mtu };
  return { op: "set", table: "PORT_TABLE", key, fields, time: 0 };
}

function gone(key: string): Change {
  return { op: "delete", table: "PORT_TABLE", key, fields: {}, time: 0 };
}

/** The stages of the main job behind its source. */
async function pipeline(url: string): Promise<{ head: Stage; close(): Promise<void> }> {
  const sink = await createStateDb(sinkSettings(url), makeContext());
  const ksync = await createKsync(
    ksyncSchema.parse({
      type: "ksync",
      tables: ["PORT_TABLE"],
      owns: { keys: ["Ethernet*"], field: "state" },
    }),
    makeContext(),
    sink,
  );
  const validate = await createValidate(
    {
      type: "validate",
      ports: {
        url,
        database: 0,
        name: "APPL_DB",
        table: "PORT_TABLE",
        separator: ":",
        poll_ms: 100,
        hold_max: 100,
        connect_timeout_ms: 2000,
        request_timeout_ms: 300,
      },
    },
    makeContext(),
    ksync,
  );
  return {
    head: validate,
    close: async () => {
      await validate.close(performance.now() + 1000);
      await ksync.close(performance.now() + 1000);
    },
  };
}

async function dump(head: Stage, changes: readonly Change[]): Promise<void> {
  await head.handle({ changes, mark: "dump-begin" }, signal);
  await head.handle({ changes: [], mark: "dump-end" }, signal);
}

async function row(server: RedisServer, port: string): Promise<Record<string, string>> {
  return await server.row(6, `PORT_TABLE|${port}`);
}

async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const start = performance.now(); !await isSo();) {
    assert.ok(performance.now() - start < 5000, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("with Redis late, no row of a known port is ever removed, and every other is", async () => {
  await using server = await startRedis({ persist: true });
  const plant = (port: string, ...fields: string[]) =>
    server.cli("-n", "6", "HSET", `PORT_TABLE|${port}`, ...fields);
  await plant("Ethernet0", "state", "ok", "mtu", "1", "supported_speeds", "10");
  await plant("Ethernet4", "state", "ok", "mtu", "1");
  await plant("Ethernet8", "state", "ok", "mtu", "1");
  await plant("Ethernet0.10", "state", "ok");
  await plant("Ethernet12", "supported_speeds", "10");
  await server.cli("HSET", "PORT_TABLE:Ethernet0", "lanes", "1");
  await server.kill();

  const { head, close } = await pipeline(server.url);
  // Ethernet0 is known, Ethernet4 has a link and is not known, Ethernet8 has no link.
  await dump(head, [link("Ethernet0", "9100"), link("Ethernet4", "9100")]);
  const removed: string[] = [];
  const watcher = new RedisSubscriber(
    {
      address: parseAddress(server.url),
      database: 6,
      purpose: "watcher",
      log: makeContext().telemetry.log,
      backoff: { initialMs: 1, maxMs: 1, factor: 1, jitter: 0 },
    },
    ["__keyspace@6__:*"],
    (channel, event) => {
      if (event === "del") removed.push(channel.slice(channel.indexOf("|") + 1));
    },
  );
  const watching = nextTurn(watcher, "up");
  watcher.open();
  await server.start();
  await watching;

  await eventually("Ethernet8 is swept", async () => !("state" in await row(server, "Ethernet8")));
  await eventually("Ethernet4 is swept", async () => !("state" in await row(server, "Ethernet4")));
  const { mtu, supported_speeds: foreign } = await row(server, "Ethernet0");
  assert.deepEqual([mtu, foreign], ["9100", "10"]);
  assert.deepEqual(await row(server, "Ethernet0.10"), { state: "ok" });
  assert.deepEqual(await row(server, "Ethernet12"), { supported_speeds: "10" });
  assert.ok(!removed.includes("Ethernet0"), `removed: ${removed.join(" ")}`);

  await server.cli("HSET", "PORT_TABLE:Ethernet4", "lanes", "2");
  await eventually(
    "Ethernet4 is taken up",
    async () => (await row(server, "Ethernet4"))["mtu"] === "9100",
  );
  await watcher.close();
  await close();
});

Deno.test("a port whose row in APPL_DB goes away keeps its row through a dump, until its link goes", async () => {
  await using server = await startRedis();
  await server.cli("HSET", "PORT_TABLE:Ethernet0", "lanes", "1");
  await server.cli("HSET", "PORT_TABLE:Ethernet4", "lanes", "2");
  const { head, close } = await pipeline(server.url);
  await dump(head, [link("Ethernet0", "1500"), link("Ethernet4", "1500")]);
  await eventually("the neighbour's row", async () => "mtu" in await row(server, "Ethernet4"));
  const mtu = async () => (await row(server, "Ethernet0"))["mtu"];
  await eventually("the first row", async () => await mtu() === "1500");
  await server.cli("DEL", "PORT_TABLE:Ethernet0");
  await eventually("the port is held back", async () => {
    const [receipt] = await head.handle({ changes: [link("Ethernet0", "1500")] }, signal);
    return receipt?.outcome === "deferred" && receipt.reason !== "accepted";
  });
  await dump(head, [link("Ethernet0", "9100")]);
  const swept = async () => !("mtu" in await row(server, "Ethernet4"));
  await eventually("the neighbour, which the dump did not name, is swept", swept);
  assert.equal(await mtu(), "1500");
  await server.cli("HSET", "PORT_TABLE:Ethernet0", "lanes", "1");
  await eventually("it is taken up again", async () => await mtu() === "9100");
  await head.handle({ changes: [gone("Ethernet0")] }, signal);
  await eventually("its link is gone", async () => await mtu() === undefined);
  await close();
});
