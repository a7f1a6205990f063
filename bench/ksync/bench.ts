/**
 * How fast the KSync engine is and how much memory it takes, alone and inside the transform.
 *
 * ```sh
 * deno task bench ksync           # some 20 seconds
 * deno task bench ksync --runs=9
 * deno task bench ksync --write   # RESULTS.md and results.csv beside this file
 * ```
 *
 * The engine runs alone on one core: a scripted sink takes every request, and the loop answers.
 * The first two runs warm the compiler up and do not count.
 *
 * @module
 */
import { ksyncSchema } from "../../schemas/ksync.ts";
import type { Change, Fields } from "../../src/core/change.ts";
import { OK } from "../../src/transforms/ksync/answers.ts";
import type { Container } from "../../src/transforms/ksync/container.ts";
import { Engine } from "../../src/transforms/ksync/engine.ts";
import type { EngineOptions } from "../../src/transforms/ksync/machine.ts";
import create from "../../src/transforms/ksync/transform.ts";
import { ScriptedSink } from "../../tests/support/scripted_sink.ts";
import { RecordedTelemetry } from "../../tests/support/telemetry.ts";
import { asCsv, asMarkdown, asText, type Figure, machineFacts } from "../support/figures.ts";

const PORTS = 128;
const FAR = 1e9;

/** Keeps the last requests until the loop answers them. */
class Requests {
  readonly slots: number[] = [];
  readonly numbers: number[] = [];
  readonly host = {
    send: (_operation: unknown, slot: number, number: number): boolean => {
      this.slots.push(slot);
      this.numbers.push(number);
      return false;
    },
  };

  /** Answers everything that is outstanding, also what follows from the answers. */
  answerAll(engine: Engine): void {
    const { slots, numbers } = this;
    for (let at = 0; at < slots.length; at++) {
      engine.answer(slots[at] ?? 0, numbers[at] ?? 0, OK);
    }
    slots.length = 0;
    numbers.length = 0;
  }
}

function makeEngine(options: Partial<EngineOptions> = {}): [Engine, Requests, Container] {
  const requests = new Requests();
  const engine = new Engine(requests.host, options);
  return [engine, requests, engine.container("PORT_TABLE")];
}

function row(mtu: number, admin = "up"): Fields {
  return { state: "ok", netdev_oper_status: "up", admin_status: admin, mtu: String(mtu) };
}

function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Ethernet${index * 4}`);
}

/** Thousands for each second of a loop. */
function rate(count: number, loop: () => void): number {
  const start = performance.now();
  loop();
  return count / (performance.now() - start);
}

const ROWS = [row(1500), row(9100), row(1500, "down")];

function updatesInFlight(): number {
  const count = 1_000_000;
  const keys = keysOf(PORTS);
  const [engine, requests, table] = makeEngine();
  for (const key of keys) engine.set(table, key, row(1));
  const result = rate(count, () => {
    for (let at = 0; at < count; at++) {
      engine.set(table, keys[at % PORTS] ?? "", ROWS[at % 3] ?? {});
    }
  });
  requests.answerAll(engine);
  if (table.counters.changes !== PORTS) throw new Error("Each key has one change to follow");
  return result;
}

/** What any engine has to do at least for an update: find the key and keep the value. */
function mapOnly(): number {
  const count = 1_000_000;
  const keys = keysOf(PORTS);
  const entries = new Map(keys.map((key) => [key, { desired: row(1) }]));
  return rate(count, () => {
    for (let at = 0; at < count; at++) {
      const entry = entries.get(keys[at % PORTS] ?? "");
      if (entry !== undefined) entry.desired = ROWS[at % 3] ?? {};
    }
  });
}

/** Add, answer, change, answer, delete, answer: six events a life. */
function lives(): number {
  const count = 200_000;
  const keys = keysOf(PORTS);
  const [engine, requests, table] = makeEngine();
  return rate(count, () => {
    for (let at = 0; at < count; at++) {
      const key = keys[at % PORTS] ?? "";
      engine.set(table, key, ROWS[0] ?? {});
      requests.answerAll(engine);
      engine.set(table, key, ROWS[1] ?? {});
      requests.answerAll(engine);
      engine.delete(table, key);
      requests.answerAll(engine);
    }
  });
}

/** A change and its answer, again and again: what a port that goes up and down costs. */
function changes(): number {
  const count = 400_000;
  const keys = keysOf(PORTS);
  const [engine, requests, table] = makeEngine();
  for (const key of keys) engine.set(table, key, row(1));
  requests.answerAll(engine);
  return rate(count, () => {
    for (let at = 0; at < count; at++) {
      engine.set(table, keys[at % PORTS] ?? "", ROWS[Math.trunc(at / PORTS) % 2] ?? {});
      requests.answerAll(engine);
    }
  });
}

/** Milliseconds to adopt so many rows, and to sweep them all. */
function adoptAndSweep(count: number): number {
  const keys = keysOf(count);
  const found = keys.map((_, index) => row(index));
  const requests = new Requests();
  const engine = new Engine(requests.host, {
    sweep: { afterMs: 0, intervalMs: 1, perInterval: count, maxWaitMs: FAR, withoutEnd: false },
  });
  const table = engine.container("PORT_TABLE", { owns: () => true, needsScan: true });
  const start = performance.now();
  engine.beginScan(table);
  keys.forEach((key, at) => engine.found(table, key, found[at] ?? {}));
  engine.endScan(table);
  engine.dumpBegins();
  engine.dumpEnds();
  engine.tick(1);
  while (requests.slots.length > 0) requests.answerAll(engine);
  const took = performance.now() - start;
  if (table.size !== 0) throw new Error(`${table.size} entries are left`);
  return took;
}

/** Milliseconds to adopt so many rows and to claim them all with equal values. */
function adoptAndClaim(count: number): number {
  const keys = keysOf(count);
  const found = keys.map((_, index) => row(index));
  const claimed = keys.map((_, index) => row(index));
  const [engine] = makeEngine();
  const table = engine.container("T", { owns: () => true, needsScan: true });
  const start = performance.now();
  engine.beginScan(table);
  keys.forEach((key, at) => engine.found(table, key, found[at] ?? {}));
  engine.endScan(table);
  engine.dumpBegins();
  keys.forEach((key, at) => engine.set(table, key, claimed[at] ?? {}));
  engine.dumpEnds();
  const took = performance.now() - start;
  if (engine.inFlight > 0) throw new Error("A restart with nothing changed wrote something");
  return took;
}

/** Bytes for each key, with the key itself and its row, which a source makes for each change. */
function bytesPerKey(count: number): number {
  const [engine, requests, table] = makeEngine();
  const before = usedBytes();
  for (let index = 0; index < count; index++) {
    engine.set(table, `Ethernet${index * 4}`, row(1500 + index));
    if (requests.slots.length >= 200) requests.answerAll(engine);
  }
  requests.answerAll(engine);
  const after = usedBytes();
  if (table.counters.inState("IN_SYNC") !== count) throw new Error("Not every entry is in sync");
  return (after - before) / count;
}

function usedBytes(): number {
  for (let pass = 0; pass < 3; pass++) collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

function collectGarbage(): void {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("Run with --v8-flags=--expose-gc");
  gc();
}

/** Thousands of changes a second through the whole transform, in batches as netlink gives them. */
async function throughTransform(perBatch: number): Promise<number> {
  const count = 200_000;
  const sink = new ScriptedSink();
  const stage = await create(ksyncSchema.parse({ type: "ksync", tables: ["PORT_TABLE"] }), {
    pipeline: "bench",
    telemetry: new RecordedTelemetry(),
    library: "",
    dryRun: false,
    acknowledge: "accepted",
    fail: () => {},
    resync: () => {},
  }, sink);
  const keys = keysOf(PORTS);
  const batches: Change[][] = [];
  for (let at = 0; at < count; at += perBatch) {
    batches.push(Array.from({ length: perBatch }, (_, n) => ({
      op: "set",
      table: "PORT_TABLE",
      key: keys[(at + n) % PORTS] ?? "",
      fields: row(1500 + Math.trunc((at + n) / PORTS)),
      time: 0,
    })));
  }
  const { signal } = new AbortController();
  const start = performance.now();
  for (const changes of batches) await stage.handle({ changes }, signal);
  await stage.close(performance.now() + FAR);
  return count / (performance.now() - start);
}

async function repeat(
  runs: number,
  run: () => number | Promise<number>,
  warmUps = 2,
): Promise<number[]> {
  for (let left = warmUps; left > 0; left--) await run();
  const values: number[] = [];
  for (let left = runs; left > 0; left--) values.push(await run());
  return values;
}

async function measure(runs: number): Promise<Figure[]> {
  const [ceiling = 0] = (await repeat(runs, mapOnly)).sort((a, b) => b - a);
  const figures: Figure[] = [
    {
      what: "updates while a request is in flight",
      unit: "thousand/s",
      values: await repeat(runs, updatesInFlight),
      goal: { atLeast: 2000 },
      ceiling: { value: ceiling, of: "Map lookups and assignments" },
    },
    {
      what: "lives: add, answer, change, answer, delete, answer",
      unit: "thousand/s",
      values: await repeat(runs, lives),
      goal: { atLeast: 500 },
      note: "six events each",
    },
    {
      what: "changes, each with its answer",
      unit: "thousand/s",
      values: await repeat(runs, changes),
    },
  ];
  for (const perBatch of [1, 256]) {
    figures.push({
      what: `changes through the transform, ${perBatch} in a batch`,
      unit: "thousand/s",
      values: await repeat(runs, () => throughTransform(perBatch), 1),
    });
  }
  for (const count of [1000, 10_000, 100_000]) {
    figures.push({
      what: `memory for a key with four fields, ${count} keys`,
      unit: "bytes",
      values: [bytesPerKey(count)],
      goal: { atMost: 600 },
    });
  }
  figures.push({
    what: "100,000 rows adopted and swept",
    unit: "ms",
    values: await repeat(runs, () => adoptAndSweep(100_000), 1),
    goal: { atMost: 1000 },
  }, {
    what: "100,000 rows adopted and claimed, without a write",
    unit: "ms",
    values: await repeat(runs, () => adoptAndClaim(100_000), 1),
  });
  return figures;
}

async function main(args: readonly string[]): Promise<void> {
  const runs = Number(args.map((arg) => /^--runs=(\d+)$/.exec(arg)?.[1]).find(Boolean) ?? 5);
  const facts = await machineFacts();
  const figures = await measure(runs);
  console.log(`${facts.join("\n")}\n\n${asText(figures)}`);
  if (!args.includes("--write")) return;
  const page = [
    "# The KSync engine",
    "Written by `deno task bench ksync --write`.",
    facts.map((fact) => `- ${fact}`).join("\n"),
    asMarkdown(figures),
  ];
  await Deno.writeTextFile(new URL("RESULTS.md", import.meta.url), `${page.join("\n\n")}\n`);
  await Deno.writeTextFile(new URL("results.csv", import.meta.url), asCsv(figures));
}

if (import.meta.main) await main(Deno.args);
