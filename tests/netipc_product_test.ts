// Producers before the real product: who is let in, what an operator reads, and what a file costs
// that is taken away under our feet.
import assert from "node:assert/strict";
import { ChangeProducer, RingChangeProducer } from "../src/netipc/changes/producer.ts";
import { eventually } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "./support/native.ts";
import { ringPath } from "./support/numbers.ts";
import { serviceName } from "./support/peers.ts";
import { type SpecTree, startPortsync } from "./support/portsync.ts";
import { commandLine } from "./support/processes.ts";
import { producerProgram } from "./support/producer.ts";
import { startRedis } from "./support/redis.ts";
import { change } from "./support/source_run.ts";

const library = await nativeLibrary();
const runDir = NATIVE_TEST_FOLDER;
const NOBODY = 65534;
const NO_REDIS = "unix:///run/portsync-tests/none.sock";

function specOf(source: Record<string, unknown>, url: string): SpecTree {
  const sinks = [{ type: "state_db", url, database: 6 }];
  return { pipelines: { ports: { source, transforms: [{ type: "ksync" }], sinks } } };
}

Deno.test("a folder that cannot be trusted, or is not there, is refused with what to do", async () => {
  const folder = await Deno.makeTempDir({ prefix: "portsync-run-dir-" });
  const start = () => {
    return startPortsync(specOf({ type: "uds", run_dir: folder, service: "ports" }, NO_REDIS));
  };
  await Deno.chmod(folder, 0o777);
  {
    await using product = await start();
    await product.logged(/must be this user's or root's, and closed to others: chmod go-w/);
  }
  await Deno.remove(folder);
  {
    await using product = await start();
    await product.logged(new RegExp(`the folder ${folder} is not there; make it`));
  }
});

Deno.test("each way in works under its own permissions and no others", async () => {
  const [service, name] = [serviceName(), serviceName()];
  await using redis = await startRedis();
  const token = `${redis.folder}/token`;
  await Deno.writeTextFile(token, "77\n");
  const auth_token = `\${file:${token}}`;
  const sources = {
    answered: { type: "uds", run_dir: runDir, service, auth_token },
    queued: { type: "shm", protocol: "ring", file: ringPath(name) },
  };
  const pipelines = Object.fromEntries(
    Object.entries(sources).map(([way, source]) => [way, {
      source,
      transforms: [{ type: "ksync" }],
      sinks: [{ type: "state_db", url: redis.url, database: 6, table: way.toUpperCase() }],
    }]),
  );
  await using product = await startPortsync({ pipelines }, { as: "supervisor" });
  try {
    const granted = async (way: string) => {
      const words = commandLine(await product.pipelinePid(way));
      assert.ok(words.includes("--no-prompt"));
      return words.flatMap((word) => {
        const [, kind, paths = "everything"] = /^--allow-(\w+)(?:=(.*))?$/.exec(word) ?? [];
        return kind === undefined ? [] : paths.split(",").map((path) => `${kind} ${path}`);
      }).sort();
    };
    const needed = (way: string, ...more: string[]) => {
      const lock = `${product.folder}/run/${way}.lock`;
      return [
        ...[`ffi ${library}`, `net unix:${redis.socket}`, `read ${lock}`, `write ${lock}`],
        ...[`read ${redis.socket}`, `write ${redis.socket}`, ...more],
      ].sort();
    };
    assert.deepEqual(await granted("answered"), needed("answered", `read ${token}`));
    assert.deepEqual(await granted("queued"), needed("queued"));
    const options = { library, runDir, service, maxRetryMs: 50, authToken: 77n };
    await using producer = new ChangeProducer(options);
    assert.equal((await producer.publish({ changes: [change(1)] }))[0]?.outcome, "applied");
    await using ring = new RingChangeProducer({ library, path: ringPath(name) });
    await ring.publish({ changes: [change(2)] });
    await eventually(async () => {
      const { number } = await redis.row(6, "QUEUED|Ethernet2");
      return number === "2" ? undefined : "the row is not there";
    });
  } finally {
    await Deno.remove(ringPath(name)).catch(() => {});
  }
});

Deno.test("many producers at once, over both ways, each have their rows in their order", async () => {
  const service = serviceName();
  await using redis = await startRedis();
  const source = { type: "uds", run_dir: runDir, service };
  await using product = await startPortsync(specOf(source, redis.url));
  const produce = async (number: number) => {
    const profile = (["uds", "shm", "auto"] as const)[number % 3] ?? "auto";
    await using producer = new ChangeProducer({
      ...{ library, runDir, service, profile, maxRetryMs: 50 },
    });
    for (let turn = 0; turn < TURNS; turn++) {
      const changes = [0, 1, 2].map((row) =>
        change(turn, { key: `p${number}.${row}`, fields: { number: `${turn}` } })
      );
      const receipts = await producer.publish({ changes });
      assert.deepEqual(receipts.map(({ outcome }) => outcome), Array(3).fill("applied"));
    }
  };
  await Promise.all(Array.from({ length: PRODUCERS }, (_, number) => produce(number)));
  const last = `${TURNS - 1}`;
  for (let number = 0; number < PRODUCERS; number++) {
    assert.deepEqual(await redis.row(6, `NUMBER_TABLE|p${number}.2`), { number: last });
  }
  await product.stop();
});

const PRODUCERS = 30;
const TURNS = 25;

Deno.test("with acknowledge: accepted nobody waits for a Redis that is away", async () => {
  const service = serviceName();
  const source = { type: "shm", run_dir: runDir, service, acknowledge: "accepted" };
  await using _product = await startPortsync(specOf(source, NO_REDIS));
  await using producer = new ChangeProducer({ library, runDir, service, maxRetryMs: 50 });
  const receipts = await producer.publish({ changes: [change(1), { ...change(2), key: "" }] });
  assert.deepEqual(receipts.map((receipt) => ({ ...receipt, error: undefined })), [
    { outcome: "deferred", reason: "accepted", error: undefined },
    { outcome: "rejected", error: undefined },
  ]);
});

Deno.test("a dump of a producer sweeps what it does not name, as far as owns says", async () => {
  const service = serviceName();
  await using redis = await startRedis();
  await redis.cli("-n", "6", "HSET", "NUMBER_TABLE|foreign", "other", "1");
  await redis.cli("-n", "6", "HSET", "NUMBER_TABLE|left.over", "number", "0");
  const { pipelines: { ports } } = specOf({ type: "uds", run_dir: runDir, service }, redis.url);
  const transforms = [{ type: "ksync", owns: { field: "number" } }];
  await using _product = await startPortsync({
    pipelines: { ports: Object.assign({}, ports, { transforms }) },
  });
  await using producer = new ChangeProducer({ library, runDir, service, maxRetryMs: 50 });
  await producer.publish({ changes: [change(1), change(2)], mark: "dump-begin" });
  await producer.publish({ changes: [], mark: "dump-end" });
  const rows = async () => (await redis.cli("-n", "6", "KEYS", "*")).split("\n").sort().join(" ");
  const become = (wanted: string) =>
    eventually(async () => {
      const found = (await rows()).replaceAll("NUMBER_TABLE|", "");
      return found === wanted ? undefined : found;
    });
  await become("Ethernet1 Ethernet2 foreign");
  await producer.publish({ changes: [change(2)], mark: "dump-begin" });
  await producer.publish({ changes: [change(3)], mark: "dump-end" });
  await become("Ethernet2 Ethernet3 foreign");
});

Deno.test("a user that is not allowed is turned away by what the kernel says of it", async () => {
  if (Deno.uid() !== 0) return; // nobody else can become another user
  const service = serviceName();
  await using redis = await startRedis();
  const source = { type: "uds", run_dir: runDir, service, socket_mode: "0666", allow_uids: [0] };
  await using product = await startPortsync(specOf(source, redis.url));
  await using producer = new ChangeProducer({ library, runDir, service, maxRetryMs: 50 });
  assert.equal((await producer.publish({ changes: [change(1)] }))[0]?.outcome, "applied");
  const stranger = new Deno.Command("setpriv", {
    args: [
      ...[`--reuid=${NOBODY}`, "--clear-groups", await producerProgram()],
      ...["uds", runDir, service, "1"],
    ],
  }).spawn();
  await product.logged(/user 65534 is not in allow_uids; name it there if it may send/);
  stranger.kill("SIGKILL");
  await stranger.status;
  assert.equal((await producer.publish({ changes: [change(2)] }))[0]?.outcome, "applied");
});

Deno.test("a ring that is cut short ends the pipeline, not portsync, and begins anew", async () => {
  const name = serviceName();
  const file = ringPath(name);
  await using redis = await startRedis();
  const spec = specOf({ type: "shm", protocol: "ring", file }, redis.url);
  await using product = await startPortsync(spec);
  try {
    await eventually(() => Deno.stat(file).then(() => undefined, String));
    await Deno.truncate(file, 0);
    await product.logged(/SIGBUS/);
    // An empty file is made a ring; one that is not whole is left to an operator.
    await using producer = new RingChangeProducer({ library, path: file });
    await producer.publish({ changes: [change(1)] });
    await eventually(async () => {
      const { number } = await redis.row(6, "NUMBER_TABLE|Ethernet1");
      return number === "1" ? undefined : "the row is not there";
    });
  } finally {
    await Deno.remove(file);
  }
});
