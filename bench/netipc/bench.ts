/**
 * netipc in Deno against a pair in C over the same library, in the same run and with the same
 * pinning: a core for the server and a core for the client.
 *
 * ```sh
 * deno task bench netipc                            # everything, some nine minutes
 * deno task bench netipc --only=shm --seconds=1     # questions whose names hold this
 * deno task bench netipc --write                    # RESULTS.md and results.csv beside this file
 * ```
 *
 * Each number that is incremented asks for the answer to the last, and every answer is checked.
 * Messages with a limited rate are paced by sleeping, so that CPU is what they cost; such questions
 * are asked for half as long. The page and the CSV are only written by a complete run.
 *
 * @module
 */
import { asMarkdown, asText, type Figure, machineFacts, median } from "../support/figures.ts";
import { type Answer, buildPrograms, measure, type Pair, PAIRS, pairsOf } from "./pairs.ts";
import type { Question } from "./pairs.ts";

/** Messages a second. */
const RATES = [0, 100_000, 10_000];
const SLOW_RATES = [0, 1000];

const QUESTIONS: readonly Question[] = [
  ...ask("uds", "ping-pong", RATES),
  ...ask("shm", "ping-pong", RATES),
  ...ask("uds", "pipeline", RATES),
  ...ask("uds", "batch", RATES),
  ...ask("shm", "batch", RATES),
  ...ask("uds", "snapshot", SLOW_RATES),
  ...ask("shm", "snapshot", SLOW_RATES),
  ...ask("shm", "lookup", SLOW_RATES),
  ...ask("ring", "raw", RATES),
  ...ask("ring", "changes", RATES),
];

/** The part of the C pair's rate that a pair should reach. */
const GOALS: Readonly<Record<Question["profile"], Partial<Record<Pair, number>>>> = {
  uds: { "Deno→C": 0.95, "C→Deno": 0.8 },
  shm: { "Deno→C": 0.9, "C→Deno": 0.7 },
  ring: { "C→Deno": 0.8 },
};
/** Rates that stand for themselves. */
const LEAST: Partial<Record<Question["shape"], number>> = {
  lookup: 10_000_000,
  changes: 1_000_000,
};
/** What the reference says of its own C pair, as far as its machine tells anything about ours. */
const FLOORS: Readonly<Record<string, number>> = {
  "uds ping-pong": 120_000,
  "shm ping-pong": 1_000_000,
  "uds snapshot": 100_000,
  "shm snapshot": 1_000_000,
};
/** What the page says about its figures. */
const REMARKS = [
  "`A→B` is a client or producer in A and a server or consumer in B, each on a core of its own. The",
  "ceiling is the pair in C, over the same library and in turns with the others.",
  "",
  "Every answer is checked, on both sides: directories, items, and numbers that are a chain. A batch",
  "has 100 items, a pipeline 16 requests on their way, a snapshot 16 items of which one is read.",
  "Clients in Deno call `ask()`. Limits count messages, and CPU is the client's and the server's:",
  "between messages they sleep, but a server looks for the next one for 200 µs before it does.",
  "The latency of a ring is the age of the oldest record that a poll brings.",
];
const UNITS: Partial<Record<Question["shape"], string>> = {
  batch: "items/s",
  lookup: "lookups/s",
  raw: "records/s",
  changes: "records/s",
};

function ask(
  profile: Question["profile"],
  shape: Question["shape"],
  rates: readonly number[],
): Question[] {
  return rates.map((rate) => ({ profile, shape, rate }));
}

function nameOf({ profile, shape, rate }: Question): string {
  return `${profile} ${shape}${rate > 0 ? ` at ${rate.toLocaleString("en-US")}/s` : ""}`;
}

/** What a pair should reach: its own goal or floor, or its part of the ceiling. */
function goalOf({ profile, shape, rate }: Question, pair: Pair, ceiling: number): number {
  if (rate > 0) return 0;
  const floor = FLOORS[`${profile} ${shape}`] ?? 0;
  if (pair === "C→C") return floor;
  const least = LEAST[shape] ?? (GOALS[profile][pair] ?? 0) * ceiling;
  return ceiling >= floor ? Math.max(least, least > 0 ? floor : 0) : least;
}

function figuresOf(question: Question, answers: readonly Answer[]): Figure[] {
  const of = (pair: Pair) => answers.filter((answer) => answer.pair === pair);
  const rateOf = (pair: Pair) => median(of(pair).map(({ rate }) => rate));
  const hasCeiling = of("C→C").length > 0;
  const ceiling = hasCeiling ? rateOf("C→C") : 0;
  return PAIRS.filter((pair) => of(pair).length > 0).map((pair): Figure => {
    const own = of(pair);
    const at = (pick: (answer: Answer) => number) => median(own.map(pick)).toFixed(1);
    const note = `p50 ${at((a) => a.p50)}, p95 ${at((a) => a.p95)}, p99 ${at((a) => a.p99)} µs; ` +
      `CPU ${at((a) => a.clientCpu)} % and ${at((a) => a.serverCpu)} %`;
    const goal = goalOf(question, pair, ceiling);
    const compared = pair !== "C→C" && hasCeiling;
    return {
      what: `${nameOf(question)}: ${pair}`,
      unit: UNITS[question.shape] ?? "requests/s",
      values: own.map(({ rate }) => rate),
      note: compared ? `${Math.round(100 * rateOf(pair) / ceiling)} % of C; ${note}` : note,
      ...(goal > 0 && { goal: { atLeast: goal } }),
      ...(compared && { ceiling: { value: ceiling, of: "C→C" } }),
    };
  });
}

function asRows(answers: readonly Answer[]): string {
  const lines = answers.map(({ pair, question: { profile, shape, rate }, run, ...found }) =>
    [pair, profile, shape, rate, run, ...Object.values(found).map((value) => value.toFixed(3))]
      .join(",")
  );
  const head = "pair,profile,shape,limit,run,per_second,p50_us,p95_us,p99_us," +
    "client_cpu_percent,server_cpu_percent";
  return `${[head, ...lines].join("\n")}\n`;
}

async function main(args: readonly string[]): Promise<void> {
  const option = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const only = option("only") ?? "";
  const runs = Number(option("runs") ?? 3);
  const seconds = Number(option("seconds") ?? 2);
  const facts = await machineFacts();
  const programs = await buildPrograms();
  const answers: Answer[] = [];
  const figures: Figure[] = [];
  for (const question of QUESTIONS.filter((question) => nameOf(question).includes(only))) {
    const own: Answer[] = [];
    const time = question.rate > 0 ? seconds / 2 : seconds;
    // The pairs take turns, so that all of them see the same machine.
    for (let run = 1; run <= runs; run++) {
      for (const pair of pairsOf(question)) {
        own.push(await measure(programs, pair, question, run, time));
      }
    }
    answers.push(...own);
    figures.push(...figuresOf(question, own));
    console.log(asText(figuresOf(question, own)));
  }
  console.log(`${facts.join("\n")}\n\n${asText(figures)}`);
  if (!args.includes("--write")) return;
  if (only !== "") throw new Error("Only a complete run is written down");
  const page = [
    "# netipc",
    "",
    ...REMARKS,
    "",
    ...facts.map((fact) => `- ${fact}`),
    "",
    asMarkdown(figures),
  ];
  await Deno.writeTextFile(new URL("RESULTS.md", import.meta.url), `${page.join("\n")}\n`);
  await Deno.writeTextFile(new URL("results.csv", import.meta.url), asRows(answers));
}

if (import.meta.main) await main(Deno.args);
