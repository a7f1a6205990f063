import { load } from "../support/linkload.ts";
import { canMakeNamespaces, createNetns } from "../support/netns.ts";
import { createScene } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

Deno.test({
  name: "STATE_DB equals the kernel after all links were deleted, and after they were made again",
  ignore,
  async fn() {
    await using scene = await createScene();
    const names = Array.from({ length: 128 }, (_, port) => `Ethernet${port * 4}`);
    // One request for all of them, or the kernel waits for each.
    await scene.netns.batch([
      ...names.map((name) => `link set ${name} group 7`),
      "link del group 7",
    ]);
    await scene.right();
    await scene.netns.addLinks(128, { up: true });
    await scene.right();
    await scene.netns.batch([
      ...names.map((name) => `link set ${name} group 7`),
      "link del group 7",
    ]);
    await scene.netns.addLinks(128);
    await scene.right();
    await load(scene.netns, "churn", 40);
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "STATE_DB equals the kernel after a port was renamed, to and from a followed name",
  ignore,
  async fn() {
    await using scene = await createScene({ ports: 4 });
    await scene.netns.batch([
      "link set Ethernet0 down",
      "link set Ethernet0 name Ethernet100",
      "link set Ethernet4 name eth4",
      "link add eth8 type ifb",
      "link set eth8 name Ethernet200",
    ]);
    await scene.right();
    await scene.netns.batch([
      "link set eth4 name Ethernet4",
      "link set Ethernet100 name Ethernet0",
    ]);
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "STATE_DB equals the kernel after two ports exchanged their names",
  ignore,
  async fn() {
    await using scene = await createScene({ ports: 2 });
    await scene.netns.batch([
      "link set Ethernet0 mtu 9000",
      "link set Ethernet4 down",
      "link set Ethernet0 name other",
      "link set Ethernet4 name Ethernet0",
      "link set other name Ethernet4",
    ]);
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "STATE_DB equals the kernel after storms of renames and exchanged names on 128 ports",
  ignore,
  async fn() {
    await using scene = await createScene();
    await load(scene.netns, "mixed", 500);
    await load(scene.netns, "swap", 576);
    await scene.right();
    await load(scene.netns, "rename", 512);
    await load(scene.netns, "rename", 64);
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "A port that joins and leaves a bridge keeps its row",
  ignore,
  async fn() {
    await using scene = await createScene({ ports: 0 });
    await scene.netns.addLinks(4, { kind: "veth", up: true });
    await scene.netns.batch(["link add Bridge type bridge", "link set Bridge up"]);
    await scene.right();
    await scene.netns.ip("link", "set", "Ethernet0", "master", "Bridge");
    await scene.right();
    await scene.netns.ip("link", "set", "Ethernet0", "nomaster");
    await scene.right();
    const joinAndLeave = ["link set Ethernet4 master Bridge", "link set Ethernet4 nomaster"];
    await scene.netns.batch(Array.from({ length: 50 }, () => joinAndLeave).flat());
    await scene.right();
    await scene.netns.batch(["link set Ethernet8 master Bridge", "link del Bridge"]);
    await scene.right();
    await scene.product.stop();
  },
});

Deno.test({
  name: "A port whose cable is pulled, and one that moves to another namespace, are told apart",
  ignore,
  async fn() {
    await using scene = await createScene({ ports: 0 });
    await using elsewhere = await createNetns();
    await scene.netns.addLinks(3, { kind: "veth", up: true });
    await scene.right();
    await scene.netns.ip("link", "set", "p-Ethernet0", "down");
    await scene.netns.ip("link", "set", "Ethernet4", "netns", elsewhere.name);
    await scene.right();
    await elsewhere.ip("link", "set", "Ethernet4", "netns", scene.netns.name);
    await scene.right();
    await scene.product.stop();
  },
});
