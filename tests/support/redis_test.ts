import assert from "node:assert/strict";
import { startRedis } from "./redis.ts";

Deno.test("startRedis answers on its unix socket and keeps its data across a kill", async () => {
  await using redis = await startRedis({ persist: true });
  await redis.cli("-n", "6", "HSET", "PORT_TABLE|Ethernet0", "state", "ok", "mtu", "9100");
  await redis.kill();
  await redis.restart("withData");
  assert.deepEqual(await redis.row(6, "PORT_TABLE|Ethernet0"), { state: "ok", mtu: "9100" });
  await redis.restart("empty");
  assert.deepEqual(await redis.row(6, "PORT_TABLE|Ethernet0"), {});
});

Deno.test("startRedis listens on a loopback port, asks for a password and is stopped and continued", async () => {
  await using redis = await startRedis({ tcp: true, password: "open sesame" });
  assert.notEqual(redis.port, 0);
  redis.stop();
  const answer = redis.cli("PING");
  redis.cont();
  assert.equal(await answer, "PONG");
});

Deno.test("startRedis makes a replica that refuses writes", async () => {
  await using primary = await startRedis({ tcp: true });
  await using replica = await startRedis({ replicaOf: primary });
  await assert.rejects(replica.cli("SET", "a", "1"), /READONLY/);
});

Deno.test("startRedis shows the log of a server that does not start", async () => {
  await assert.rejects(
    startRedis({ config: { nonsense: "yes" } }),
    /did not start[^]*nonsense yes/,
  );
});
