/**
 * What the product takes: CPU time, memory, time to start.
 *
 * @module
 */
import { pause } from "../../tests/support/eventually.ts";
import type { PortsyncOptions } from "../../tests/support/portsync.ts";
import { processInfo, proportionalMemory } from "../../tests/support/processes.ts";
import type { Scene } from "../../tests/support/scene.ts";
import { startProgram } from "../support/program.ts";

/** CPU seconds of the supervisor and all that it started, while `work` was done and written. */
export async function cpuDuring(scene: Scene, work: () => Promise<unknown>): Promise<number> {
  const pids = scene.product.pids();
  const cpu = () => pids.reduce((sum, pid) => sum + (processInfo(pid)?.cpu ?? NaN), 0);
  const before = cpu();
  await work();
  // A figure of the kernel is up to one tick behind.
  await pause(50);
  return cpu() - before;
}

/** Proportional set size of the supervisor and all that it started, MiB. */
export function memory(scene: Scene): number {
  const bytes = scene.product.pids().map(proportionalMemory).reduce((sum, pss) => sum + pss, 0);
  return bytes / 2 ** 20;
}

/**
 * Milliseconds from the start of the process to the last of 128 rows, in an empty Redis. The scene's
 * product is stopped before and runs afterwards.
 */
export async function startUp(scene: Scene, options: PortsyncOptions): Promise<number> {
  await scene.product.stop();
  await scene.redis.cli("FLUSHALL");
  await using watch = await startProgram("bench/end_to_end/rowwatch.c", [
    ...[scene.redis.socket, "6", "PORT_TABLE|*", "300"],
  ]);
  await watch.go();
  await scene.start(options);
  const { last = NaN, rows = 0 } = await watch.result();
  await scene.right({ holdMs: 0 });
  if (rows < 128) throw new Error(`Only ${rows} rows were written`);
  return last * 1000 - (performance.timeOrigin + scene.product.startedAt);
}

/** A cache for Deno that holds the packages and nothing that was compiled. */
export async function emptyCache(folder: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const info: { readonly npmCache?: unknown } = JSON.parse(new TextDecoder().decode(stdout));
  const cache = await Deno.makeTempDir({ dir: folder, prefix: "cache-" });
  await Deno.symlink(String(info.npmCache), `${cache}/npm`);
  return cache;
}
