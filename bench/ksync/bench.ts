/**
 * How fast the engine is and how much memory it takes, beside the goals.
 *
 * ```sh
 * deno run --v8-flags=--expose-gc bench/ksync/bench.ts
 * ```
 *
 * The engine runs alone: a scripted sink takes every request and is answered by the loop. Each
 * figure is the median of several runs; the first runs warm the compiler up and do not count.
 *
 * @module
 */
import type { Fields } from "../../src/core/change.ts";
import { OK } from "../../src/transforms/ksync/answers.ts";
import type { Container } from "../../src/transforms/ksync/container.ts";
import { Engine } from "../../src/transforms/ksync/engine.ts";
import type { EngineOptions } from "../../src/transforms/ksync/machine.ts";

/** One line of the result. */
interface Figure {
  readonly question: string;
  readonly measure: string;
  readonly goal: string;
  readonly isMet: boolean | undefined;
}

/** Keeps the last requests until the loop answers them. */
class ScriptedSink {
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

const RUNS = 7;

function makeEngine(options: Partial<EngineOptions> = {}): [Engine, ScriptedSink, Container] {
  const sink = new ScriptedSink();
  const engine = new Engine(sink.host, options);
  return [engine, sink, engine.container("PORT_TABLE")];
}

function row(mtu: number, admin = "up"): Fields {
  return { state: "ok", netdev_oper_status: "up", admin_status: admin, mtu: String(mtu) };
}

function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Ethernet${index * 4}`);
}

/** The median of the measured runs, after two that warm up. */
function median(run: () => number): number {
  run();
  run();
  const results = Array.from({ length: RUNS }, run).sort((a, b) => a - b);
  return results[RUNS >> 1] ?? 0;
}

/** Events per second of a loop. */
function rate(count: number, loop: () => void): number {
  const start = performance.now();
  loop();
  return count / (performance.now() - start) * 1000;
}

function updatesInFlight(): number {
  const count = 1_000_000;
  const keys = keysOf(128);
  const rows = [row(1500), row(9100), row(1500, "down")];
  const [engine, sink, table] = makeEngine();
  for (const key of keys) engine.set(table, key, row(1));
  const result = rate(count, () => {
    for (let at = 0; at < count; at++) {
      engine.set(table, keys[at & 127] ?? "", rows[at % 3] ?? {});
    }
  });
  sink.answerAll(engine);
  return result;
}

/** Add, ack, change, ack, delete, ack: six events a life. */
function lives(): number {
  const count = 200_000;
  const keys = keysOf(128);
  const first = row(1500);
  const second = row(9100);
  const [engine, sink, table] = makeEngine();
  return rate(count, () => {
    for (let at = 0; at < count; at++) {
      const key = keys[at & 127] ?? "";
      engine.set(table, key, first);
      sink.answerAll(engine);
      engine.set(table, key, second);
      sink.answerAll(engine);
      engine.delete(table, key);
      sink.answerAll(engine);
    }
  });
}

/** A change and its answer, again and again: what a port that goes up and down costs. */
function changes(): number {
  const count = 400_000;
  const keys = keysOf(128);
  const rows = [row(1500), row(1500, "down")];
  const [engine, sink, table] = makeEngine();
  for (const key of keys) engine.set(table, key, row(1));
  sink.answerAll(engine);
  return rate(count, () => {
    for (let at = 0; at < count; at++) {
      engine.set(table, keys[at & 127] ?? "", rows[(at >> 7) & 1] ?? {});
      sink.answerAll(engine);
    }
  });
}

function adoptAndSweep(count: number): number {
  const keys = keysOf(count);
  const found = keys.map((_, index) => row(index));
  const sink = new ScriptedSink();
  const engine = new Engine(sink.host, {
    sweep: { afterMs: 0, intervalMs: 1, perInterval: count, maxWaitMs: 1e6, withoutEnd: false },
  });
  const table = engine.container("PORT_TABLE", { owns: () => true, needsScan: true });
  const start = performance.now();
  engine.beginScan(table);
  keys.forEach((key, at) => engine.found(table, key, found[at] ?? {}));
  engine.endScan(table);
  engine.dumpBegins();
  engine.dumpEnds();
  engine.tick(1);
  while (sink.slots.length > 0) sink.answerAll(engine);
  const took = performance.now() - start;
  if (table.size !== 0) throw new Error(`${table.size} entries are left`);
  return took;
}

function bytesPerKey(count: number): number {
  const [engine, sink, table] = makeEngine();
  // The keys and rows count as well: a source makes them for each change.
  const before = usedBytes();
  for (let index = 0; index < count; index++) {
    engine.set(table, `Ethernet${index * 4}`, row(1500 + index));
    if (sink.slots.length >= 200) sink.answerAll(engine);
  }
  sink.answerAll(engine);
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

function atLeast(question: string, value: number, goal: number | undefined): Figure {
  return {
    question,
    measure: `${Math.round(value / 1000).toLocaleString("en")} thousand/s`,
    goal: goal === undefined ? "–" : `≥ ${(goal / 1000).toLocaleString("en")} thousand/s`,
    isMet: goal === undefined ? undefined : value >= goal,
  };
}

function atMost(question: string, value: number, goal: number, unit: string): Figure {
  return {
    question,
    measure: `${Math.round(value).toLocaleString("en")} ${unit}`,
    goal: `≤ ${goal.toLocaleString("en")} ${unit}`,
    isMet: value <= goal,
  };
}

function print(figures: readonly Figure[]): void {
  const lines = figures.map(({ question, measure, goal, isMet }) => [
    question,
    measure,
    goal,
    isMet === undefined ? "" : isMet ? "met" : "MISSED",
  ]);
  const all = [["question", "measure", "goal", ""], ...lines];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...all.map((line) => line[column]?.length ?? 0))
  );
  for (const line of all) {
    console.log(line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
  }
}

if (import.meta.main) {
  print([
    atLeast("update while a request is in flight, updates", median(updatesInFlight), 2_000_000),
    atLeast("add, ack, change, ack, delete, ack: lives", median(lives), 500_000),
    atLeast("change and its answer, changes", median(changes), undefined),
    ...[1000, 10_000, 100_000].map((count) =>
      atMost(`memory with four fields, ${count} keys`, bytesPerKey(count), 600, "bytes/key")
    ),
    atMost("100000 keys adopted and swept", median(() => adoptAndSweep(100_000)), 1000, "ms"),
  ]);
}
