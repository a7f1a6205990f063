/**
 * netipc in Deno against a pair in C over the same library, in the same run and with the same
 * pinning: a core for the server and a core for the client.
 *
 * ```sh
 * deno task bench netipc                            # everything, some 12 minutes
 * deno task bench netipc --only=shm --seconds=1     # questions whose names hold this
 * deno task bench netipc --write                    # RESULTS.md and results.csv beside this file
 * ```
 *
 * Each number that is incremented asks for the answer to the last, and the end of the chain is
 * checked. The page and the CSV are only written by a complete run.
 *
 * @module
 */
import { asMarkdown, asText, type Figure, machineFacts, median } from "../support/figures.ts";
import { type Answer, buildPrograms, measure, type Pair, PAIRS, type Question } from "./pairs.ts";
import { ringFigures } from "./ring.ts";

const QUESTIONS: readonly Question[] = [
  ...(["uds", "shm"] as const).flatMap((profile) =>
    [0, 100_000, 10_000].map((rate) => ({ profile, shape: "ping-pong" as const, rate }))
  ),
  { profile: "uds", shape: "pipeline", rate: 0 },
  ...(["uds", "shm"] as const).flatMap((profile) => [
    { profile, shape: "batch" as const, rate: 0 },
    { profile, shape: "snapshot" as const, rate: 0 },
    { profile, shape: "snapshot" as const, rate: 1000 },
  ]),
  { profile: "shm", shape: "lookup", rate: 0 },
];

/** The part of the C pair's rate that a pair should reach. */
const GOALS: Readonly<Record<Question["profile"], Partial<Record<Pair, number>>>> = {
  uds: { "Deno→C": 0.95, "C→Deno": 0.8 },
  shm: { "Deno→C": 0.9, "C→Deno": 0.7 },
};
const LOOKUPS = 10_000_000;

function nameOf({ profile, shape, rate }: Question): string {
  return `${profile} ${shape}${rate > 0 ? ` at ${rate.toLocaleString("en-US")}/s` : ""}`;
}

function figuresOf(question: Question, answers: readonly Answer[]): Figure[] {
  const name = nameOf(question);
  const of = (pair: Pair) => answers.filter((answer) => answer.pair === pair);
  const ceilings = of("C→C");
  const ceiling = median(ceilings.map(({ rate }) => rate));
  return PAIRS.filter((pair) => of(pair).length > 0).map((pair): Figure => {
    const own = of(pair);
    const at = (pick: (answer: Answer) => number) => median(own.map(pick)).toFixed(1);
    const note = `p50 ${at((a) => a.p50)}, p95 ${at((a) => a.p95)}, p99 ${at((a) => a.p99)} µs; ` +
      `CPU ${at((a) => a.clientCpu)} % and ${at((a) => a.serverCpu)} %`;
    const part = question.rate > 0 ? undefined : GOALS[question.profile][pair];
    const goal = question.shape === "lookup" ? LOOKUPS : part === undefined ? 0 : part * ceiling;
    return {
      what: `${name}: ${pair}`,
      unit: "requests/s",
      values: own.map(({ rate }) => rate),
      note: pair === "C→C" || ceilings.length === 0
        ? note
        : `${Math.round(100 * median(own.map(({ rate }) => rate)) / ceiling)} % of C; ${note}`,
      ...(goal > 0 && { goal: { atLeast: goal } }),
      ...(pair !== "C→C" && ceilings.length > 0 && { ceiling: { value: ceiling, of: "C→C" } }),
    };
  });
}

function asRows(answers: readonly Answer[]): string {
  const lines = answers.map(({ pair, question: { profile, shape, rate }, run, ...found }) =>
    [pair, profile, shape, rate, run, ...Object.values(found).map((value) => value.toFixed(3))]
      .join(",")
  );
  const head = "client→server,profile,shape,limit,run,requests_per_second,p50_us,p95_us,p99_us," +
    "client_cpu_percent,server_cpu_percent";
  return `${[head, ...lines].join("\n")}\n`;
}

async function main(args: readonly string[]): Promise<void> {
  const option = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const only = option("only") ?? "";
  const runs = Number(option("runs") ?? 3);
  const seconds = Number(option("seconds") ?? 3);
  const facts = await machineFacts();
  const programs = await buildPrograms();
  const answers: Answer[] = [];
  const figures: Figure[] = [];
  for (const question of QUESTIONS.filter((question) => nameOf(question).includes(only))) {
    const pairs = question.shape === "lookup" ? (["Deno→C"] as const) : PAIRS;
    const own: Answer[] = [];
    // The pairs take turns, so that all of them see the same machine.
    for (let run = 1; run <= runs; run++) {
      for (const pair of pairs) own.push(await measure(programs, pair, question, run, seconds));
    }
    answers.push(...own);
    figures.push(...figuresOf(question, own));
    console.log(asText(figuresOf(question, own)));
  }
  if ("ring".includes(only)) figures.push(...await ringFigures(runs, seconds));
  console.log(`${facts.join("\n")}\n\n${asText(figures)}`);
  if (!args.includes("--write")) return;
  if (only !== "") throw new Error("Only a complete run is written down");
  const page = ["# netipc", "", ...facts.map((fact) => `- ${fact}`), "", asMarkdown(figures)];
  await Deno.writeTextFile(new URL("RESULTS.md", import.meta.url), `${page.join("\n")}\n`);
  await Deno.writeTextFile(new URL("results.csv", import.meta.url), asRows(answers));
}

if (import.meta.main) await main(Deno.args);
