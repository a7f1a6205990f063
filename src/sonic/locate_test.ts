import assert from "node:assert/strict";
import type { ResolveContext } from "../core/component.ts";
import { SettingError } from "../core/setting_error.ts";
import { DATABASE_CONFIG_FILE, DATABASE_GLOBAL_FILE } from "./database_config.ts";
import { absolutePath, type DatabaseSettings, locateDatabase } from "./locate.ts";

function context(files: Record<string, unknown>, namespace?: string): ResolveContext {
  return {
    folder: "/etc/portsync",
    library: "/lib.so",
    readTextFile: (path) => {
      const content = files[path];
      if (content instanceof Error) return Promise.reject(content);
      if (content === undefined) return Promise.reject(new Deno.errors.NotFound(path));
      return Promise.resolve(typeof content === "string" ? content : JSON.stringify(content));
    },
    isFile: (path) => Promise.resolve(path in files),
    pipeline: { name: "p", namespace, source: { type: "netlink" }, transforms: [], sinks: [] },
  };
}

const FILE = {
  INSTANCES: { redis: { unix_socket_path: "/r.sock" }, other: { hostname: "db", port: 6380 } },
  DATABASES: {
    STATE_DB: { id: 16, separator: ":", instance: "redis" },
    TWIN_DB: { id: 20, separator: ":", instance: "redis" },
    TWIN2_DB: { id: 20, separator: "|", instance: "other" },
  },
};
const SWITCH = context({ [DATABASE_CONFIG_FILE]: FILE });
const BARE = context({});
const URL = "redis://elsewhere";

async function complaint(settings: DatabaseSettings, where: ResolveContext): Promise<SettingError> {
  try {
    await locateDatabase(settings, where, ["ports"]);
  } catch (error) {
    assert.ok(error instanceof SettingError);
    return error;
  }
  throw new Error("there was no complaint");
}

Deno.test("locateDatabase() takes everything from database_config.json", async () => {
  assert.deepEqual(await locateDatabase({ database: "STATE_DB" }, SWITCH), {
    url: "unix:///r.sock",
    database: 16,
    separator: ":",
  });
  assert.deepEqual(await locateDatabase({ database: 16 }, SWITCH), {
    url: "unix:///r.sock",
    database: 16,
    separator: ":",
  });
});

Deno.test("locateDatabase() lets the spec's url stand before the file's", async () => {
  assert.deepEqual(await locateDatabase({ database: "STATE_DB", url: URL }, SWITCH), {
    url: URL,
    database: 16,
    separator: ":",
  });
});

Deno.test("locateDatabase() falls back to the names of every switch", async () => {
  assert.deepEqual(await locateDatabase({ database: "APPL_DB", url: URL }, BARE), {
    url: URL,
    database: 0,
    separator: ":",
  });
  assert.deepEqual(await locateDatabase({ database: "CONFIG_DB", url: URL }, SWITCH), {
    url: URL,
    database: 4,
    separator: "|",
  });
});

Deno.test("locateDatabase() gives a number the separator of its names", async () => {
  const separator = async (database: number) =>
    (await locateDatabase({ database, url: URL }, BARE)).separator;
  assert.equal(await separator(0), ":");
  assert.equal(await separator(6), "|");
  assert.equal(await separator(15), "|", "two names differ");
  assert.equal(await separator(77), "|", "no name at all");
});

Deno.test("locateDatabase() reads another file when the spec names one", async () => {
  const where = context({ "/etc/portsync/db.json": FILE });
  const settings = { database: "STATE_DB", database_config: "./x/../db.json" };
  assert.equal((await locateDatabase(settings, where)).database, 16);
});

Deno.test("locateDatabase() finds the file of the pipeline's namespace", async () => {
  const global = {
    INCLUDES: [{ include: "../../redis0/sonic-db/database_config.json", namespace: "asic0" }],
  };
  const own = "/var/run/redis0/sonic-db/database_config.json";
  const files = { [DATABASE_GLOBAL_FILE]: global, [own]: FILE };
  const settings = { database: "STATE_DB" };
  assert.equal((await locateDatabase(settings, context(files, "asic0"))).url, "unix:///r.sock");
  const other = context({ ...files, [DATABASE_CONFIG_FILE]: FILE }, "asic7");
  assert.equal((await locateDatabase(settings, other)).database, 16);
  const alone = context({ [DATABASE_CONFIG_FILE]: FILE }, "asic0");
  assert.equal((await locateDatabase(settings, alone)).database, 16);
  const broken = await complaint(settings, context({ [DATABASE_GLOBAL_FILE]: "{}" }, "asic0"));
  assert.match(broken.message, /database_global.json cannot be used: INCLUDES should be a list/);
});

Deno.test("locateDatabase() says which setting is wrong and why", async () => {
  const cases: readonly (readonly [DatabaseSettings, ResolveContext, string, RegExp])[] = [
    [{ database: "NO_DB", url: URL }, BARE, "ports.database", /No database is called NO_DB/],
    [{ database: "STATE_DB" }, BARE, "ports", /where STATE_DB is: .*there is no \/var\/run/],
    [{ database: "CONFIG_DB" }, SWITCH, "ports", /database_config.json does not name it/],
    [{ database: 20 }, SWITCH, "ports", /where 20 is/],
    [
      { database: 6, database_config: "no.json" },
      BARE,
      "ports.database_config",
      /There is no \/etc\/portsync\/no\.json/,
    ],
    [
      { database: 6, url: URL },
      context({ [DATABASE_CONFIG_FILE]: "{" }),
      "ports",
      /cannot be used: it is no JSON/,
    ],
    [
      { database: 6, url: URL },
      context({ [DATABASE_CONFIG_FILE]: new Deno.errors.PermissionDenied("denied") }),
      "ports",
      /cannot be read: denied/,
    ],
  ];
  for (const [settings, where, path, message] of cases) {
    const error = await complaint(settings, where);
    assert.equal(error.path.join("."), path);
    assert.match(error.message, message);
  }
});

Deno.test("absolutePath() follows dots and never leaves the root", () => {
  assert.equal(absolutePath("/a/b", "../c/./d//e"), "/a/c/d/e");
  assert.equal(absolutePath("/a", "/x/../../y"), "/y");
});
