import { pause } from "../support/eventually.ts";
import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene, type Scene } from "../support/scene.ts";

/** Rounds of disturbances; `PORTSYNC_CHAOS_ROUNDS=100` looks for rarer faults. */
const ROUNDS = Number(Deno.env.get("PORTSYNC_CHAOS_ROUNDS") ?? 8);

/** `PORTSYNC_CHAOS_SEED` repeats the disturbances of a run that failed, though not its timing. */
const SEED = Number(Deno.env.get("PORTSYNC_CHAOS_SEED") ?? Date.now() % 1e6);

/** One thing that goes wrong or changes, while others do. */
type Disturbance = (scene: Scene, lot: Lot) => Promise<unknown>;

const DISTURBANCES: Readonly<Record<string, Disturbance>> = {
  "a mixed burst": ({ netns }, lot) => load(netns, "mixed", lot(3000), { seed: lot(1e6) }),
  "MTU changes": ({ netns }, lot) => load(netns, "mtu", lot(5000)),
  "a paced load": ({ netns }, lot) => load(netns, "mixed", lot(600), { rate: 1000 + lot(2000) }),
  "deleted and made links": ({ netns }, lot) => load(netns, "churn", 2 * lot(8), { up: true }),
  "exchanged names": ({ netns }, lot) => load(netns, "swap", 3 * lot(60)),
  "renamed links": async ({ netns }, lot) => {
    const count = lot(40);
    await load(netns, "rename", count);
    await netns.batch(Array.from({ length: count }, (_, at) => {
      return `link set r-Ethernet${at * 4} name Ethernet${at * 4}`;
    }));
  },
  "a stopped process": async (scene, lot) => {
    const pid = await scene.pipelinePid;
    Deno.kill(pid, "SIGSTOP");
    await pause(lot(300));
    Deno.kill(pid, "SIGCONT");
  },
  "a killed process": async (scene) => Deno.kill(await scene.pipelinePid, "SIGKILL"),
  "a frozen Redis": async ({ redis }, lot) => {
    redis.stop();
    await pause(lot(500));
    redis.cont();
  },
  "a restarted Redis": ({ redis }, lot) => redis.restart(lot(2) === 1 ? "empty" : "withData"),
  "a Redis without memory": async ({ redis }, lot) => {
    await redis.cli("CONFIG", "SET", "maxmemory", "1");
    await pause(lot(300));
    await redis.cli("CONFIG", "SET", "maxmemory", "0");
  },
  "a cut connection": ({ redis }) => redis.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
};

/** A whole number from 1 to its argument. */
type Lot = (most: number) => number;

function lotOf(seed: number): Lot {
  let state = seed * 2654435761 + 1;
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 1 + Math.floor(state / 2 ** 32 * most);
  };
}

Deno.test({
  name: `STATE_DB equals the kernel after each of ${ROUNDS} rounds of several disturbances at once`,
  ignore: !canMakeNamespaces,
  async fn() {
    await using scene = await createScene({
      source: { receive_buffer_bytes: 262_144 },
      ksync: { retry: { max_ms: 500 } },
      redis: { persist: true },
    });
    const lot = lotOf(SEED);
    const names = Object.keys(DISTURBANCES);
    for (let round = 1; round <= ROUNDS; round++) {
      const chosen = new Set([lot(names.length), lot(names.length), lot(names.length)]);
      const story = [...chosen].map((at) => names[at - 1] ?? "");
      const results = await Promise.allSettled(
        story.map((name) => DISTURBANCES[name]?.(scene, lot)),
      );
      try {
        // A process that was killed again and again is started again after half a minute.
        await scene.right({ withinMs: 60_000 });
      } catch (cause) {
        const refused = results.flatMap((result) => {
          return result.status === "rejected" ? [`; ${result.reason}`] : [];
        });
        throw new Error(
          `Round ${round} of seed ${SEED}: ${story.join(" and ")}${refused.join("")}`,
          { cause },
        );
      }
    }
    await scene.product.stop();
  },
});
