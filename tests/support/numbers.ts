/**
 * Numbered changes: how they are sent, and how to tell that none is missing and none came late.
 *
 * Each number sets two rows: one of its own, and one that many numbers share, for the order.
 *
 * @module
 */
import type { Batch, Change } from "../../src/core/change.ts";
import { ChangeProducer, RingChangeProducer } from "../../src/netipc/changes/producer.ts";
import { NATIVE_TEST_FOLDER } from "./native.ts";
import type { SpecTree } from "./portsync.ts";
import type { RedisServer } from "./redis.ts";

/** How many numbers are sent together. */
export const BATCH = 128;

/** Rows that change all the time. */
export const BUSY_KEYS = 64;

/** A million changes are not done within the patience of other tests. */
export const LONG_MS = 600_000;

const STATE_DB = 6;

/** How many changes a test sends: `deno test … -- --changes=1000000` for a long run. */
export function wantedChanges(otherwise: number): number {
  const given = Deno.args.find((argument) => argument.startsWith("--changes="));
  const changes = Number(given?.split("=")[1] ?? otherwise);
  if (!Number.isSafeInteger(changes) || changes < 1) throw new Error(`What is ${given}?`);
  return changes;
}

/** One way for changes to come in. */
export interface Way {
  readonly name: string;
  /** The source's settings. */
  source(name: string): Record<string, unknown>;
  /** A producer for it. */
  open(library: string, name: string): Producer;
}

/** What the producers have in common. */
export type Producer = AsyncDisposable & { publish(batch: Batch): Promise<unknown> };

const runDir = NATIVE_TEST_FOLDER;

/** The file of a ring. */
export function ringPath(name: string): string {
  return `${runDir}/${name}.ring`;
}

const overNetipc = (library: string, service: string) =>
  new ChangeProducer({ library, runDir, service, maxRetryMs: 50 });

/** Every way there is. */
export const WAYS: Readonly<Record<"uds" | "shm" | "ring", Way>> = {
  uds: {
    name: "over a socket",
    source: (service) => ({ type: "uds", run_dir: runDir, service, profile: "uds" }),
    open: overNetipc,
  },
  shm: {
    name: "through shared memory",
    source: (service) => ({ type: "shm", run_dir: runDir, service }),
    open: overNetipc,
  },
  ring: {
    name: "through a ring",
    source: (name) => ({ type: "shm", protocol: "ring", file: ringPath(name) }),
    open: (library, name) => new RingChangeProducer({ library, path: ringPath(name) }),
  },
};

/** The pipeline of a test. */
export function numbersSpec(way: Way, name: string, redis: RedisServer): SpecTree {
  return {
    pipelines: {
      numbers: {
        source: way.source(name),
        transforms: [{ type: "ksync" }],
        sinks: [{ type: "state_db", url: redis.url, database: STATE_DB }],
      },
    },
  };
}

/**
 * The batch that begins with a number.
 *
 * @param end the first number that is not sent
 * @param life how often the producer was started before
 */
export function batchFrom(first: number, end: number, life = 0): Batch {
  const changes: Change[] = [];
  for (let number = first; number < Math.min(first + BATCH, end); number++) {
    const fields = { number: `${number}`, life: `${life}` };
    const set = { op: "set" as const, fields, time: Date.now() };
    changes.push({ ...set, table: "EACH_TABLE", key: `${number}` });
    changes.push({ ...set, table: "BUSY_TABLE", key: `${number % BUSY_KEYS}` });
  }
  return { changes };
}

/** How many rows one script looks at: Redis answers nobody else meanwhile. */
const LOOKS = 20_000;

/** Counts the keys of a table from `first` to `end` - 1 that do not hold what `wanted` says. */
async function countWrong(
  redis: RedisServer,
  table: string,
  [first, end]: readonly [number, number],
  wanted: string,
): Promise<number> {
  const script = `local wrong = 0
    for key = ${first}, ${end} - 1 do
      local name = string.format('${table}|%d', key)
      if redis.call('HGET', name, 'number') ~= string.format('%d', ${wanted}) then
        wrong = wrong + 1
      end
    end
    return wrong`;
  return Number(await redis.cli("-n", `${STATE_DB}`, "EVAL", script, "0"));
}

/** What is wrong with the rows once the numbers 0 to `end` - 1 were sent. */
export async function complaintAbout(redis: RedisServer, end: number): Promise<string | undefined> {
  const busy = Math.min(end, BUSY_KEYS);
  const rows = Number(await redis.cli("-n", `${STATE_DB}`, "DBSIZE"));
  if (rows !== end + busy) return `there are ${rows} rows, not ${end + busy}`;
  const last = `key + math.floor((${end} - 1 - key) / ${busy}) * ${busy}`;
  const old = await countWrong(redis, "BUSY_TABLE", [0, busy], last);
  if (old > 0) return `${old} busy rows hold an old number`;
  for (let first = 0; first < end; first += LOOKS) {
    const range = [first, Math.min(first + LOOKS, end)] as const;
    const wrong = await countWrong(redis, "EACH_TABLE", range, "key");
    if (wrong > 0) return `${wrong} numbers from ${first} on are missing`;
  }
  return undefined;
}

/** What a busy row was last seen to hold. */
interface Seen {
  readonly life: number;
  readonly number: number;
}

/** Sees every write to the busy rows, and which connection wrote it. */
export class Observer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #done: Promise<void>;
  /**
   * Rows that went back. A pipeline that is killed, and a producer that is, say again what was not
   * answered; so what counts is one connection, and one life of the producer.
   */
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
    const last = new Map<string, Seen>();
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#look(line, last);
    }
  }

  #look(line: string, last: Map<string, Seen>): void {
    const [, writer = "", key = "", pairs = ""] =
      /\[6 (\S+)\] "HSET" "BUSY_TABLE\|(\w+)" (.*)$/i.exec(line) ?? [];
    if (key === "") return;
    const word = (name: string) => new RegExp(`"${name}" "(\\d+)"`).exec(pairs)?.[1];
    const place = `${writer} ${key}`;
    const before = last.get(place) ?? { life: 0, number: -1 };
    // What stays the same is not written again.
    const life = Number(word("life") ?? before.life);
    const number = Number(word("number") ?? before.number);
    const isBack = life < before.life || (life === before.life && number < before.number);
    if (isBack) this.backwards.push(`${place} ${life}.${number}`);
    last.set(place, { life, number });
    this.writes++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#done;
    await this.#child.status;
  }
}
