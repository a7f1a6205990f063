import assert from "node:assert/strict";
import fc from "fast-check";
import {
  DatabaseConfigError,
  parseDatabaseConfig,
  parseDatabaseGlobal,
} from "./database_config.ts";

/** After `dockers/docker-database/database_config.json.j2` of sonic-buildimage, shortened. */
const SWITCH = {
  INSTANCES: {
    redis: {
      hostname: "127.0.0.1",
      port: 6379,
      unix_socket_path: "/var/run/redis/redis.sock",
      persistence_for_warm_boot: "yes",
    },
    redis_chassis: { hostname: "redis_chassis.server", port: 6380 },
    six: { hostname: "::1", port: 6381, unix_socket_path: "" },
  },
  DATABASES: {
    APPL_DB: { id: 0, separator: ":", instance: "redis" },
    STATE_DB: { id: 6, separator: "|", instance: "redis" },
    CHASSIS_APP_DB: { id: 12, separator: "|", instance: "redis_chassis", format: "proto" },
    SIX_DB: { id: 19, separator: "|", instance: "six" },
  },
  VERSION: "1.0",
};

Deno.test("parseDatabaseConfig() finds server, number and separator of every name", () => {
  const databases = parseDatabaseConfig(JSON.stringify(SWITCH));
  assert.deepEqual(databases.get("STATE_DB"), {
    url: "unix:///var/run/redis/redis.sock",
    id: 6,
    separator: "|",
  });
  assert.equal(databases.get("CHASSIS_APP_DB")?.url, "redis://redis_chassis.server:6380");
  assert.equal(databases.get("SIX_DB")?.url, "redis://[::1]:6381");
  assert.equal(databases.get("LOGLEVEL_DB"), undefined);
});

Deno.test("parseDatabaseConfig() names the place of what is wrong", () => {
  const broken = (change: (file: Record<string, unknown>) => void) => {
    const file: Record<string, unknown> = structuredClone(SWITCH);
    change(file);
    return JSON.stringify(file);
  };
  const database = (entry: unknown) => broken((file) => file["DATABASES"] = { X_DB: entry });
  const instance = (entry: unknown) => broken((file) => file["INSTANCES"] = { redis: entry });
  const good = SWITCH.DATABASES.STATE_DB;
  const cases: readonly (readonly [string, RegExp])[] = [
    ["{", /no JSON/],
    ["[]", /the whole file should be an object and is \[\]/],
    [broken((file) => delete file["INSTANCES"]), /INSTANCES should be an object and is nothing/],
    [broken((file) => file["DATABASES"] = null), /DATABASES should be an object and is null/],
    [database(1), /DATABASES\.X_DB should be an object and is 1/],
    [database({ ...good, instance: "other" }), /X_DB\.instance .* INSTANCES and is "other"/],
    [database({ ...good, instance: undefined }), /X_DB\.instance/],
    [database({ ...good, id: "6" }), /X_DB\.id should be a whole number from 0 and is "6"/],
    [database({ ...good, id: -1 }), /X_DB\.id/],
    [database({ ...good, id: 1.5 }), /X_DB\.id/],
    [database({ ...good, id: 65_536 }), /X_DB\.id/],
    [database({ ...good, separator: "," }), /X_DB\.separator should be ":" or "\|" and is ","/],
    [instance({ unix_socket_path: "redis.sock" }), /redis\.unix_socket_path .* absolute path/],
    [instance({ unix_socket_path: 7 }), /redis\.unix_socket_path/],
    [instance({ port: 6379 }), /redis\.hostname should be a host and is nothing/],
    [instance({ hostname: "", port: 6379 }), /redis\.hostname/],
    [instance({ hostname: "a", port: 0 }), /redis\.port should be a port and is 0/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseDatabaseConfig(text), (error) => {
      assert.ok(error instanceof DatabaseConfigError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("parseDatabaseConfig() takes any JSON with a map or a DatabaseConfigError", () => {
  fc.assert(fc.property(fc.json(), fc.json(), (instances, databases) => {
    try {
      parseDatabaseConfig(`{"INSTANCES":${instances},"DATABASES":${databases}}`);
    } catch (error) {
      assert.ok(error instanceof DatabaseConfigError);
    }
  }));
});

Deno.test("parseDatabaseGlobal() lists the files with namespace and container", () => {
  const text = JSON.stringify({
    INCLUDES: [
      { include: "database_config.json" },
      { include: "../../redis0/sonic-db/database_config.json", namespace: "asic0" },
      { include: "../../redisdpu0/a.json", namespace: "", container_name: "dpu0" },
    ],
    VERSION: "1.0",
  });
  assert.deepEqual(parseDatabaseGlobal(text), [
    { include: "database_config.json" },
    { include: "../../redis0/sonic-db/database_config.json", namespace: "asic0" },
    { include: "../../redisdpu0/a.json", containerName: "dpu0" },
  ]);
  for (
    const wrong of ["{}", '{"INCLUDES":[1]}', '{"INCLUDES":[{}]}', '{"INCLUDES":[{"include":""}]}']
  ) {
    assert.throws(() => parseDatabaseGlobal(wrong), DatabaseConfigError);
  }
});
