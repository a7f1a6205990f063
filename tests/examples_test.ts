/**
 * The examples, as far as a machine that is no switch can go: checked and resolved.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findDefinition } from "../src/cli/load_plan.ts";
import { check, type Checked } from "../src/spec/check.ts";
import { readSpec } from "../src/spec/load.ts";
import type { Machine } from "../src/spec/machine.ts";
import type { Plan } from "../src/spec/plan.ts";
import { resolve } from "../src/spec/resolve.ts";
import createReplaySource from "../src/sources/replay/source.ts";
import { nativeLibrary } from "./support/native.ts";
import { Rows } from "./support/rows.ts";
import { RecordedTelemetry } from "./support/telemetry.ts";

const FOLDER = new URL("../examples/", import.meta.url).pathname;

const DATABASE_CONFIG = JSON.stringify({
  INSTANCES: {
    redis: {
      hostname: "127.0.0.1",
      port: 6379,
      unix_socket_path: "/var/run/redis/redis.sock",
    },
  },
  DATABASES: {
    APPL_DB: { id: 0, separator: ":", instance: "redis" },
    CONFIG_DB: { id: 4, separator: "|", instance: "redis" },
    STATE_DB: { id: 6, separator: "|", instance: "redis" },
  },
  VERSION: "1.0",
});

/** A switch, as far as a spec looks at one. */
const SWITCH: Machine = {
  uid: 0,
  environment: () => undefined,
  workingFolder: "/",
  readTextFile: (path) =>
    path.endsWith("/database_config.json")
      ? Promise.resolve(DATABASE_CONFIG)
      : Promise.reject(new Deno.errors.NotFound(path)),
  stat: () => Promise.resolve({ isFile: true, mode: 0o644 }),
};

async function checked(name: string): Promise<Checked> {
  return await check(await readSpec(FOLDER + name));
}

async function planOf(name: string): Promise<Plan> {
  const { plan } = await resolve(await checked(name), {
    machine: SWITCH,
    definition: findDefinition,
    library: "/opt/portsync/libportsync.so",
  });
  return plan;
}

const examples = (await Array.fromAsync(Deno.readDir(FOLDER)))
  .map(({ name }) => name).filter((name) => /\.(yaml|toml)$/.test(name)).sort();

for (const name of examples) {
  Deno.test(`examples/${name} passes every phase on a switch, without an environment`, async () => {
    const { file, pipelines } = await planOf(name);
    assert.equal(file, FOLDER + name);
    for (const { grant, reasons, sinks } of pipelines) {
      assert(sinks.length > 0);
      assert(reasons.every(({ why }) => why !== ""));
      for (const path of [...grant.read, ...grant.write, ...grant.ffi, ...grant.native]) {
        assert(path.startsWith("/") && !path.includes(".."), path);
      }
      for (const address of grant.net) assert.match(address, /^unix:\/|:\d+$/);
    }
  });

  Deno.test(`examples/${name} names its schema where editors look for it`, async () => {
    const text = await Deno.readTextFile(FOLDER + name);
    if (name.endsWith(".yaml")) {
      assert(text.startsWith("# yaml-language-server: $schema=../schemas/pipeline.schema.json\n"));
    } else {
      assert(text.startsWith("#:schema ../schemas/pipeline.schema.json\n"));
    }
  });
}

Deno.test("The main job is the same in both notations", async () => {
  const [yaml, toml] = await Promise.all([checked("sonic.yaml"), checked("sonic.toml")]);
  assert.deepEqual(yaml.config, toml.config);
});

Deno.test("The main job writes and sweeps what portsyncd's rows are, and may do no more", async () => {
  const { pipelines: [{ grant, transforms, sinks } = assert.fail()] } = await planOf("sonic.yaml");
  assert.deepEqual(transforms.at(-1)?.["owns"], { keys: ["Ethernet*"], field: "state" });
  assert.equal(sinks[0]?.["database"], 6);
  const socket = "/var/run/redis/redis.sock";
  assert.deepEqual(grant, {
    read: ["/run/portsync/port-sync.lock", socket],
    write: ["/run/portsync/port-sync.lock", socket],
    net: [`unix:${socket}`],
    ffi: ["/opt/portsync/libportsync.so"],
    native: [],
  });
});

Deno.test("The quickstart needs neither root nor a server", async () => {
  const { pipelines: [{ grant } = assert.fail()] } = await planOf("quickstart.yaml");
  assert.deepEqual(grant.net, []);
});

Deno.test("The recording of the replay example tells the story that the example tells", async () => {
  const source = await createReplaySource({
    type: "replay",
    file: `${FOLDER}links.psnl`,
    interfaces: ["Ethernet*"],
    pace: "fast",
  }, {
    pipeline: "replay",
    telemetry: new RecordedTelemetry(),
    library: await nativeLibrary(),
    dryRun: false,
    acknowledge: "accepted",
    fail: (error) => assert.fail(error.message),
    resync: () => {},
  });
  await using rows = new Rows(source);
  await rows.ended;
  const seen = [...rows.rows].map(([key, fields]) => [key, fields["admin_status"], fields["mtu"]]);
  assert.deepEqual(seen.sort(), [
    ["Ethernet0", "down", "1500"],
    ["Ethernet16", "down", "1500"],
    ["Ethernet4", "up", "9100"],
  ]);
});
