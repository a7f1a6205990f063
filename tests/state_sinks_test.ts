/** The shared suite for every state sink there is. */
import { DatabaseSync } from "node:sqlite";
import createStateDb from "../src/sinks/state_db/sink.ts";
import { makeContext } from "./support/context.ts";
import { startRedis } from "./support/redis.ts";
import { type SinkUnderTest, testStateSink } from "./support/state_sink_suite.ts";

async function makeRedis(notifyKeyspaceEvents: string): Promise<SinkUnderTest> {
  const server = await startRedis({ notifyKeyspaceEvents });
  const sink = await createStateDb({
    type: "state_db",
    url: server.url,
    database: 6,
    name: "STATE_DB",
    separator: "|",
    connect_timeout_ms: 5000,
    request_timeout_ms: 3000,
  }, makeContext());
  return {
    sink,
    plant: async (table, key, fields) => {
      await server.cli("-n", "6", "HSET", `${table}|${key}`, ...Object.entries(fields).flat());
    },
    read: (table, key) => server.row(6, `${table}|${key}`),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function makeSqlite(): Promise<SinkUnderTest> {
  const folder = await Deno.makeTempDir({ prefix: "portsync-sqlite-" });
  const file = `${folder}/ports.db`;
  const sink = await createStateDb(
    { type: "state_db", url: `sqlite:${file}`, name: "STATE_DB" },
    makeContext(),
  );
  const withFile = <Result>(use: (database: DatabaseSync) => Result): Promise<Result> => {
    const database = new DatabaseSync(file, { timeout: 1000 });
    try {
      return Promise.resolve(use(database));
    } finally {
      database.close();
    }
  };
  return {
    sink,
    plant: (table, key, fields) =>
      withFile((database) => {
        const insert = database.prepare("REPLACE INTO fields VALUES (?, ?, ?, ?)");
        for (const [field, value] of Object.entries(fields)) insert.run(table, key, field, value);
      }),
    read: (table, key) =>
      withFile((database) =>
        Object.fromEntries(
          database.prepare("SELECT field, value FROM fields WHERE tbl = ? AND key = ?")
            .all(table, key).map(({ field, value }) => [String(field), String(value)]),
        )
      ),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

testStateSink("Redis", () => makeRedis("AKE"));
testStateSink("Redis without notifications", () => makeRedis(""));
testStateSink("SQLite", makeSqlite, [{
  test: "a NUL and bytes that are no UTF-8 come back as they were written",
  reason: "texts of SQLite end at a NUL and are UTF-8; the store rejects them",
}]);
