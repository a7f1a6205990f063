/**
 * Link changes of the real kernel by the tens of thousands, made by `bench/support/linkload.c`.
 *
 * @module
 */
import { buildProgram } from "./build_c.ts";
import type { Netns } from "./netns.ts";

/** What to change; `bench/support/linkload.c` says more of each. */
export type LoadMode =
  | "updown"
  | "mtu"
  | "mixed"
  | "rename"
  | "swap"
  | "create"
  | "delete"
  | "churn";

/** How to change it. */
export interface LoadOptions {
  /** Links whose names begin so; default `Ethernet`. */
  readonly prefix?: string;
  /** Changes a second; as fast as the kernel takes them when left out. */
  readonly rate?: number;
  /** Requests for each system call; default 64, and 1 with `rate`. */
  readonly batch?: number;
  /** Of the lot that `mixed` draws. */
  readonly seed?: number;
  /** Whether `create` and `churn` make links that are up. */
  readonly up?: boolean;
  /** Ends after this many seconds, finished or not; default 60. */
  readonly limitSeconds?: number;
}

/** What was changed. */
export interface LoadResult {
  readonly changes: number;
  /** When the first was made, seconds since the epoch. */
  readonly began: number;
  readonly seconds: number;
  /** Changes a second. */
  readonly rate: number;
  /** From a system call to the kernel's answer, in microseconds. */
  readonly answer: { readonly p50: number; readonly p99: number };
}

/**
 * Makes `count` changes and waits for their end.
 *
 * @throws {Error} with the kernel's complaint when one was refused, or time was over
 */
export async function load(
  netns: Netns,
  mode: LoadMode,
  count: number,
  options: LoadOptions = {},
): Promise<LoadResult> {
  const program = await buildProgram("bench/support/linkload.c");
  const args = [
    ...(options.prefix === undefined ? [] : ["-p", options.prefix]),
    ...(options.rate === undefined ? [] : ["-r", String(options.rate)]),
    ...(options.batch === undefined ? [] : ["-b", String(options.batch)]),
    ...(options.seed === undefined ? [] : ["-s", String(options.seed)]),
    ...(options.up ? ["-u"] : []),
    ...(options.limitSeconds === undefined ? [] : ["-t", String(options.limitSeconds)]),
    mode,
    String(count),
  ];
  const { success, stdout, stderr } = await netns.command(program, args, {
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  const printed = text.decode(stdout).trim();
  if (!success) {
    throw new Error(`linkload ${args.join(" ")}: ${text.decode(stderr).trim()}${printed}`);
  }
  return readResult(printed);
}

function readResult(line: string): LoadResult {
  const result: Record<string, unknown> = Object(JSON.parse(line));
  const answer: Record<string, unknown> = Object(result["answer_us"]);
  return {
    changes: Number(result["changes"]),
    began: Number(result["began"]),
    seconds: Number(result["seconds"]),
    rate: Number(result["rate"]),
    answer: { p50: Number(answer["p50"]), p99: Number(answer["p99"]) },
  };
}
