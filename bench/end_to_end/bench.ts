/**
 * The main job, measured from end to end: kernel links of a namespace, the product as an operator
 * starts it, a Redis as SONiC sets it up. Needs root, and a quiet machine for figures to believe.
 *
 * ```sh
 * deno task bench end_to_end                  # everything, some five minutes
 * deno task bench end_to_end latency --runs=1 # some parts
 * deno task bench end_to_end --write          # RESULTS.md and results.csv beside this file
 * ```
 *
 * @module
 */
import type { LoadMode } from "../../tests/support/linkload.ts";
import { load } from "../../tests/support/linkload.ts";
import { pause } from "../../tests/support/eventually.ts";
import { createScene, type Scene } from "../../tests/support/scene.ts";
import {
  asCsv,
  asMarkdown,
  asText,
  type Figure,
  machineFacts,
  median,
} from "../support/figures.ts";
import { drainLive, drainQueued, liveBurst, queuedBurst, redisCeiling } from "./burst.ts";
import { type Latency, latency, relayLatency } from "./latency.ts";
import { cpuDuring, emptyCache, memory, startUp } from "./resources.ts";
import { decodeOnly, scale } from "./scale.ts";

/** What every part is given. */
interface Bench {
  /** 128 ports that are up, a Redis, and the product between them, its rows right. */
  readonly scene: Scene;
  readonly runs: number;
  /** A folder that is removed in the end. */
  readonly folder: string;
}

type Part = (bench: Bench) => Promise<Figure[]>;

const KINDS: readonly (readonly [string, LoadMode])[] = [["MTU", "mtu"], ["up/down", "updown"]];

/** Repeats a measurement. */
async function repeat(runs: number, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let run = 0; run < runs; run++) values.push(await measure());
  return values;
}

/** Bursts that queued in the socket, and bursts that go on while they are written. */
async function bursts({ scene, runs }: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [kind, mode] of KINDS) {
    for (const count of [3000, 12_000]) {
      const ceiling = median(await repeat(runs, () => drainQueued(scene.netns, mode, count)));
      const writes: number[] = [];
      const values = await repeat(runs, async () => {
        const burst = await queuedBurst(scene, mode, count);
        writes.push(burst.writes);
        return burst.rate;
      });
      figures.push({
        what: `queued burst, ${count} ${kind}`,
        unit: "events/s",
        values,
        ...(mode === "mtu" ? { goal: { atLeast: 150_000 } } : {}),
        ceiling: { value: ceiling, of: "C drains the socket" },
        note: `${median(writes)} writes`,
      });
    }
    const ceiling = median(await repeat(runs, () => drainLive(scene.netns, mode, 20_000)));
    const writes: number[] = [];
    const values = await repeat(runs, async () => {
      const burst = await liveBurst(scene, mode, 20_000);
      writes.push(burst.writes);
      return burst.rate;
    });
    figures.push({
      what: `live burst, 20000 ${kind}`,
      unit: "events/s",
      values,
      ceiling: { value: ceiling, of: "the writer, C drains" },
      note: `${median(writes)} writes`,
    });
  }
  const redis = await repeat(runs, () => redisCeiling(scene));
  figures.push({ what: "ceiling: redis-benchmark, same payload", unit: "writes/s", values: redis });
  return figures;
}

/** A single change. */
async function singles({ scene, runs }: Bench): Promise<Figure[]> {
  const count = 2000;
  const ours: Latency[] = [];
  for (let run = 0; run < runs; run++) ours.push(await latency(scene, count));
  await scene.product.stop();
  const bare: Latency[] = [];
  for (let run = 0; run < runs; run++) bare.push(await relayLatency(scene, count));
  await scene.start();
  await scene.right();
  const least = (of: (one: Latency) => number) => ({
    value: median(bare.map(of)),
    of: "a relay in C",
  });
  return [
    {
      what: "link change to row, p50 over the kernel's own answer",
      unit: "times",
      values: ours.map((one) => one.ratio),
      goal: { atMost: 2.3 },
      ceiling: least((one) => one.ratio),
    },
    { what: "the kernel's own answer, p50", unit: "µs", values: ours.map((one) => one.answer.p50) },
    ...(["p50", "p95", "p99"] as const).map((at): Figure => ({
      what: `link change to row, ${at}`,
      unit: "µs",
      values: ours.map((one) => one.row[at]),
      ...(at === "p99" ? { goal: { atMost: 1500 } } : {}),
      ceiling: least((one) => one.row[at]),
    })),
  ];
}

/** CPU time of our processes. */
async function cpu({ scene, runs }: Bench): Promise<Figure[]> {
  const per10k = (count: number, mode: LoadMode, rate?: number) =>
    repeat(runs, async () => {
      const spent = await cpuDuring(scene, async () => {
        await load(scene.netns, mode, count, rate === undefined ? {} : { rate });
        await scene.right({ holdMs: 0 });
      });
      return spent * 10_000 / count;
    });
  const unit = "CPU s";
  return [
    {
      what: "10,000 MTU changes, paced at 2000/s",
      unit,
      values: await per10k(10_000, "mtu", 2000),
      goal: { atMost: 0.4 },
    },
    {
      what: "10,000 MTU changes, burst",
      unit,
      values: await per10k(20_000, "mtu"),
      goal: { atMost: 0.15 },
    },
    {
      what: "10,000 up/down changes, burst",
      unit,
      values: await per10k(20_000, "updown"),
      goal: { atMost: 0.15 },
    },
  ];
}

/** From the start of the process to the complete table. */
async function start({ scene, runs, folder }: Bench): Promise<Figure[]> {
  const warm = await repeat(runs * 2 + 1, () => startUp(scene, {}));
  const empty = await repeat(runs, async () => {
    return startUp(scene, { cacheFolder: await emptyCache(folder) });
  });
  await scene.product.stop();
  await scene.start();
  await scene.right();
  return [
    {
      what: "start to 128 rows, warm cache",
      unit: "ms",
      values: warm.slice(1),
      goal: { atMost: 120 },
    },
    { what: "start to 128 rows, empty cache", unit: "ms", values: empty, goal: { atMost: 200 } },
  ];
}

/** Memory after load, and what it takes when there is nothing to do. */
async function rest({ scene, runs }: Bench): Promise<Figure[]> {
  const sizes: number[] = [];
  for (let run = 0; run < runs; run++) {
    await load(scene.netns, "mixed", 20_000);
    await load(scene.netns, "mtu", 20_000);
    await scene.right();
    sizes.push(memory(scene));
  }
  // V8 tidies up for half a minute after there was much to do.
  await pause(40_000);
  const later = memory(scene);
  // In whole ticks of the kernel; sums of such fractions are a little more.
  const idle = Number((await cpuDuring(scene, () => pause(20_000))).toFixed(2));
  const unit = "MiB";
  return [
    { what: "PSS of all our processes right after load", unit, values: sizes },
    { what: "PSS half a minute later", unit, values: [later], goal: { atMost: 64 } },
    { what: "CPU in 20 idle seconds", unit: "CPU s", values: [idle], goal: { atMost: 0.01 } },
  ];
}

/** What an event costs with more ports, above the native layer. */
async function scales({ runs }: Bench): Promise<Figure[]> {
  const events = 400_000;
  const figures: Figure[] = [{
    what: "ceiling: records decoded, nothing else",
    unit: "million/s",
    values: await repeat(runs, () => Promise.resolve(decodeOnly(events))),
  }];
  let base = NaN;
  for (const ports of [128, 1000, 10_000, 100_000]) {
    const costs = [];
    for (let run = 0; run < runs; run++) costs.push(await scale(ports, events));
    const perEvent = costs.map(({ event }) => event);
    if (ports === 128) base = median(perEvent);
    const name = `${ports.toLocaleString("en-US")} ports`;
    figures.push({
      what: `event above the native layer, ${name}`,
      unit: "µs",
      values: perEvent,
      ...(ports === 128 ? {} : { goal: { atMost: 2 * base } }),
    });
    // With few ports the heap's own ups and downs are larger.
    if (ports >= 1000) {
      const values = costs.map(({ port }) => port);
      figures.push({ what: `memory of a port, ${name}`, unit: "bytes", values });
    }
  }
  return figures;
}

const PARTS: Readonly<Record<string, Part>> = {
  bursts,
  latency: singles,
  cpu,
  start,
  rest,
  scale: scales,
};

async function main(args: readonly string[]): Promise<number> {
  const runs = Number(args.map((arg) => /^--runs=(\d+)$/.exec(arg)?.[1]).find(Boolean) ?? 5);
  const names = args.filter((arg) => !arg.startsWith("--"));
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined || Deno.uid() !== 0) {
    console.error(
      `Usage, as root: end_to_end [${Object.keys(PARTS).join("|")}]… [--runs=N] [--write]`,
    );
    return 64;
  }
  const facts = await machineFacts();
  const folder = await Deno.makeTempDir({ prefix: "portsync-bench-" });
  const figures: Figure[] = [];
  try {
    // A binary of its own shares no memory with other programs, which would flatter the product.
    const deno = `${folder}/deno`;
    await Deno.copyFile(Deno.execPath(), deno);
    await using scene = await createScene({ product: { deno } });
    for (const name of names.length > 0 ? names : Object.keys(PARTS)) {
      const part = await PARTS[name]?.({ scene, runs, folder }) ?? [];
      console.log(`\n${name}\n${asText(part)}`);
      figures.push(...part);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  console.log(`\n${facts.join("\n")}`);
  if (args.includes("--write")) await write(figures, facts, runs);
  return 0;
}

async function write(
  figures: readonly Figure[],
  facts: readonly string[],
  runs: number,
): Promise<void> {
  const path = new URL("RESULTS.md", import.meta.url).pathname;
  const page = await Deno.readTextFile(path).catch(() => "");
  const head = page.split("<!-- figures -->")[0] ?? "";
  const text = `${head}<!-- figures -->\n\nMedians of ${runs} runs.\n\n` +
    `${facts.map((fact) => `- ${fact}`).join("\n")}\n\n${asMarkdown(figures)}\n`;
  await Deno.writeTextFile(path, text);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", path] }).output();
  await Deno.writeTextFile(new URL("results.csv", import.meta.url), asCsv(figures));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
