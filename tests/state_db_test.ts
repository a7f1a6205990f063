/** The `state_db` sink on a real server, where it meets others. */
import assert from "node:assert/strict";
import { ReconnectError, RejectError } from "../src/core/errors.ts";
import { makeContext } from "./support/context.ts";
import { makeSink, openedSink, set } from "./support/disturbed_sink.ts";
import { nextTurn } from "./support/event.ts";
import { startRedis } from "./support/redis.ts";

Deno.test("a key that holds no hash is rejected, its neighbours are written, a scan goes past", async () => {
  await using server = await startRedis();
  await server.cli("-n", "6", "SET", "PORT_TABLE|Ethernet4", "text");
  await using it = await openedSink(server.url);
  const outcomes = await it.sink.write(
    ["Ethernet0", "Ethernet4", "Ethernet8"].map((key) => set(key, { mtu: "1" })),
  );
  assert.deepEqual(outcomes.map(({ ok }) => ok), [true, false, true]);
  assert.ok(outcomes[1] && !outcomes[1].ok && outcomes[1].error instanceof RejectError);
  assert.match(it.complaints()[0] ?? "", /PORT_TABLE\|Ethernet4 was not written, it is given up: /);
  const keys = await Array.fromAsync(it.sink.scan("PORT_TABLE"), ({ key }) => key);
  assert.deepEqual(keys.toSorted(), ["Ethernet0", "Ethernet8"]);
  assert.equal(it.context.telemetry.counter("state_db_foreign_keys_total").value, 1);
});

Deno.test("a scan that loses its server fails with a ReconnectError and does not go on in another", async () => {
  await using server = await startRedis({ persist: true });
  await using it = await openedSink(server.url);
  await it.sink.write(Array.from({ length: 5000 }, (_, n) => set(`Ethernet${n}`, { mtu: "1" })));
  let seen = 0;
  await assert.rejects(async () => {
    for await (const _ of it.sink.scan("PORT_TABLE")) {
      if (++seen !== 10) continue;
      const up = nextTurn(it.sink.connection, "up");
      await server.restart("withData");
      await up;
    }
  }, ReconnectError);
  assert.ok(seen < 5000);
});

Deno.test("a dry run writes nothing, and prints what it would write", async () => {
  await using server = await startRedis();
  await server.cli("-n", "6", "HSET", "PORT_TABLE|Ethernet0", "mtu", "1");
  const context = makeContext({ dryRun: true });
  await using it = await makeSink(server.url, {}, context);
  const up = nextTurn(it.sink.connection, "up");
  it.sink.open();
  await up;
  const outcomes = await it.sink.write([
    { op: "set", table: "PORT_TABLE", key: "Ethernet0", fields: { mtu: "2" }, removed: ["x"] },
    { op: "delete", table: "PORT_TABLE", key: "Ether\u001b[2Jnet4" },
  ]);
  assert.deepEqual(outcomes, [{ ok: true }, { ok: true }]);
  assert.deepEqual(await server.row(6, "PORT_TABLE|Ethernet0"), { mtu: "1" });
  assert.deepEqual(context.telemetry.messages("info").slice(1), [
    "Would set Ethernet0 of PORT_TABLE: mtu=2 without x",
    "Would delete Ether\\x1b[2Jnet4 of PORT_TABLE",
  ]);
  const rows = await Array.fromAsync(it.sink.scan("PORT_TABLE"));
  assert.deepEqual(rows, [{ key: "Ethernet0", fields: { mtu: "1" } }]);
});
