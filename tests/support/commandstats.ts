/**
 * Which commands a Redis was given.
 *
 * @module
 */
import type { RedisServer } from "./redis.ts";

/** Begins to count. */
export async function resetCalls(redis: RedisServer): Promise<void> {
  await redis.cli("CONFIG", "RESETSTAT");
}

/** How often each command was called since `resetCalls()`, by its name in small letters. */
export async function calls(redis: RedisServer): Promise<Map<string, number>> {
  const text = await redis.cli("INFO", "commandstats");
  const lines = text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  const counts = new Map(Array.from(lines, ([, name = "", count]) => [name, Number(count)]));
  for (const ours of ["info", "config|resetstat"]) counts.delete(ours);
  return counts;
}
