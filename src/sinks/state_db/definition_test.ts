import assert from "node:assert/strict";
import { stateDbSchema } from "../../../schemas/state_db.ts";
import type { ComponentConfig, ResolveContext } from "../../core/component.ts";
import { SettingError } from "../../core/setting_error.ts";
import { DATABASE_CONFIG_FILE } from "../../sonic/database_config.ts";
import { resolveContext } from "../../../tests/support/resolve.ts";
import { definition } from "./definition.ts";
import { readSettings } from "./settings.ts";

const SWITCH = resolveContext({}, {
  [DATABASE_CONFIG_FILE]: JSON.stringify({
    INSTANCES: { redis: { unix_socket_path: "/var/run/redis/redis.sock" } },
    DATABASES: { STATE_DB: { id: 6, separator: "|", instance: "redis" } },
  }),
});
const BARE = resolveContext();

async function resolve(config: object, context: ResolveContext): Promise<ComponentConfig> {
  const checked = stateDbSchema.parse({ type: "state_db", ...config });
  assert.ok(definition.resolve);
  return await definition.resolve(checked, context);
}

Deno.test("state_db takes server, number and separator from database_config.json", async () => {
  const config = await resolve({}, SWITCH);
  assert.deepEqual(readSettings(config), {
    store: "redis",
    url: "unix:///var/run/redis/redis.sock",
    database: 6,
    name: "STATE_DB",
    separator: "|",
    connectTimeoutMs: 5000,
    requestTimeoutMs: 3000,
  });
  assert.deepEqual(definition.grants(config, SWITCH), [{
    why: "STATE_DB is at unix:///var/run/redis/redis.sock",
    net: ["unix:/var/run/redis/redis.sock"],
    read: ["/var/run/redis/redis.sock"],
    write: ["/var/run/redis/redis.sock"],
  }]);
});

Deno.test("state_db makes paths absolute, and grants a secret and certificates", async () => {
  const config = await resolve({
    url: "rediss://db.example.net",
    database: 3,
    table: "PORTS",
    username: "writer",
    password: "${file:/run/secret}",
    ca_certificate: "ca.pem",
  }, BARE);
  const settings = readSettings(config);
  assert.ok(settings.store === "redis");
  assert.equal(settings.name, "3");
  assert.equal(settings.table, "PORTS");
  assert.equal(settings.caCertificate, "/etc/portsync/ca.pem");
  const parts = definition.grants(config, BARE);
  assert.deepEqual(parts.flatMap(({ net = [] }) => net), ["db.example.net:6379"]);
  assert.deepEqual(parts.flatMap(({ read = [] }) => read), [
    "/run/secret",
    "/etc/portsync/ca.pem",
  ]);
  assert.ok(!parts.some(({ why }) => /secret/.test(why)), "the reason names no file of a secret");
});

Deno.test("state_db keeps an embedded store beside the spec", async () => {
  const config = await resolve({ url: "sqlite:ports.db", table: "T" }, BARE);
  assert.deepEqual(readSettings(config), {
    store: "sqlite",
    file: "/etc/portsync/ports.db",
    name: "STATE_DB",
    table: "T",
  });
  const [part] = definition.grants(config, BARE);
  assert.deepEqual(part?.read, part?.write);
  assert.ok(part?.read?.includes("/etc/portsync/ports.db-wal"));
});

Deno.test("state_db complains where nothing says where the server is", async () => {
  await assert.rejects(resolve({}, BARE), SettingError);
});

Deno.test("the examples of state_db pass its schema", () => {
  for (const { config } of definition.examples) stateDbSchema.parse(config);
});
