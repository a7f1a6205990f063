/**
 * Lives through many netipc calls, connections and refusals in one process, and says what it had
 * of files, regions and memory after a warm-up and in the end. `tests/netipc_memory_test.ts` runs
 * it for a moment; for a long run:
 *
 * ```sh
 * deno run -A --v8-flags=--expose-gc tests/support/netipc_soak.ts 1000000 10000
 * ```
 *
 * @module
 */
import { SnapshotCache } from "../../src/netipc/cache.ts";
import { Client } from "../../src/netipc/client.ts";
import { SnapshotBuilder } from "../../src/netipc/codec/cgroups_snapshot.ts";
import { Method } from "../../src/netipc/codec/header.ts";
import { Server, type Service } from "../../src/netipc/server.ts";
import { HERE, INCREMENT } from "./netipc.ts";
import { serviceName } from "./peers.ts";

/** What a process has. */
export interface Holdings {
  readonly files: number;
  /** Regions of shared memory that are mapped. */
  readonly regions: number;
  /** All mapped parts of memory. */
  readonly maps: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

const PROFILES = ["uds", "shm"] as const;
const WARM_UP = 0.2;

/** Small, so that ten thousand regions are made in a moment. */
const LIMITS = { maxRequestBytes: 1024, maxRequestItems: 16, maxResponseBytes: 4096 };

const SNAPSHOT: Service = {
  method: Method.cgroupsSnapshot,
  handle(_request, response) {
    const builder = new SnapshotBuilder(response, 20);
    for (let hash = 0; hash < 20; hash++) {
      builder.add({ hash, options: 0, enabled: 1, name: `name ${hash}`, path: "/path" });
    }
    return builder.finish({ systemdEnabled: 1, generation: 1n });
  },
};

/** Takes the rubbish out, several times since some of it only then becomes rubbish. */
async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    const collect: unknown = Reflect.get(globalThis, "gc");
    if (typeof collect === "function") collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function holdings(): Promise<Holdings> {
  await collectGarbage();
  const maps = Deno.readTextFileSync("/proc/self/maps").split("\n");
  const { heapUsed, rss } = Deno.memoryUsage();
  return {
    files: [...Deno.readDirSync("/proc/self/fd")].length,
    regions: maps.filter((line) => line.includes(".ipcshm")).length,
    maps: maps.length,
    heapBytes: heapUsed,
    residentBytes: rss,
  };
}

/** One connection of each kind: used, refused, forgotten, and of a cache. */
async function connectOnce(numbers: string, snapshots: string): Promise<void> {
  for (const profile of PROFILES) {
    await using client = new Client({ ...HERE, ...LIMITS, service: numbers, profile });
    await client.refresh();
    if (await client.increment(1n) !== 2n) throw new Error("A wrong sum");
    await using cache = new SnapshotCache({ ...HERE, ...LIMITS, service: snapshots, profile });
    if (!await cache.refresh()) throw new Error("No snapshot");
  }
  await using refused = new Client({ ...HERE, ...LIMITS, service: numbers, authToken: 1n });
  await refused.refresh();
  if (refused.state !== "auth failed") throw new Error(refused.state);
  await using absent = new Client({ ...HERE, service: `${numbers}-absent` });
  await absent.refresh();
}

async function soak(calls: number, connects: number): Promise<Holdings[]> {
  const [numbers, snapshots] = [serviceName(), serviceName()];
  await using server = new Server({ ...HERE, ...LIMITS, service: numbers }, INCREMENT);
  await using other = new Server({ ...HERE, ...LIMITS, service: snapshots }, SNAPSHOT);
  void server.start();
  void other.start();
  const clients = PROFILES.map((profile) =>
    new Client({ ...HERE, ...LIMITS, service: numbers, profile })
  );
  const all: Holdings[] = [];
  try {
    await Promise.all(clients.map((client) => client.refresh()));
    const live = async (calls: number, connects: number) => {
      for (let i = 0; i < connects; i++) await connectOnce(numbers, snapshots);
      await Promise.all(clients.map(async (client) => {
        for (let i = 0; i < calls / clients.length; i++) await client.increment(BigInt(i));
      }));
      while (server.status().sessions > clients.length) await collectGarbage();
      all.push(await holdings());
    };
    await live(calls * WARM_UP, connects * WARM_UP);
    await live(calls * (1 - WARM_UP), connects * (1 - WARM_UP));
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
  return all;
}

if (import.meta.main) {
  const [calls = 0, connects = 0] = Deno.args.map(Number);
  console.log(JSON.stringify(await soak(calls, connects)));
}
