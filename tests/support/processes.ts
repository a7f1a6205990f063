/**
 * What the kernel says of processes, from /proc.
 *
 * @module
 */
import { eventually } from "./eventually.ts";

/** Clock ticks in a second: fixed for user space on every Linux architecture of ours. */
const TICKS = 100;

/** One process. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  /** `R`, `S`, `T` when stopped, `Z` when only its status is left. */
  readonly state: string;
  /** User and system time since it began, seconds, to the hundredth. */
  readonly cpu: number;
}

/** Reads one process; undefined when it is gone. */
export function processInfo(pid: number): ProcessInfo | undefined {
  const text = readOrNothing(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name in parentheses may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "?", parent = "0"] = fields;
  const cpu = (Number(fields[11]) + Number(fields[12])) / TICKS;
  return { pid, parent: Number(parent), state, cpu };
}

/** Stops a process (SIGSTOP) and waits until it stands still, which a signal alone does not. */
export async function stopProcess(pid: number): Promise<void> {
  Deno.kill(pid, "SIGSTOP");
  await eventually(() => processInfo(pid)?.state === "T" ? undefined : "It still runs", {
    everyMs: 1,
  });
}

/** The living processes below one, in the order of their numbers. */
export function descendants(pid: number): ProcessInfo[] {
  const all = [...Deno.readDirSync("/proc")]
    .filter(({ name }) => /^\d+$/.test(name))
    .map(({ name }) => processInfo(Number(name)))
    .filter((info) => info !== undefined)
    .filter(({ state }) => state !== "Z");
  const family = new Set([pid]);
  // A child's number may be below its parent's once numbers have wrapped, so look until none comes.
  for (let before = 0; before !== family.size;) {
    before = family.size;
    for (const info of all) if (family.has(info.parent)) family.add(info.pid);
  }
  return all.filter((info) => info.pid !== pid && family.has(info.pid));
}

/** Proportional set size: own memory, and of shared pages the part that falls to it, in bytes. */
export function proportionalMemory(pid: number): number {
  const text = readOrNothing(`/proc/${pid}/smaps_rollup`) ?? "";
  const kib = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1];
  if (kib === undefined) throw new Error(`There is no memory map of process ${pid}`);
  return Number(kib) * 1024;
}

/** The arguments of a process; empty when it is gone. */
export function commandLine(pid: number): string[] {
  return (readOrNothing(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, -1);
}

function readOrNothing(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined; // it ended between two looks
  }
}
