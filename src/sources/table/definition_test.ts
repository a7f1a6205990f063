import assert from "node:assert/strict";
import { tableSchema } from "../../../schemas/table.ts";
import { StopError } from "../../core/errors.ts";
import { SettingError } from "../../core/setting_error.ts";
import { DATABASE_CONFIG_FILE } from "../../sonic/database_config.ts";
import { resolveContext } from "../../../tests/support/resolve.ts";
import { definition } from "./definition.ts";
import { readSettings } from "./settings.ts";

const SWITCH = resolveContext({}, {
  [DATABASE_CONFIG_FILE]: JSON.stringify({
    INSTANCES: { redis: { unix_socket_path: "/var/run/redis/redis.sock" } },
    DATABASES: { CONFIG_DB: { id: 4, separator: "|", instance: "redis" } },
  }),
});

async function resolve(config: object, context = SWITCH) {
  const checked = tableSchema.parse({ type: "table", table: "PORT", ...config });
  assert(definition.resolve);
  return await definition.resolve(checked, context);
}

Deno.test("table finds CONFIG_DB where database_config.json says it is", async () => {
  const config = await resolve({ keys: ["Ethernet*"], fields: ["mtu"] });
  assert.deepEqual(readSettings(config), {
    server: {
      url: "unix:///var/run/redis/redis.sock",
      database: 4,
      name: "CONFIG_DB",
      separator: "|",
      connectTimeoutMs: 5000,
      requestTimeoutMs: 3000,
    },
    table: "PORT",
    keys: ["Ethernet*"],
    fields: ["mtu"],
    asStored: false,
    pollMs: 2000,
  });
  assert.deepEqual(definition.grants(config, SWITCH), [{
    why: "PORT of CONFIG_DB is at unix:///var/run/redis/redis.sock",
    net: ["unix:/var/run/redis/redis.sock"],
    read: ["/var/run/redis/redis.sock"],
    write: ["/var/run/redis/redis.sock"],
  }]);
});

Deno.test("table needs a secret and certificates where it names them", async () => {
  const config = await resolve({
    url: "rediss://db.example.net",
    database: "STATE_DB",
    username: "reader",
    password: "${file:/run/secret}",
    ca_certificate: "ca.pem",
    as_stored: true,
  });
  const { server, asStored, keys, fields } = readSettings(config);
  assert.deepEqual([server.database, server.username, asStored], [6, "reader", true]);
  assert.deepEqual([keys, fields], [undefined, undefined]);
  const parts = definition.grants(config, SWITCH);
  assert.deepEqual(parts.flatMap(({ net = [] }) => net), ["db.example.net:6379"]);
  assert.deepEqual(parts.flatMap(({ read = [] }) => read), ["/run/secret", "/etc/portsync/ca.pem"]);
});

Deno.test("table complains where nothing says where its database is", async () => {
  await assert.rejects(resolve({}, resolveContext()), SettingError);
  await assert.rejects(resolve({ database: "NO_DB" }), SettingError);
});

Deno.test("table takes no plan that was not completed", () => {
  assert.throws(() => readSettings({ type: "table" }), StopError);
  assert.throws(() => readSettings({ type: "table", url: "unix:///a", database: "4" }), StopError);
});
