/** The example that does to links what CONFIG_DB wants, with a real Redis and real links. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { eventually } from "./support/eventually.ts";
import { linkIs, shownLink } from "./support/links.ts";
import { canMakeNamespaces, createNetns, type Netns } from "./support/netns.ts";
import { type Portsync, startPortsync } from "./support/portsync.ts";
import { type RedisServer, startRedis } from "./support/redis.ts";

const EXAMPLE = new URL("../examples/config_to_kernel.yaml", import.meta.url);
const PIPELINE = "config-to-kernel";

interface Scene {
  readonly netns: Netns;
  readonly redis: RedisServer;
  readonly product: Portsync;
  /** Sets fields of a port in CONFIG_DB. */
  set(port: string, ...fields: readonly string[]): Promise<void>;
  cli(...args: readonly string[]): Promise<string>;
}

/** The example, in this namespace and with this server. */
async function exampleFor(netns: Netns, redis: RedisServer) {
  const spec = Object(parse(await Deno.readTextFile(EXAMPLE)));
  const pipeline = Object(spec.pipelines)[PIPELINE];
  return {
    pipelines: {
      [PIPELINE]: {
        ...pipeline,
        namespace: netns.name,
        source: { ...pipeline.source, url: redis.url },
      },
    },
  };
}

function exampleTest(
  name: string,
  run: (scene: Scene) => Promise<void | "ended">,
  before: Readonly<Record<string, readonly string[]>> = {},
): void {
  Deno.test({
    name,
    ignore: !canMakeNamespaces,
    async fn() {
      await using netns = await createNetns();
      await netns.addLinks(3);
      await using redis = await startRedis({ persist: true });
      const cli = (...args: readonly string[]) => redis.cli("-n", "4", ...args);
      const set = async (port: string, ...fields: readonly string[]) => {
        await cli("HSET", `PORT|${port}`, ...fields);
      };
      for (const [port, fields] of Object.entries(before)) await set(port, ...fields);
      await using product = await startPortsync(await exampleFor(netns, redis));
      try {
        if (await run({ netns, redis, product, set, cli }) === "ended") return;
      } catch (error) {
        console.error(product.log);
        throw error;
      }
      await product.stop();
    },
  });
}

exampleTest("admin state, MTU and master follow CONFIG_DB", async ({ netns, set, cli }) => {
  await linkIs(netns, "Ethernet0", { up: true, mtu: 9100 });
  await netns.ip("link", "add", "Bridge", "type", "bridge");
  await set("Ethernet4", "admin_status", "up", "mtu", "1400", "master", "Bridge", "alias", "eth4");
  await linkIs(netns, "Ethernet4", { up: true, mtu: 1400, master: "Bridge" });
  await set("Ethernet0", "admin_status", "down");
  await linkIs(netns, "Ethernet0", { up: false, mtu: 9100 });
  await cli("HDEL", "PORT|Ethernet4", "master", "mtu");
  await linkIs(netns, "Ethernet4", { up: true, mtu: 1400, master: undefined });
  await cli("DEL", "PORT|Ethernet4");
  await set("Ethernet8", "mtu", "1300");
  await linkIs(netns, "Ethernet8", { mtu: 1300 });
  assert.deepEqual(await shownLink(netns, "Ethernet4"), { up: true, mtu: 1400, master: undefined });
}, { Ethernet0: ["admin_status", "up", "mtu", "9100", "lanes@", "0,1"] });

exampleTest(
  "links go on as they are while Redis is away, and follow it when it is back",
  async (scene) => {
    const { netns, redis, product, set } = scene;
    await linkIs(netns, "Ethernet0", { mtu: 9100 });
    await redis.kill();
    await product.logged(/CONFIG_DB.*(lost|closed|away|connect)/);
    // What the kernel is told of does not wait for Redis.
    await netns.ip("link", "set", "Ethernet0", "mtu", "1500");
    await linkIs(netns, "Ethernet0", { mtu: 9100 });
    await redis.start();
    await set("Ethernet0", "mtu", "1400");
    await linkIs(netns, "Ethernet0", { mtu: 1400 });
    await redis.restart("empty");
    await set("Ethernet4", "mtu", "1300");
    await linkIs(netns, "Ethernet4", { mtu: 1300 });
    await linkIs(netns, "Ethernet0", { mtu: 1400 });
  },
  { Ethernet0: ["mtu", "9100"] },
);

exampleTest("a link that is deleted and made again is set up again at once", async (scene) => {
  const { netns, set } = scene;
  await netns.ip("link", "add", "Bridge", "type", "bridge");
  await set("Ethernet0", "admin_status", "up", "mtu", "9100", "master", "Bridge");
  await linkIs(netns, "Ethernet0", { up: true, mtu: 9100, master: "Bridge" });
  await netns.ip("link", "del", "Ethernet0");
  // Long enough that the next attempts would be far apart.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const since = performance.now();
  await netns.ip("link", "add", "Ethernet0", "type", "ifb");
  await linkIs(netns, "Ethernet0", { up: true, mtu: 9100, master: "Bridge" });
  const took = performance.now() - since;
  assert(took < 5000, `it took ${took} ms`);
  await netns.ip("link", "del", "Bridge");
  await linkIs(netns, "Ethernet0", { up: true, master: undefined });
  await netns.ip("link", "add", "Bridge", "type", "bridge");
  await linkIs(netns, "Ethernet0", { master: "Bridge" });
  await set("Ethernet12", "mtu", "1234", "admin_status", "up");
  await netns.addLinks(1, { prefix: "tmp" });
  await netns.ip("link", "set", "tmp0", "name", "Ethernet12");
  await linkIs(netns, "Ethernet12", { up: true, mtu: 1234 });
});

exampleTest(
  "an MTU that the kernel refuses is reported in its words, and holds up no other port",
  async (scene) => {
    const { netns, product, set } = scene;
    await netns.addLinks(1, { prefix: "Ethernet10", kind: "veth" });
    await set("Ethernet100", "admin_status", "up", "mtu", "66666");
    await product.logged(/Ethernet100.*mtu greater than device maximum/);
    await linkIs(netns, "Ethernet100", { up: true, mtu: 1500 });
    await set("Ethernet0", "mtu", "1400");
    await linkIs(netns, "Ethernet0", { mtu: 1400 });
    await set("Ethernet100", "mtu", "1600");
    await linkIs(netns, "Ethernet100", { up: true, mtu: 1600 });
    await set("Ethernet4", "mtu", "many", "admin_status", "up");
    await product.logged(/Ethernet4.*mtu is a number of bytes, and not .*many/);
    await linkIs(netns, "Ethernet4", { up: true });
  },
);

exampleTest("what others change is put right, but not by spinning", async (scene) => {
  const { netns, product } = scene;
  await linkIs(netns, "Ethernet0", { up: true, mtu: 9100 });
  await netns.ip("link", "set", "Ethernet0", "mtu", "1500");
  await linkIs(netns, "Ethernet0", { up: true, mtu: 9100 });
  await product.logged(/Somebody else has changed a row/);
  await netns.ip("link", "set", "Ethernet0", "down");
  await linkIs(netns, "Ethernet0", { up: true });
}, { Ethernet0: ["admin_status", "up", "mtu", "9100"] });

exampleTest(
  "a restart with nothing changed leaves every link alone",
  async ({ netns, product, redis }) => {
    await linkIs(netns, "Ethernet0", { up: true, mtu: 9100 });
    await product.kill();
    const events = netns.command("ip", ["monitor", "link"], { stdout: "piped" }).spawn();
    let text = "";
    const reading = events.stdout.pipeThrough(new TextDecoderStream())
      .pipeTo(new WritableStream({ write: (part) => void (text += part) }));
    let mtu = 1000;
    await eventually(async () => {
      await netns.ip("link", "set", "Ethernet8", "mtu", String(++mtu));
      return text.includes("Ethernet8") ? undefined : "the monitor does not listen yet";
    });
    await using again = await startPortsync(await exampleFor(netns, redis));
    await redis.cli("-n", "4", "HSET", "PORT|Ethernet4", "mtu", "1300");
    await linkIs(netns, "Ethernet4", { mtu: 1300 });
    await eventually(() => /Ethernet4:.*mtu 1300/.test(text) ? undefined : text);
    events.kill();
    await events.status;
    await reading;
    assert(!text.includes("Ethernet0"), text);
    await again.stop();
    return "ended";
  },
  { Ethernet0: ["admin_status", "up", "mtu", "9100"] },
);
