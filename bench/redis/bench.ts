/**
 * The Redis client against the server's own load generator and against node-redis: HSET of five
 * fields over 128 rows, one server of its own, all in one run.
 *
 * ```sh
 * deno task bench redis            # some 40 s
 * deno task bench redis --runs=1
 * deno task bench redis --write    # RESULTS.md and results.csv beside this file
 * ```
 *
 * `redis-benchmark` with one connection is the ceiling: it does nothing but keep the server busy.
 *
 * @module
 */
import { startRedis } from "../../tests/support/redis.ts";
import {
  asCsv,
  asMarkdown,
  asText,
  type Figure,
  machineFacts,
  median,
} from "../support/figures.ts";
import { codecFigures } from "./codec.ts";
import { ceiling, type Contestant, contestants } from "./contestants.ts";

/** How many commands go out together, and how many such groups at the same time. */
interface Shape {
  readonly name: string;
  readonly size: number;
  readonly lanes: number;
  /** Commands in one measurement. */
  readonly total: number;
  /** Commands for each second that our client should reach. */
  readonly goal?: number;
  /** Microseconds of CPU for each command that our client may take. */
  readonly cpuGoal?: number;
}

const SHAPES: readonly Shape[] = [
  { name: "one by one", size: 1, lanes: 1, total: 15_000 },
  { name: "pipelines of 100", size: 100, lanes: 1, total: 200_000, goal: 385_000 },
  {
    name: "pipelines of 1000",
    size: 1000,
    lanes: 1,
    total: 300_000,
    goal: 500_000,
    cpuGoal: 0.9,
  },
  {
    name: "four of 100 in flight",
    size: 100,
    lanes: 4,
    total: 400_000,
    goal: 660_000,
    cpuGoal: 0.9,
  },
];

/** What one measurement found. */
interface Measured {
  /** Commands each second. */
  readonly rate: number;
  /** Microseconds of this process for each command. */
  readonly cpu: number;
}

async function measure(contestant: Contestant, { size, lanes, total }: Shape): Promise<Measured> {
  let left = total;
  const lane = async () => {
    while (left > 0) {
      left -= size;
      await contestant.send(size);
    }
  };
  const cpu = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: lanes }, lane));
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: total / ms * 1000, cpu: (user + system) / total };
}

/** All contestants over one connection, in turns, so that all of them see the same machine. */
async function compare(
  place: string,
  url: string,
  shape: Shape,
  runs: number,
): Promise<Figure[]> {
  const best: number[] = [];
  const found = new Map<string, Measured[]>();
  for (let run = 0; run <= runs; run++) {
    if (run > 0) best.push(await ceiling(url, shape));
    for (const make of contestants) {
      await using contestant = await make(url);
      const measured = await measure(contestant, shape);
      // The first run warms the compiler up.
      if (run > 0) found.set(contestant.name, [...found.get(contestant.name) ?? [], measured]);
    }
  }
  const top = median(best);
  return [...found].flatMap(([name, list]) =>
    figures(`${place}, ${shape.name}`, name, list, top, shape)
  );
}

function figures(
  question: string,
  name: string,
  measured: readonly Measured[],
  top: number,
  { goal, cpuGoal }: Shape,
): Figure[] {
  const rates = measured.map(({ rate }) => rate);
  const isOurs = name === "our client";
  return [
    {
      what: `${question}: ${name}`,
      unit: "commands/s",
      values: rates,
      ceiling: { value: top, of: "redis-benchmark" },
      note: `${Math.round(median(rates) / top * 100)} % of the ceiling`,
      ...(isOurs && goal !== undefined ? { goal: { atLeast: goal } } : {}),
    },
    {
      what: `${question}: ${name}`,
      unit: "CPU µs/command",
      values: measured.map(({ cpu }) => cpu),
      ...(isOurs && cpuGoal !== undefined ? { goal: { atMost: cpuGoal } } : {}),
    },
  ];
}

async function main(args: readonly string[]): Promise<void> {
  const runs = Number(args.find((arg) => arg.startsWith("--runs="))?.slice("--runs=".length) ?? 3);
  const facts = await machineFacts();
  await using server = await startRedis({ tcp: true, notifyKeyspaceEvents: "" });
  const results: Figure[] = codecFigures(runs);
  for (const [place, url] of [["unix socket", server.url], ["TCP", server.tcpUrl]] as const) {
    for (const shape of SHAPES) results.push(...await compare(place, url, shape, runs));
  }
  console.log(`${facts.join("\n")}\n\n${asText(results)}`);
  if (!args.includes("--write")) return;
  const page = [
    "# The Redis client",
    "",
    ...facts.map((fact) => `- ${fact}`),
    "",
    asMarkdown(results),
  ];
  await Deno.writeTextFile(new URL("RESULTS.md", import.meta.url), `${page.join("\n")}\n`);
  await Deno.writeTextFile(new URL("results.csv", import.meta.url), asCsv(results));
}

if (import.meta.main) await main(Deno.args);
