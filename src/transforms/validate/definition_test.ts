import assert from "node:assert/strict";
import { validateSchema } from "../../../schemas/validate.ts";
import { stateDbSchema } from "../../../schemas/state_db.ts";
import type { ComponentConfig } from "../../core/component.ts";
import { SettingError } from "../../core/setting_error.ts";
import { DATABASE_CONFIG_FILE } from "../../sonic/database_config.ts";
import { resolveContext } from "../../../tests/support/resolve.ts";
import { definition } from "./definition.ts";
import { type PortsSettings, readSettings } from "./settings.ts";

/** A switch with its ports and its state on two servers. */
const FILES = {
  [DATABASE_CONFIG_FILE]: JSON.stringify({
    INSTANCES: {
      redis: { unix_socket_path: "/run/redis.sock" },
      redis1: { unix_socket_path: "/run/redis1.sock" },
    },
    DATABASES: {
      STATE_DB: { id: 6, separator: "|", instance: "redis" },
      APPL_DB: { id: 0, separator: ":", instance: "redis1" },
    },
  }),
};

async function resolve(
  ports: object | undefined,
  sinks: readonly object[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<ComponentConfig> {
  const config = validateSchema.parse({ type: "validate", ...(ports ? { ports } : {}) });
  const checked = sinks.map((sink) => stateDbSchema.parse({ type: "state_db", ...sink }));
  assert.ok(definition.resolve);
  return await definition.resolve(config, resolveContext({ sinks: checked }, files));
}

async function portsOf(...given: Parameters<typeof resolve>): Promise<PortsSettings> {
  const { ports } = readSettings(await resolve(...given));
  assert.ok(ports);
  return ports;
}

Deno.test("validate without ports needs no server", async () => {
  const config = await resolve(undefined);
  assert.deepEqual(definition.grants(config, resolveContext()), []);
});

Deno.test("validate finds the ports on the one Redis sink's server", async () => {
  const sink = {
    url: "redis://127.0.0.1:6400",
    username: "writer",
    password: "${file:/run/secret}",
    ca_certificate: "ca.pem",
    request_timeout_ms: 700,
  };
  const ports = await portsOf({ database: "APPL_DB" }, [sink, { url: "sqlite:x.db" }]);
  assert.deepEqual(ports, {
    server: {
      url: "redis://127.0.0.1:6400",
      database: 0,
      name: "APPL_DB",
      username: "writer",
      password: "${file:/run/secret}",
      caCertificate: "/etc/portsync/ca.pem",
      connectTimeoutMs: 5000,
      requestTimeoutMs: 700,
      separator: ":",
    },
    table: "PORT_TABLE",
    pollMs: 2000,
    holdMax: 4096,
  });
});

Deno.test("validate follows database_config.json where the sink does", async () => {
  const url = async (sink: object) =>
    (await portsOf({ database: "APPL_DB" }, [sink], FILES)).server.url;
  assert.equal(await url({}), "unix:///run/redis1.sock");
  assert.equal(await url({ url: "unix:///run/redis.sock" }), "unix:///run/redis1.sock");
  assert.equal(await url({ url: "redis://lab" }), "redis://lab", "the sink is on no switch");
});

Deno.test("validate takes its own server and user before the sink's", async () => {
  const sink = { url: "redis://one", username: "writer", password: "${file:/run/secret}" };
  const settings = { database: "CONFIG_DB", url: "redis://two", table: "PORTS" };
  const ports = await portsOf(settings, [sink]);
  assert.equal(ports.server.url, "redis://two");
  assert.equal(ports.server.password, undefined, "another server is given no secret");
  assert.deepEqual([ports.server.database, ports.server.separator, ports.table], [4, "|", "PORTS"]);
  assert.equal((await portsOf({ database: "CONFIG_DB" }, [sink])).table, "PORT");
});

Deno.test("validate complains where it cannot follow the sinks", async () => {
  await assert.rejects(resolve({ database: "APPL_DB" }), SettingError);
  const two = [{ url: "redis://one" }, { url: "redis://two" }];
  await assert.rejects(resolve({ database: "APPL_DB" }, two), SettingError);
  const credential = { url: "redis://one", password: "${credential:redis}" };
  await assert.rejects(resolve({ database: "APPL_DB" }, [credential]), /name it here too/);
});

Deno.test("validate grants its server, secret and certificates", async () => {
  const config = await resolve({
    database: "APPL_DB",
    url: "rediss://db",
    password: "${file:/run/secret}",
    ca_certificate: "/ca.pem",
  });
  const parts = definition.grants(config, resolveContext());
  assert.deepEqual(parts.flatMap(({ net = [] }) => net), ["db:6379"]);
  assert.deepEqual(parts.flatMap(({ read = [] }) => read), ["/run/secret", "/ca.pem"]);
});

Deno.test("the examples of validate pass its schema", () => {
  for (const { config } of definition.examples) validateSchema.parse(config);
});
