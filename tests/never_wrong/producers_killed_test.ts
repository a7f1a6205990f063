// Producers that are killed in the middle of it, and go on where they were answered last: none of
// their numbers is missing, and no key goes back.
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { LIBRARY } from "../../src/spec/programs.ts";
import { NATIVE_TEST_FOLDER } from "../support/native.ts";
import {
  complaintAbout,
  LONG_MS,
  numbersSpec,
  Observer,
  ringPath,
  wantedChanges,
  WAYS,
} from "../support/numbers.ts";
import { serviceName } from "../support/peers.ts";
import { startPortsync } from "../support/portsync.ts";
import { producerProgram } from "../support/producer.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";

const CHANGES = wantedChanges(20_000);
const KILLS = 5;
const ROOT = new URL("../../", import.meta.url).pathname;

/** How to start a producer that begins with a number, after `life` others were killed. */
type CommandLine = (from: number, life: number) => readonly string[];

/** A producer process; `answered` is the number that its successor goes on with. */
class ProducerProcess {
  answered: number;
  readonly status: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;

  constructor([program = "", ...args]: readonly string[], from: number) {
    this.answered = from;
    this.#child = new Deno.Command(program, { args, stdout: "piped" }).spawn();
    this.status = this.#child.status;
    this.#read = this.#follow();
  }

  async #follow(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.answered = Number(lines.at(-1) ?? this.answered);
    }
  }

  /** Ends it as a crash does; all that it printed is read then. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // A ring takes everything at once: it was faster, and its successor has nothing left to do.
    }
    await this.ended();
  }

  async ended(): Promise<void> {
    await this.#read;
    await this.status;
  }
}

/** Runs one producer after the other, each killed on its way but the last. */
async function sendThroughKills(command: CommandLine): Promise<void> {
  let producer = new ProducerProcess(command(0, 0), 0);
  for (let kill = 1; kill <= KILLS; kill++) {
    await eventually(() => {
      const { answered } = producer;
      return answered >= CHANGES * kill / (KILLS + 1) ? undefined : `only ${answered} are sent`;
    }, { withinMs: LONG_MS, everyMs: 1 });
    await producer.kill();
    producer = new ProducerProcess(command(producer.answered, kill), producer.answered);
  }
  await producer.ended();
  assert.equal((await producer.status).code, 0);
  assert.equal(producer.answered, CHANGES);
}

const NUMBERS = `${ROOT}tests/support/numbers_main.ts`;

for (const [word, way] of Object.entries(WAYS)) {
  Deno.test(`changes ${way.name} survive five kills of their producer`, async () => {
    const name = serviceName();
    await using redis = await startRedis();
    await using observer = new Observer(redis);
    await using product = await startPortsync(numbersSpec(way, name, redis));
    try {
      const deno = [Deno.execPath(), "run", "-q", "-A", NUMBERS, word];
      await sendThroughKills((from, life) => {
        return [...deno, ...[name, from, CHANGES, life].map(String)];
      });
      await eventually(() => complaintAbout(redis, CHANGES), { withinMs: LONG_MS, everyMs: 100 });
      assert.ok(observer.writes > 0);
      assert.deepEqual(observer.backwards, []);
      await product.stop();
    } finally {
      await Deno.remove(ringPath(name)).catch(() => {});
    }
  });
}

/** Keys of the producers in `examples/`. */
const KEYS = 64;

async function complaintAboutExample(redis: RedisServer): Promise<string | undefined> {
  for (let key = 0; key < KEYS; key++) {
    const last = key + Math.floor((CHANGES - 1 - key) / KEYS) * KEYS;
    const { number } = await redis.row(6, `NUMBER_TABLE|Ethernet${key}`);
    if (number !== `${last}`) return `Ethernet${key} holds ${number}, and not ${last}`;
  }
  return undefined;
}

const deno = [
  ...[Deno.execPath(), "run", "-q", "--no-prompt", `--allow-ffi=${LIBRARY}`],
  `${ROOT}examples/producer.ts`,
];
const EXAMPLES = [
  { program: deno, word: "uds", way: WAYS.uds },
  { program: deno, word: "shm", way: WAYS.shm },
  { program: deno, word: "ring", way: WAYS.ring },
  { program: undefined, word: "uds", way: WAYS.uds },
  { program: undefined, word: "ring", way: WAYS.ring },
];

for (const { program, word, way } of EXAMPLES) {
  const file = program === undefined ? "producer.c" : "producer.ts";
  Deno.test(`examples/${file} goes on ${way.name} where it was killed`, async () => {
    const name = serviceName();
    const line = program ?? [await producerProgram()];
    await using redis = await startRedis();
    await using product = await startPortsync(numbersSpec(way, name, redis));
    try {
      await sendThroughKills((from) => {
        const place = way === WAYS.ring ? [ringPath(name)] : [NATIVE_TEST_FOLDER, name];
        return [...line, word, ...place, `${CHANGES}`, `${from}`];
      });
      await eventually(() => complaintAboutExample(redis), { withinMs: LONG_MS, everyMs: 100 });
      await product.stop();
    } finally {
      await Deno.remove(ringPath(name)).catch(() => {});
    }
  });
}
