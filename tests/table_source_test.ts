/** The table source before a real Redis. */
import assert from "node:assert/strict";
import type { ComponentConfig } from "../src/core/component.ts";
import createTableSource from "../src/sources/table/source.ts";
import { makeContext, type RecordedContext } from "./support/context.ts";
import { type RedisOptions, type RedisServer, startRedis } from "./support/redis.ts";
import { Rows } from "./support/rows.ts";

interface Scene extends AsyncDisposable {
  readonly redis: RedisServer;
  readonly rows: Rows;
  readonly context: RecordedContext;
  readonly resync: () => void;
  /** Sets fields of a row. */
  set(key: string, ...fields: readonly string[]): Promise<void>;
  del(key: string): Promise<void>;
}

interface SceneOptions extends RedisOptions {
  readonly source?: Partial<ComponentConfig>;
  /** Rows that are there before. */
  readonly before?: Readonly<Record<string, readonly string[]>>;
}

async function scene(options: SceneOptions = {}): Promise<Scene> {
  const { source: config, before = {}, ...redisOptions } = options;
  const redis = await startRedis(redisOptions);
  const set = async (key: string, ...fields: readonly string[]) => {
    await redis.cli("-n", "4", "HSET", `PORT|${key}`, ...fields);
  };
  for (const [key, fields] of Object.entries(before)) await set(key, ...fields);
  const context = makeContext();
  const source = await createTableSource({
    type: "table",
    url: redis.url,
    database: 4,
    name: "CONFIG_DB",
    separator: "|",
    table: "PORT",
    poll_ms: 100,
    connect_timeout_ms: 5000,
    request_timeout_ms: 2000,
    ...config,
  }, context);
  const rows = new Rows(source);
  return {
    redis,
    rows,
    context,
    resync: () => source.resync?.(),
    set,
    del: async (key) => {
      await redis.cli("-n", "4", "DEL", `PORT|${key}`);
    },
    [Symbol.asyncDispose]: async () => {
      await rows[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a table is told as a dump, and then as it changes", async () => {
  await using it = await scene({
    before: { Ethernet0: ["mtu", "9100", "lanes@", "1,2"], Ethernet4: ["NULL", "NULL"] },
  });
  const { rows } = it;
  await rows.until(() => rows.count("dump-end") >= 1, "the first dump");
  assert.deepEqual(rows.rows.get("Ethernet0"), { mtu: "9100", lanes: "1,2" });
  assert.deepEqual(rows.rows.get("Ethernet4"), {});
  assert.equal(rows.marks[0], "dump-begin");
  await it.set("Ethernet8", "mtu", "1500");
  await rows.until(() => rows.rows.has("Ethernet8"), "a new row");
  await it.redis.cli("-n", "4", "HDEL", "PORT|Ethernet0", "lanes@");
  await rows.until(
    () => Object.keys(rows.rows.get("Ethernet0") ?? {}).length === 1,
    "a field less",
  );
  await it.del("Ethernet0");
  await rows.until(() => !rows.rows.has("Ethernet0"), "a row less");
  const [first] = rows.changes;
  assert.equal(first?.table, "PORT");
  assert(Math.abs((first?.time ?? 0) - Date.now()) < 60_000);
  assert.equal(it.context.telemetry.gauges.get("table_rows")?.(), 2);
  assert.deepEqual(it.context.telemetry.messages("warn"), []);
});

Deno.test("only the keys and fields that are asked for are told", async () => {
  await using it = await scene({
    source: { keys: ["Ethernet*"], fields: ["mtu"] },
    before: {
      Ethernet0: ["mtu", "1", "alias", "a"],
      "Ethernet0.10": ["mtu", "2"],
      eth0: ["mtu", "3"],
    },
  });
  const { rows } = it;
  await rows.until(() => rows.count("dump-end") >= 1, "the first dump");
  assert.deepEqual([...rows.rows], [["Ethernet0", { mtu: "1" }]]);
  const told = rows.changes.length;
  await it.set("Ethernet0", "alias", "b");
  await it.set("Ethernet4", "mtu", "4");
  await rows.until(() => rows.rows.has("Ethernet4"), "a row that is followed");
  assert.deepEqual(rows.changes.slice(told).map(({ key }) => key), ["Ethernet4"]);
});

Deno.test("a server that comes back is read again: a loss, and a dump of what it has then", async () => {
  await using it = await scene({ before: { a: ["n", "1"], b: ["n", "1"] }, persist: true });
  const { rows, redis } = it;
  await rows.until(() => rows.count("dump-end") >= 1, "the first dump");
  const dumps = rows.count("dump-end");
  await redis.kill();
  await rows.until(() => rows.count("lost") === 1, "the loss");
  assert.equal(rows.rows.size, 2, "what was known is not forgotten");
  await redis.start();
  await it.set("b", "n", "2");
  await it.set("c", "n", "1");
  await rows.until(() => rows.count("dump-end") > dumps && rows.rows.has("c"), "another dump");
  await redis.restart("empty");
  await it.set("d", "n", "1");
  await rows.until(() => rows.rows.has("d") && rows.rows.size === 1, "only the new row");
  assert.equal(rows.count("lost"), 2);
  const marks = rows.marks.filter((mark) => mark !== "-");
  for (const [at, mark] of marks.entries()) {
    if (mark === "dump-end") assert.equal(marks[at - 1], "dump-begin", marks.join(" "));
    // The server goes away once more at the end of the test, and nothing follows then.
    if (mark === "lost" && at + 1 < marks.length) {
      assert.equal(marks[at + 1], "dump-begin", marks.join(" "));
    }
  }
});

Deno.test("a source that starts before its server tells nothing until there is one", async () => {
  await using it = await scene();
  await using late = await startRedis();
  await late.kill();
  const context = makeContext();
  await using rows = new Rows(
    await createTableSource({
      type: "table",
      url: late.url,
      database: 4,
      name: "CONFIG_DB",
      separator: "|",
      table: "PORT",
      poll_ms: 100,
      connect_timeout_ms: 5000,
      request_timeout_ms: 2000,
    }, context),
  );
  await it.rows.until(() => it.rows.count("dump-end") >= 1, "a dump of an empty table");
  assert.deepEqual(rows.marks, []);
  await late.start();
  await rows.until(() => rows.count("dump-end") >= 1, "the first dump");
  assert.equal(rows.count("lost"), 0, "nothing was known, so nothing was lost");
});

Deno.test("without keyspace notifications the table is read now and then, and that is said", async () => {
  await using it = await scene({ notifyKeyspaceEvents: "" });
  const line = await it.context.telemetry.line(/notify-keyspace-events/);
  assert.match(line.message, /CONFIG_DB: Redis at unix:.*CONFIG SET notify-keyspace-events AKE/);
  assert.match(line.message, /read every 100 ms/);
  await it.set("Ethernet0", "mtu", "1");
  await it.rows.until(() => it.rows.rows.has("Ethernet0"), "a row that was looked for");
  await it.del("Ethernet0");
  await it.rows.until(() => !it.rows.rows.has("Ethernet0"), "a row that went");
});

Deno.test("resync reads the table again and tells all of it, also what nobody was told of", async () => {
  await using it = await scene({ before: { a: ["n", "1"] } });
  const { rows } = it;
  await rows.until(() => rows.count("dump-end") >= 1, "the first dump");
  // Nothing is told of this write, as of one that Redis forgot to tell.
  await it.redis.cli("CONFIG", "SET", "notify-keyspace-events", "");
  await it.set("b", "n", "1");
  const dumps = rows.count("dump-end");
  it.resync();
  await rows.until(() => rows.count("dump-end") > dumps, "the dump that was asked for");
  assert.deepEqual([...rows.rows.keys()].toSorted(), ["a", "b"]);
  assert.equal(rows.count("lost"), 0);
});

Deno.test("a row with a key that nobody can say is left out, counted and reported once", async () => {
  await using it = await scene({
    before: { "a\x1b[2J": ["n", "1"], "": ["n", "1"], b: ["n", "1"] },
  });
  const { rows } = it;
  await rows.until(() => rows.count("dump-end") >= 1, "the first dump");
  assert.deepEqual([...rows.rows.keys()], ["b"]);
  assert(it.context.telemetry.counter("table_rejected_keys_total").value >= 2);
  const lines = it.context.telemetry.lines.filter(({ message }) =>
    /control characters/.test(message)
  );
  assert.equal(lines.length, 1);
  assert(!JSON.stringify(lines).includes("\\u001b"));
});

Deno.test("a storm of writes before a slow pipeline costs no more than the table, and ends right", async () => {
  await using it = await scene();
  const { rows } = it;
  await rows.until(() => rows.count("dump-end") >= 1, "the first dump");
  const resume = rows.pause();
  const lua = "for n=1,5000 do redis.call('HSET','PORT|'..(n%50),'n',n) end";
  await it.redis.cli("-n", "4", "EVAL", lua, "0");
  await it.set("last", "n", "1");
  resume();
  await rows.until(() => rows.rows.has("last") && rows.rows.size === 51, "the last rows");
  for (let n = 4951; n <= 5000; n++) assert.equal(rows.rows.get(String(n % 50))?.["n"], String(n));
  assert(rows.changes.length < 5000, "rows that changed meanwhile were told once");
});
