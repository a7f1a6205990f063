import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene, type SceneOptions } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

/** As the spec for a switch has it: only ports that orchagent has made are let through. */
const transforms: SceneOptions["transforms"] = [
  { type: "validate", ports: { database: "APPL_DB" } },
];

function names(first: number, end: number): string[] {
  return Array.from({ length: end - first }, (_, at) => `Ethernet${(first + at) * 4}`);
}

/** Lets APPL_DB know ports, as orchagent does. */
async function know(
  { redis }: { redis: { cli(...args: string[]): Promise<string> } },
  ports: string[],
) {
  for (const port of ports) {
    await redis.cli("-n", "0", "HSET", `PORT_TABLE:${port}`, "lanes", "1,2,3,4");
  }
}

for (const [how, notifyKeyspaceEvents] of [["", "AKE"], [" without notifications", ""]] as const) {
  Deno.test({
    name:
      `Rows of ports that become known late equal the kernel${how}, and unknown ports have none`,
    ignore,
    async fn() {
      const known = names(0, 8);
      await using scene = await createScene({
        ports: 24,
        transforms,
        known,
        redis: { notifyKeyspaceEvents },
        before: (scene) => know(scene, known),
      });
      await load(scene.netns, "mixed", 3000);
      await scene.right({ known: new Set(known) });
      await know(scene, names(8, 16));
      await scene.right({ known: new Set(names(0, 16)) });
      await load(scene.netns, "mtu", 3000);
      await scene.right({ known: new Set(names(0, 16)) });
      await scene.product.stop();
    },
  });
}

Deno.test({
  name: "Rows of ports that became known while Redis or the process was away equal the kernel",
  ignore,
  async fn() {
    const known = names(0, 8);
    await using scene = await createScene({
      ports: 24,
      transforms,
      known,
      source: { receive_buffer_bytes: 65_536 },
      redis: { persist: true },
      before: (scene) => know(scene, known),
    });
    await scene.redis.restart("withData");
    await know(scene, names(8, 12));
    await scene.right({ known: new Set(names(0, 12)) });
    const pid = await scene.pipelinePid;
    Deno.kill(pid, "SIGSTOP");
    await know(scene, names(12, 16));
    await load(scene.netns, "mixed", 1000);
    await scene.netns.ip("link", "del", "Ethernet0");
    Deno.kill(pid, "SIGCONT");
    await scene.right({ known: new Set(names(0, 16)) });
    Deno.kill(pid, "SIGKILL");
    await know(scene, names(16, 20));
    await load(scene.netns, "mixed", 1000);
    await scene.right({ known: new Set(names(0, 20)) });
    await scene.redis.restart("empty");
    await know(scene, names(0, 24));
    await load(scene.netns, "mtu", 1000);
    await scene.right({ known: new Set(names(0, 24)) });
    await scene.product.stop();
  },
});
