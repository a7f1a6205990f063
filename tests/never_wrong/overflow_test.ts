import { load } from "../support/linkload.ts";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene, type Scene } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

/** Runs something while the pipeline's process is stopped, so that its socket fills. */
async function whileStopped(scene: Scene, work: () => Promise<unknown>): Promise<void> {
  const pid = await scene.pipelinePid;
  Deno.kill(pid, "SIGSTOP");
  try {
    await work();
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
}

Deno.test({
  name:
    "STATE_DB equals the kernel after the process stood still until 16 MiB of events overflowed",
  ignore,
  async fn() {
    await using scene = await createScene();
    await whileStopped(scene, () => load(scene.netns, "mtu", 20_000));
    await scene.right();
    await scene.product.logged(/lost/i);
    await scene.product.stop();
  },
});

Deno.test({
  name: "Links that were deleted, made and renamed unseen in an overflow are right in STATE_DB",
  ignore,
  async fn() {
    await using scene = await createScene({ source: { receive_buffer_bytes: 65_536 } });
    await whileStopped(scene, async () => {
      await load(scene.netns, "updown", 500);
      await scene.netns.batch([
        "link del Ethernet0",
        "link del Ethernet8",
        "link add Ethernet8 type ifb",
        "link add Ethernet1000 type ifb",
        "link set Ethernet4 down",
        "link set Ethernet4 name Ethernet2000",
        "link set Ethernet2000 up mtu 9000",
      ]);
      await load(scene.netns, "swap", 192);
      await takeNumberOf(scene, "Ethernet20", "Ethernet3000");
    });
    await scene.product.logged(/lost/i);
    await scene.right();
    await scene.product.stop();
  },
});

/** Deletes a link and gives its ifindex to a new one, which looks like a rename. */
async function takeNumberOf({ netns }: Scene, old: string, name: string): Promise<void> {
  const [, index = ""] = /^(\d+):/.exec(await netns.ip("-o", "link", "show", old)) ?? [];
  await netns.ip("link", "del", old);
  await netns.ip("link", "add", "index", index, "name", name, "type", "ifb");
}

Deno.test({
  name: "STATE_DB equals the kernel when a small socket overflows again and again under load",
  ignore,
  async fn() {
    await using scene = await createScene({ source: { receive_buffer_bytes: 65_536 } });
    for (let round = 0; round < 5; round++) {
      await whileStopped(scene, () => load(scene.netns, "mixed", 1000, { seed: round + 1 }));
      await load(scene.netns, "mtu", 3000);
    }
    await scene.right();
    await scene.product.stop();
  },
});
