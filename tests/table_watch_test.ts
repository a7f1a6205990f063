/** Watching tables of a real server: nothing is missed, whatever happens to the server. */
import assert from "node:assert/strict";
import type { Fields } from "../src/core/change.ts";
import { parseAddress } from "../src/redis/address.ts";
import type { LinkOptions } from "../src/redis/link.ts";
import { TableWatch } from "../src/sonic/table_watch.ts";
import { type RedisOptions, type RedisServer, startRedis } from "./support/redis.ts";
import { RecordedTelemetry } from "./support/telemetry.ts";

/** What a watch has told so far. */
class Told {
  readonly rows = new Map<string, Fields>();
  /** `set a`, `gone b`, in order. */
  readonly story: string[] = [];
  completions = 0;
  #waiting: (() => void)[] = [];

  readonly onRows = (
    changes: readonly { key: string; fields: Fields | undefined }[],
    complete: boolean,
  ): void => {
    for (const { key, fields } of changes) {
      if (fields) this.rows.set(key, fields);
      else this.rows.delete(key);
      this.story.push(`${fields ? "set" : "gone"} ${key}`);
    }
    if (complete) this.completions++;
    for (const wake of this.#waiting.splice(0)) wake();
  };

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  value(key: string, field: string): string | undefined {
    return this.rows.get(key)?.[field];
  }
}

interface Scene extends AsyncDisposable {
  readonly server: RedisServer;
  readonly watch: TableWatch;
  readonly told: Told;
  readonly telemetry: RecordedTelemetry;
}

async function scene(
  scope: "table" | "asked",
  redis: RedisOptions = {},
  link: Partial<LinkOptions> = {},
): Promise<Scene> {
  const server = await startRedis(redis);
  const telemetry = new RecordedTelemetry();
  const told = new Told();
  const watch = new TableWatch({
    link: {
      address: parseAddress(server.url),
      database: 4,
      purpose: "CONFIG_DB",
      log: telemetry.log,
      ...link,
    },
    table: "PORT",
    separator: "|",
    scope,
    pollMs: 50,
    onRows: told.onRows,
  });
  return {
    server,
    watch,
    told,
    telemetry,
    [Symbol.asyncDispose]: async () => {
      await watch.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function hset(server: RedisServer, key: string, ...fields: string[]): Promise<void> {
  await server.cli("-n", "4", "HSET", `PORT|${key}`, ...fields);
}

Deno.test("a watch tells what is there, and then sets, deletes, expiry and renames", async () => {
  await using it = await scene("table");
  const { server, told } = it;
  await hset(server, "a", "mtu", "1");
  await hset(server, "b", "mtu", "1");
  await server.cli("-n", "4", "SET", "PORT|text", "no hash");
  await server.cli("-n", "4", "HSET", "PORT_X|a", "mtu", "1");
  await server.cli("-n", "5", "HSET", "PORT|z", "mtu", "1");
  it.watch.open();
  await told.until(() => told.rows.size === 2);
  await hset(server, "a", "mtu", "2");
  await told.until(() => told.value("a", "mtu") === "2");
  await server.cli("-n", "4", "HDEL", "PORT|a", "mtu");
  await told.until(() => !told.rows.has("a"));
  await server.cli("-n", "4", "PEXPIRE", "PORT|b", "1");
  await told.until(() => !told.rows.has("b"));
  await hset(server, "c", "mtu", "3");
  await server.cli("-n", "4", "RENAME", "PORT|c", "PORT|d|e");
  await told.until(() => told.rows.has("d|e") && !told.rows.has("c"));
  await server.cli("-n", "4", "DEL", "PORT|d|e");
  await told.until(() => told.rows.size === 0);
  assert.ok(told.completions > 0);
  assert.deepEqual(it.telemetry.messages("warn"), []);
});

Deno.test("a watch tells nothing of a write that changes nothing", async () => {
  await using it = await scene("table");
  const { server, told } = it;
  it.watch.open();
  await told.until(() => told.completions > 0);
  await hset(server, "a", "mtu", "1");
  await told.until(() => told.rows.has("a"));
  for (let n = 0; n < 5; n++) await hset(server, "a", "mtu", "1");
  await hset(server, "b", "mtu", "1");
  await told.until(() => told.rows.has("b"));
  assert.deepEqual(told.story, ["set a", "set b"]);
});

Deno.test("after a reconnect a watch tells what came and what went meanwhile", async () => {
  await using it = await scene("table", { persist: true });
  const { server, told } = it;
  for (const key of ["a", "b", "c"]) await hset(server, key, "mtu", "1");
  it.watch.open();
  await told.until(() => told.rows.size === 3);
  await server.restart("empty");
  await hset(server, "b", "mtu", "2");
  await hset(server, "d", "mtu", "1");
  await told.until(() => told.value("b", "mtu") === "2" && told.rows.has("d"));
  await told.until(() => told.rows.size === 2);
  assert.deepEqual([...told.rows.keys()].toSorted(), ["b", "d"]);
  const lines = it.telemetry.messages("warn");
  assert.equal(lines.length, 1, `one connection speaks for both: ${lines.join("\n")}`);
});

Deno.test("a watch under a storm of writes ends with the last of each row", async () => {
  await using it = await scene("table");
  const { server, told } = it;
  it.watch.open();
  const lua = "for n=1,2000 do redis.call('HSET','PORT|'..(n%50),'mtu',n) end";
  await Promise.all([1, 2, 3].map(() => server.cli("-n", "4", "EVAL", lua, "0")));
  await hset(server, "end", "mtu", "1");
  await told.until(() => told.rows.has("end"));
  await told.until(() => told.rows.size === 51);
  for (let n = 1951; n <= 2000; n++) assert.equal(told.value(String(n % 50), "mtu"), String(n));
});

Deno.test("where CONFIG is denied, a watch looks now and then, and says so once", async () => {
  await using it = await scene(
    "table",
    { users: ["watcher on nopass ~* &* +@read +@pubsub +@connection"] },
    { username: "watcher", password: () => Promise.resolve("any") },
  );
  const { server, told } = it;
  it.watch.open();
  const line = await it.telemetry.line(/does not say which notifications it sends/);
  assert.match(line.message, /\(NOPERM .*\), so the rows are read every 50 ms$/);
  await hset(server, "a", "mtu", "1");
  await told.until(() => told.rows.has("a"));
  await told.until(() => told.completions > 4);
  assert.equal(it.telemetry.messages("warn").length, 1);
});

Deno.test("where subscribing is denied, a watch looks now and then", async () => {
  await using it = await scene(
    "table",
    { users: ["watcher on nopass ~* resetchannels +@all"] },
    { username: "watcher", password: () => Promise.resolve("any") },
  );
  const { server, told } = it;
  it.watch.open();
  await it.telemetry.line(/CONFIG_DB notifications: .* does not permit this user the command/);
  await hset(server, "a", "mtu", "1");
  await told.until(() => told.rows.has("a"));
  await server.cli("ACL", "SETUSER", "watcher", "&*");
});

Deno.test("where reading is denied, a watch says so and reads once it may", async () => {
  await using it = await scene(
    "table",
    { users: ["watcher on nopass ~* &* +@all -scan"] },
    { username: "watcher", password: () => Promise.resolve("any") },
  );
  const { server, told } = it;
  await hset(server, "a", "mtu", "1");
  it.watch.open();
  const line = await it.telemetry.line(/NOPERM/);
  assert.match(line.message, /^CONFIG_DB: .*; reading again every 50 ms$/);
  await server.cli("ACL", "SETUSER", "watcher", "+scan");
  await told.until(() => told.rows.has("a"));
});

Deno.test("a watch that is asked tells only of those keys, also of one that is not there", async () => {
  await using it = await scene("asked");
  const { server, told, watch } = it;
  await hset(server, "a", "mtu", "1");
  await server.cli("-n", "4", "SET", "PORT|text", "no hash");
  watch.ask(["a", "b", "text"]);
  watch.open();
  await told.until(() => told.story.length === 3);
  assert.deepEqual(told.story.toSorted(), ["gone b", "gone text", "set a"]);
  assert.deepEqual(told.rows.get("a"), {}, "whether it is there is all that is asked");
  await hset(server, "c", "mtu", "1");
  await hset(server, "b", "mtu", "1");
  await told.until(() => told.rows.has("b"));
  await hset(server, "b", "mtu", "2");
  await server.cli("-n", "4", "DEL", "PORT|a");
  await told.until(() => !told.rows.has("a"));
  assert.deepEqual(told.story.slice(3), ["set b", "gone a"]);
  watch.forget("b");
  watch.ask(["a"]);
  await told.until(() => told.story.length === 6);
  assert.equal(told.story.at(-1), "gone a", "it is told again to who asks again");
});

Deno.test("a watch that is closed tells nothing more and leaves no timer", async () => {
  await using it = await scene("table", { notifyKeyspaceEvents: "" });
  const { told, watch } = it;
  watch.open();
  await told.until(() => told.completions > 0);
  await watch.close();
  const { completions } = told;
  await hset(it.server, "a", "mtu", "1");
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.equal(told.completions, completions);
});

Deno.test("an idle watch with notifications asks the server nothing", async () => {
  await using it = await scene("table");
  it.watch.open();
  await it.told.until(() => it.told.completions > 0);
  await it.telemetry.line(/notifications: connected/);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await it.server.cli("CONFIG", "RESETSTAT");
  await new Promise((resolve) => setTimeout(resolve, 300));
  const stats = await it.server.cli("INFO", "commandstats");
  const names = [...stats.matchAll(/cmdstat_([a-z|]+):/g)].map(([, name]) => name);
  assert.deepEqual(names.filter((name) => name !== "info"), ["config|resetstat"]);
});
