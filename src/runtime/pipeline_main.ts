/**
 * The process of one pipeline, started by a supervisor with exactly the pipeline's grant.
 *
 * The first line on standard input says what to do, further lines are orders; reports go to
 * standard output. When standard input ends, the supervisor is gone and so is this process.
 *
 * @module
 */
import { ExitCode, StopError } from "../core/errors.ts";
import { errorText } from "../observe/record.ts";
import { type Job, runJob } from "./jobs.ts";
import { LineSplitter, LineWriter } from "./lines.ts";
import {
  type Assignment,
  HEARTBEAT_MS,
  LONGEST_ORDER,
  type Order,
  readAssignment,
  readOrder,
  type Report,
} from "./protocol.ts";

/** How many characters of reports may wait for a slow supervisor. */
const MOST_WAITING = 8 * 1024 * 1024;

/** How long the last words may take, milliseconds. */
const LAST_WORDS_MS = 500;

const output = new LineWriter(Deno.stdout, MOST_WAITING);

function say(report: Report): void {
  output.send(report);
}

/** Says why, and ends this process. */
async function end(exitCode: number, error?: string): Promise<never> {
  say({ say: "end", exit_code: exitCode, ...(error === undefined ? {} : { error }) });
  await Promise.race([
    output.flush(),
    new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS)),
  ]);
  Deno.exit(exitCode);
}

function fail(error: unknown): Promise<never> {
  if (error instanceof StopError) return end(error.exitCode, error.message);
  const place = error instanceof Error ? /\n\s+(at .*)/.exec(error.stack ?? "")?.[1] : undefined;
  const where = place === undefined ? "" : ` (${place})`;
  return end(ExitCode.internal, `A fault of portsync: ${errorText(error)}${where}`);
}

/** Does what the first line says. */
function begin(assignment: Assignment): Promise<Job> {
  return runJob(assignment, {
    emit: (record) => say({ say: "log", record }),
    onRows: (rows) => say({ say: "rows", rows }),
    onRunning: () => say({ say: "running" }),
    onEnd: (exitCode, error) => void end(exitCode, error),
  });
}

function obey(order: Order, job: Job): void {
  if (order.do === "stop") {
    job.stop(performance.now() + order.within_ms);
    return;
  }
  const { id, question } = order;
  try {
    say({ say: "answer", id, result: job.answer(question) });
  } catch (error) {
    say({ say: "refuse", id, error: errorText(error) });
  }
}

/** Reads orders until there is nobody to give them any more. */
async function listen(): Promise<void> {
  const splitter = new LineSplitter(LONGEST_ORDER);
  const buffer = new Uint8Array(64 * 1024);
  let job: Promise<Job> | undefined;
  for (;;) {
    const size = await Deno.stdin.read(buffer);
    if (size === null) return;
    for (const line of splitter.push(buffer.subarray(0, size))) {
      if (job === undefined) {
        job = begin(readAssignment(line));
        job.catch(fail);
      } else {
        const order = readOrder(line);
        void job.then((started) => obey(order, started), () => {});
      }
    }
  }
}

if (import.meta.main) {
  // A terminal sends Ctrl-C to every process; only the supervisor decides what follows from it.
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => {});
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    void fail(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    void fail(event.error);
  });
  setInterval(() => say({ say: "beat" }), HEARTBEAT_MS);
  try {
    await listen();
    Deno.exit(ExitCode.ok);
  } catch (error) {
    await fail(error);
  }
}
