/**
 * A server and a client, or a producer and a consumer, each in C or in Deno, pinned to a core of
 * its own.
 *
 * @module
 */
import { build } from "../../tools/build.ts";
import { linkProgram } from "../../tests/support/producer.ts";
import { cpuSeconds } from "./latencies.ts";

/** Who is which side: `C→Deno` is a client or producer in C, and a server or consumer in Deno. */
export const PAIRS = ["C→C", "Deno→C", "C→Deno", "Deno→Deno"] as const;

/** Who is which side. */
export type Pair = typeof PAIRS[number];

/** What is asked, how and how often. */
export interface Question {
  readonly profile: "uds" | "shm" | "ring";
  readonly shape: "ping-pong" | "pipeline" | "batch" | "snapshot" | "lookup" | "raw" | "changes";
  /** Messages a second; 0 as fast as it goes. */
  readonly rate: number;
}

/** The pairs that a question makes sense for. */
export function pairsOf({ profile, shape }: Question): readonly Pair[] {
  if (shape === "lookup") return ["Deno→C"];
  if (shape === "changes") return ["C→Deno"];
  return profile === "ring" ? ["C→C", "C→Deno"] : PAIRS;
}

/** What one client measured. */
export interface Answer {
  readonly pair: Pair;
  readonly question: Question;
  readonly run: number;
  /** Requests or records each second; items of a batch count. */
  readonly rate: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Share of a core, in percent. */
  readonly clientCpu: number;
  readonly serverCpu: number;
}

const ROOT = new URL("../..", import.meta.url).pathname;
const SERVER_CORE = "1";
const CLIENT_CORE = "0";

/** The commands of both languages, each without its arguments. */
export interface Programs {
  readonly C: readonly string[];
  readonly Deno: readonly string[];
  readonly ringC: readonly string[];
  readonly ringDeno: readonly string[];
}

/** Builds what has to be built. */
export async function buildPrograms(): Promise<Programs> {
  await build();
  const deno = [Deno.execPath(), "run", "-q", "--no-check", "-A"];
  return {
    C: [await linkProgram("bench/netipc/pair.c")],
    Deno: [...deno, `${ROOT}bench/netipc/pair.ts`],
    ringC: [await linkProgram("bench/netipc/ring.c")],
    ringDeno: [...deno, `${ROOT}bench/netipc/ring.ts`],
  };
}

function spawn(core: string, command: readonly string[], args: readonly string[]) {
  return new Deno.Command("taskset", {
    args: ["-c", core, ...command, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** What the programs print at their end. */
interface Found {
  readonly requests: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly cpu: number;
}

async function endOf(process: Deno.ChildProcess, what: string): Promise<Found> {
  await process.stdin.close();
  const { stdout, success } = await process.output();
  if (!success) throw new Error(`${what} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function kill(process: Deno.ChildProcess): Promise<void> {
  try {
    process.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
  await process.status;
}

/** Runs a pair once. */
export async function measure(
  programs: Programs,
  pair: Pair,
  question: Question,
  run: number,
  seconds: number,
): Promise<Answer> {
  const ask = question.profile === "ring" ? measureRing : measureSession;
  const { requests, p50, p95, p99, ...found } = await ask(programs, pair, question, seconds);
  return {
    ...{ pair, question, run, rate: requests / found.seconds, p50, p95, p99 },
    clientCpu: 100 * found.clientCpu / found.seconds,
    serverCpu: 100 * found.serverCpu / found.seconds,
  };
}

/** Processor time of both sides, seconds. */
type Measured = Omit<Found, "cpu"> & { readonly clientCpu: number; readonly serverCpu: number };

async function measureRing(
  programs: Programs,
  pair: Pair,
  { shape, rate }: Question,
  seconds: number,
): Promise<Measured> {
  const path = `/dev/shm/portsync-bench-${crypto.randomUUID()}`;
  const producer = spawn(CLIENT_CORE, programs.ringC, ["produce", path, shape, `${rate}`]);
  try {
    const before = cpuSeconds(producer.pid);
    const consumer = pair === "C→C"
      ? spawn(SERVER_CORE, programs.ringC, ["consume", path, `${seconds}`])
      : spawn(SERVER_CORE, programs.ringDeno, [shape, path, `${seconds}`]);
    const found = await endOf(consumer, `The ring's consumer of ${shape}`);
    const clientCpu = cpuSeconds(producer.pid) - before;
    return { ...found, clientCpu, serverCpu: found.cpu };
  } finally {
    await producer.stdin.close();
    await producer.stdout.cancel();
    await kill(producer);
    await Deno.remove(path).catch(() => {});
  }
}

async function measureSession(
  programs: Programs,
  pair: Pair,
  question: Question,
  seconds: number,
): Promise<Measured> {
  const folder = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "portsync-bench-" });
  const [client, server] = pair.split("→");
  const { profile, shape, rate } = question;
  const number = profile === "uds" ? "1" : "2";
  const method = shape === "snapshot" || shape === "lookup" ? "2" : "1";
  const serving = spawn(SERVER_CORE, programs[server === "C" ? "C" : "Deno"], [
    ...["server", number, folder, "bench", method],
  ]);
  try {
    const reader = serving.stdout.getReader();
    await reader.read();
    const asking = spawn(CLIENT_CORE, programs[client === "C" ? "C" : "Deno"], [
      ...["client", number, folder, "bench", shape, `${seconds}`, `${rate}`],
    ]);
    const found = await endOf(asking, `${pair} ${profile} ${shape}`);
    await serving.stdin.close();
    const { value } = await reader.read();
    const { cpu } = JSON.parse(new TextDecoder().decode(value));
    reader.releaseLock();
    await serving.stdout.cancel();
    return { ...found, clientCpu: found.cpu, serverCpu: cpu };
  } finally {
    await kill(serving);
    await Deno.remove(folder, { recursive: true });
  }
}
