/**
 * How fast a burst of link events becomes correct rows.
 *
 * @module
 */
import { load, type LoadMode } from "../../tests/support/linkload.ts";
import type { Netns } from "../../tests/support/netns.ts";
import type { Scene } from "../../tests/support/scene.ts";
import { startProgram } from "../support/program.ts";

/** A burst is over when no row has been written for this long, milliseconds. */
const QUIET_MS = 200;

/** What became of a burst. */
export interface Burst {
  /** Events a second, from the begin to the last row. */
  readonly rate: number;
  /** How often a row was written: what was left after coalescing. */
  readonly writes: number;
}

/**
 * Events that queued in the socket while the pipeline's process stood still: from the moment it may
 * go on to the last row.
 *
 * @throws {Error} when a row is wrong in the end
 */
export async function queuedBurst(scene: Scene, mode: LoadMode, count: number): Promise<Burst> {
  const pid = await scene.pipelinePid;
  await using watch = await startWatch(scene, pid);
  Deno.kill(pid, "SIGSTOP");
  try {
    await load(scene.netns, mode, count);
  } finally {
    await watch.go();
  }
  const { seconds = NaN, rows = NaN } = await watch.result();
  await scene.right({ holdMs: 0 });
  return { rate: count / seconds, writes: rows };
}

/** Events as fast as one writer makes them: from the first change to the last row. */
export async function liveBurst(scene: Scene, mode: LoadMode, count: number): Promise<Burst> {
  await using watch = await startWatch(scene);
  await watch.go();
  const { began } = await load(scene.netns, mode, count);
  const { last = NaN, rows = NaN } = await watch.result();
  await scene.right({ holdMs: 0 });
  return { rate: count / (last - began), writes: rows };
}

function startWatch(scene: Scene, pid?: number) {
  const args = [scene.redis.socket, "6", "PORT_TABLE|*", String(QUIET_MS)];
  const source = "bench/end_to_end/rowwatch.c";
  return startProgram(source, pid === undefined ? args : [...args, String(pid)]);
}

/** Messages a second of a loop in C that only takes them, all of them queued before. */
export async function drainQueued(netns: Netns, mode: LoadMode, count: number): Promise<number> {
  await using drain = await startProgram("bench/end_to_end/drain.c", [String(QUIET_MS)], netns);
  await load(netns, mode, count);
  await drain.go();
  const { seconds = NaN, messages = NaN } = await drain.result();
  return messages / seconds;
}

/** Changes a second that one writer makes while a loop in C takes the messages. */
export async function drainLive(netns: Netns, mode: LoadMode, count: number): Promise<number> {
  await using drain = await startProgram("bench/end_to_end/drain.c", [String(QUIET_MS)], netns);
  await drain.go();
  const { rate } = await load(netns, mode, count);
  await drain.result();
  return rate;
}

/** Commands a second of `redis-benchmark` with the payload of an MTU change, 64 in one write. */
export async function redisCeiling(scene: Scene): Promise<number> {
  const { stdout } = await new Deno.Command("redis-benchmark", {
    args: [
      ...["-s", scene.redis.socket, "--dbnum", "15", "-c", "1", "-P", "64", "-n", "200000"],
      ...["-r", "128", "--csv", "HSET", "PORT_TABLE|Ethernet__rand_int__", "mtu", "9100"],
    ],
    stderr: "null",
  }).output();
  const line = new TextDecoder().decode(stdout).trim().split("\n").at(-1) ?? "";
  await scene.redis.cli("-n", "15", "FLUSHDB");
  return Number(line.split('","')[1]?.replaceAll('"', ""));
}
