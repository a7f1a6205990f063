/**
 * A server and a client, each in C or in Deno, pinned to a core of its own.
 *
 * @module
 */
import { build } from "../../tools/build.ts";
import { linkProgram } from "../../tests/support/producer.ts";

/** Who is which side: `C→Deno` is a client in C and a server in Deno. */
export const PAIRS = ["C→C", "Deno→C", "C→Deno", "Deno→Deno"] as const;

/** Who is which side. */
export type Pair = typeof PAIRS[number];

/** What is asked, how and how often. */
export interface Question {
  readonly profile: "uds" | "shm";
  readonly shape: "ping-pong" | "pipeline" | "batch" | "snapshot" | "lookup";
  /** Requests a second; 0 as fast as it goes. */
  readonly rate: number;
}

/** What one client measured. */
export interface Answer {
  readonly pair: Pair;
  readonly question: Question;
  readonly run: number;
  /** Requests each second; items of a batch count. */
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
}

/** Builds what has to be built. */
export async function buildPrograms(): Promise<Programs> {
  await build();
  const deno = ["run", "-q", "--no-check", "-A", `${ROOT}bench/netipc/pair.ts`];
  return { C: [await linkProgram("bench/netipc/pair.c")], Deno: [Deno.execPath(), ...deno] };
}

function spawn(core: string, command: readonly string[], args: readonly string[]) {
  return new Deno.Command("taskset", {
    args: ["-c", core, ...command, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Runs a pair once. */
export async function measure(
  programs: Programs,
  pair: Pair,
  question: Question,
  run: number,
  seconds: number,
): Promise<Answer> {
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
    await asking.stdin.close();
    const { stdout, success } = await asking.output();
    if (!success) throw new Error(`${pair} ${profile} ${shape} failed`);
    const found = JSON.parse(new TextDecoder().decode(stdout));
    await serving.stdin.close();
    const { value } = await reader.read();
    const { cpu } = JSON.parse(new TextDecoder().decode(value));
    reader.releaseLock();
    await serving.stdout.cancel();
    return {
      ...{ pair, question, run, rate: found.requests / found.seconds },
      ...{ p50: found.p50, p95: found.p95, p99: found.p99 },
      clientCpu: 100 * found.cpu / found.seconds,
      serverCpu: 100 * cpu / found.seconds,
    };
  } finally {
    try {
      serving.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await serving.status;
    await Deno.remove(folder, { recursive: true });
  }
}
