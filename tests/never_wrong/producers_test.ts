// Producers send numbered changes while the pipeline is killed again and again: none is missing at
// the end, and no key ever goes back. PORTSYNC_TEST_CHANGES sets how many there are.
import assert from "node:assert/strict";
import type { Batch, Change } from "../../src/core/change.ts";
import { ChangeProducer, RingChangeProducer } from "../../src/netipc/changes/producer.ts";
import { eventually, pause } from "../support/eventually.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "../support/native.ts";
import { serviceName } from "../support/peers.ts";
import { type Portsync, startPortsync } from "../support/portsync.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";

const CHANGES = Number(Deno.env.get("PORTSYNC_TEST_CHANGES") ?? 20_000);
/** With fewer changes than this, each has a row of its own. */
const KEYS = 50_000;
/** Rows that change all the time, for the order. */
const BUSY_KEYS = 64;
const BATCH = 128;
const KILLS = 5;
const STATE_DB = 6;

const library = await nativeLibrary();
const runDir = NATIVE_TEST_FOLDER;

interface Way {
  readonly name: string;
  /** The source's settings. */
  source(name: string): Record<string, unknown>;
  /** A producer for it. */
  open(name: string): AsyncDisposable & { publish(batch: Batch): Promise<unknown> };
}

const WAYS: readonly Way[] = [
  {
    name: "over a socket",
    source: (service) => ({ type: "uds", run_dir: runDir, service, profile: "uds" }),
    open: (service) => new ChangeProducer({ library, runDir, service, maxRetryMs: 50 }),
  },
  {
    name: "through shared memory",
    source: (service) => ({ type: "shm", run_dir: runDir, service }),
    open: (service) => new ChangeProducer({ library, runDir, service, maxRetryMs: 50 }),
  },
  {
    name: "through a ring",
    source: (name) => ({ type: "shm", protocol: "ring", file: `${runDir}/${name}.ring` }),
    open: (name) => new RingChangeProducer({ library, path: `${runDir}/${name}.ring` }),
  },
];

function batchFrom(first: number): Batch {
  const changes: Change[] = [];
  for (let number = first; number < Math.min(first + BATCH, CHANGES); number++) {
    const fields = { number: `${number}` };
    const set = { op: "set" as const, fields, time: Date.now() };
    changes.push({ ...set, table: "EACH_TABLE", key: `k${number % KEYS}` });
    changes.push({ ...set, table: "BUSY_TABLE", key: `Ethernet${number % BUSY_KEYS}` });
  }
  return { changes };
}

/** Every value that is written to the busy rows, by who writes it. */
class Observer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #done: Promise<void>;
  /** Rows that went back, as far as one process wrote them. */
  readonly backwards: string[] = [];
  writes = 0;

  constructor(redis: RedisServer) {
    this.#child = new Deno.Command("redis-cli", {
      args: ["-s", redis.socket, "monitor"],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#done = this.#read();
  }

  async #read(): Promise<void> {
    const last = new Map<string, number>();
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const found = /\[6 (\S+)\] "HSET" "BUSY_TABLE\|(\w+)" .*"number" "(\d+)"/i.exec(line);
        if (found === null) continue;
        const [, writer = "", key = "", digits = ""] = found;
        const number = Number(digits);
        const place = `${writer} ${key}`;
        if (number < (last.get(place) ?? -1)) this.backwards.push(`${place} ${number}`);
        last.set(place, number);
        this.writes++;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#done;
    await this.#child.status;
  }
}

/** Kills the pipeline at five places of the way, as soon as it is running again. */
async function killAlongTheWay(product: Portsync, sent: () => number): Promise<void> {
  for (let kill = 1; kill <= KILLS; kill++) {
    await eventually(() => {
      return sent() >= CHANGES * kill / (KILLS + 1) ? undefined : `only ${sent()} are sent`;
    }, { withinMs: 600_000, everyMs: 2 });
    Deno.kill(await product.pipelinePid(), "SIGKILL");
  }
}

/** What is wrong with the rows of a table; each must hold the last number that belongs to it. */
async function complaintAbout(
  redis: RedisServer,
  table: string,
  prefix: string,
  count: number,
): Promise<string | undefined> {
  const script = `local wrong = 0
    for i = 0, ${count} - 1 do
      local last = i + math.floor((${CHANGES} - 1 - i) / ${count}) * ${count}
      local found = redis.call('HGET', '${table}|${prefix}' .. i, 'number')
      if found ~= string.format('%d', last) then wrong = wrong + 1 end
    end
    return wrong`;
  const wrong = (await redis.cli("-n", `${STATE_DB}`, "EVAL", script, "0")).trim();
  return wrong === "0" ? undefined : `${wrong} rows of ${table} are wrong`;
}

for (const way of WAYS) {
  Deno.test(`changes ${way.name} survive five kills of the pipeline`, async () => {
    const name = serviceName();
    await using redis = await startRedis();
    await using observer = new Observer(redis);
    await using product = await startPortsync({
      pipelines: {
        numbers: {
          source: way.source(name),
          transforms: [{ type: "ksync" }],
          sinks: [{ type: "state_db", url: redis.url, database: STATE_DB }],
        },
      },
    });
    let sent = 0;
    await using producer = way.open(name);
    const killing = killAlongTheWay(product, () => sent);
    for (let first = 0; first < CHANGES; first += BATCH) {
      await producer.publish(batchFrom(first));
      sent = Math.min(first + BATCH, CHANGES);
      // A ring takes all at once; the kills shall come while the pipeline works.
      if (way.name.includes("ring")) await pause(2);
    }
    await killing;
    await eventually(
      async () =>
        await complaintAbout(redis, "EACH_TABLE", "k", Math.min(KEYS, CHANGES)) ??
          await complaintAbout(redis, "BUSY_TABLE", "Ethernet", BUSY_KEYS),
      { withinMs: 120_000, everyMs: 100 },
    );
    await product.stop();
    assert.ok(observer.writes >= BUSY_KEYS);
    assert.deepEqual(observer.backwards, []);
    await Deno.remove(`${runDir}/${name}.ring`).catch(() => {});
  });
}
