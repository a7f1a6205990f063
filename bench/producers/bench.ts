/**
 * How long a producer's change takes to become a row, and how many become rows in a second, by each
 * way in, through the product as an operator runs it.
 *
 * ```sh
 * deno task bench producers          # some 30 s
 * deno task bench producers --runs=1
 * deno task bench producers --write  # RESULTS.md and results.csv beside this file
 * ```
 *
 * The ceiling is a writer that says the same to Redis itself. Everything stands on the same cores:
 * the producer, portsync, Redis, and who looks for the row.
 *
 * @module
 */
import type { Batch, Change } from "../../src/core/change.ts";
import type { RingStat } from "../../ffi/records.gen.ts";
import { nativeLibrary } from "../../tests/support/native.ts";
import { type Producer, ringPath, type Way, WAYS } from "../../tests/support/numbers.ts";
import { serviceName } from "../../tests/support/peers.ts";
import { startPortsync } from "../../tests/support/portsync.ts";
import { type RedisServer, startRedis } from "../../tests/support/redis.ts";
import {
  asCsv,
  asMarkdown,
  asText,
  type Figure,
  machineFacts,
  median,
} from "../support/figures.ts";
import { commands, Wire } from "./watch.ts";

const DATABASE = 6;
const TABLE = "PRODUCED_TABLE";
const KEYS = 64;
const SINGLE = 3000;
const MANY = 200_000;
const BATCH = 256;
/** The first are not counted: neither side has compiled its code. */
const WARM_UP = 300;

/** What one run found. */
interface Run {
  /** Microseconds from the producer's call to the row, middle and worst of a hundred. */
  readonly p50: number;
  readonly p99: number;
  /** Changes each second. */
  readonly rate: number;
}

function setOf(number: number): Change {
  const fields = { number: `${number}` };
  return { op: "set", table: TABLE, key: `k${number % KEYS}`, fields, time: 0 };
}

/** Says one after the other to `say`, and waits for each row. */
async function times(redis: RedisServer, say: (number: number) => Promise<unknown>) {
  using watch = await Wire.watch(redis.socket, DATABASE, `${TABLE}|k0`);
  const found: number[] = [];
  for (let i = 0; i < SINGLE + WARM_UP; i++) {
    const start = performance.now();
    const said = say((i + 1) * KEYS);
    await watch.read();
    if (i >= WARM_UP) found.push((performance.now() - start) * 1000);
    await said;
  }
  found.sort((a, b) => a - b);
  return { p50: median(found), p99: found[Math.floor(found.length * 0.99)] ?? NaN };
}

function rateSince(start: number): number {
  return MANY / (performance.now() - start) * 1000;
}

/** The same said to Redis. */
async function bare(redis: RedisServer): Promise<Run> {
  using wire = await Wire.open(redis.socket);
  await wire.write(`SELECT ${DATABASE}\r\n`);
  await wire.read();
  const row = (number: number) => `${TABLE}|k${number % KEYS}`;
  const single = await times(redis, async (number) => {
    await wire.write(commands(row, number, number + 1));
    await wire.read();
  });
  const start = performance.now();
  for (let from = 0; from < MANY; from += BATCH) {
    await wire.write(commands(row, from, from + BATCH));
    // A row that has the field already answers `:0` and a line's end, four bytes.
    for (let read = 0; read < BATCH * 4;) read += await wire.read();
  }
  return { ...single, rate: rateSince(start) };
}

/** By one way in. */
async function through(way: Way, redis: RedisServer, library: string): Promise<Run> {
  const name = serviceName();
  const sinks = [{ type: "state_db", url: redis.url, database: DATABASE }];
  await using product = await startPortsync({
    pipelines: { bench: { source: way.source(name), transforms: [{ type: "ksync" }], sinks } },
  });
  try {
    await product.logged(/connected to Redis/);
    await using producer = way.open(library, name);
    const publish = (changes: Batch["changes"]) => producer.publish({ changes });
    const single = await times(redis, (number) => publish([setOf(number)]));
    const start = performance.now();
    for (let from = 0; from < MANY; from += BATCH) {
      await publish(Array.from({ length: BATCH }, (_, i) => setOf(from + i)));
    }
    await emptied(producer);
    return { ...single, rate: rateSince(start) };
  } finally {
    await Deno.remove(ringPath(name)).catch(() => {});
  }
}

/** Waits until a ring has given everything back; of the others every answer is there. */
async function emptied(producer: Producer & { stat?(): RingStat }): Promise<void> {
  for (let stat = producer.stat?.(); stat !== undefined; stat = producer.stat?.()) {
    if (stat.consumed === stat.produced) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function figuresOf(name: string, runs: readonly Run[], top: readonly Run[]): Figure[] {
  const of = "of a writer to Redis";
  const figure = (
    what: string,
    unit: string,
    key: keyof Run,
    goal: NonNullable<Figure["goal"]>,
  ): Figure => {
    const values = runs.map((run) => run[key]);
    const ceiling = { value: median(top.map((run) => run[key])), of };
    return { what: `${what} ${name}`, unit, values, goal, ceiling };
  };
  return [
    figure("producer to row, p50,", "µs", "p50", { atMost: 250 }),
    figure("producer to row, p99,", "µs", "p99", { atMost: 2000 }),
    figure(`rows in batches of ${BATCH}`, "changes/s", "rate", { atLeast: 100_000 }),
  ];
}

async function main(args: readonly string[]): Promise<void> {
  const runs = Number(args.find((arg) => arg.startsWith("--runs="))?.slice("--runs=".length) ?? 3);
  const facts = await machineFacts();
  const library = await nativeLibrary();
  const top: Run[] = [];
  const found = new Map<Way, Run[]>();
  for (let run = 0; run < runs; run++) {
    await using redis = await startRedis();
    top.push(await bare(redis));
    for (const way of Object.values(WAYS)) {
      found.set(way, [...found.get(way) ?? [], await through(way, redis, library)]);
    }
  }
  const figures = [...found].flatMap(([way, list]) => figuresOf(way.name, list, top));
  console.log(`${facts.join("\n")}\n\n${asText(figures)}`);
  if (!args.includes("--write")) return;
  const page = ["# Producers", "", ...facts.map((fact) => `- ${fact}`), "", asMarkdown(figures)];
  await Deno.writeTextFile(new URL("RESULTS.md", import.meta.url), `${page.join("\n")}\n`);
  await Deno.writeTextFile(new URL("results.csv", import.meta.url), asCsv(figures));
}

if (import.meta.main) await main(Deno.args);
