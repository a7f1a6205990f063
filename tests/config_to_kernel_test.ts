/** The example that does to links what CONFIG_DB wants, with a real Redis and real links. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { eventually } from "./support/eventually.ts";
import { linkIs, shownLink } from "./support/links.ts";
import { load } from "./support/linkload.ts";
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
  // Ethernet4 is down already, so that nothing of it but the MTU has to be written.
  await linkIs(netns, "Ethernet4", { up: false, mtu: 1400 });
  await netns.ip("link", "set", "Ethernet4", "up");
  await linkIs(netns, "Ethernet4", { up: false, mtu: 1400 });
  await netns.ip("link", "del", "Ethernet4");
  await netns.ip("link", "add", "Ethernet4", "mtu", "1400", "type", "ifb");
  await netns.ip("link", "set", "Ethernet4", "up");
  await linkIs(netns, "Ethernet4", { up: false, mtu: 1400 });
}, {
  Ethernet0: ["admin_status", "up", "mtu", "9100"],
  Ethernet4: ["admin_status", "down", "mtu", "1400"],
});

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

exampleTest("links that others changed unseen in an overflow are put right", async (scene) => {
  const { netns, product, set } = scene;
  await netns.addLinks(64, { prefix: "Ethernet1" });
  const ports = Array.from({ length: 64 }, (_, n) => `Ethernet1${n * 4}`);
  for (const port of ports) await set(port, "mtu", "1400", "admin_status", "up");
  for (const port of ports) await linkIs(netns, port, { up: true, mtu: 1400 });
  const pid = await product.pipelinePid(PIPELINE);
  Deno.kill(pid, "SIGSTOP");
  try {
    // More than the 16 MiB of the socket's buffer take.
    await load(netns, "mtu", 20_000);
    await netns.ip("link", "set", "Ethernet1252", "down");
    await netns.ip("link", "del", "Ethernet10");
    await netns.ip("link", "add", "Ethernet10", "type", "ifb");
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
  await product.logged(/Link events were lost/);
  for (const port of ports) await linkIs(netns, port, { up: true, mtu: 1400 });
});

/** Numbers from 0 up to a bound that a failure can be repeated with. */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}

exampleTest(
  "whatever happens at the same time, links end as CONFIG_DB wants them",
  async (scene) => {
    const { netns, redis, set, cli } = scene;
    const seed = Date.now() % 1_000_000;
    const random = randomFrom(seed);
    const ports = Array.from({ length: 12 }, (_, n) => `Ethernet${n * 4}`);
    const masters = ["Bridge0", "Bridge1"];
    const wanted = new Map<string, { up: boolean; mtu: number; master: string }>();
    const one = <T>(list: readonly T[]): T => list[random(list.length)] ?? assert.fail();
    const configure = async (port: string) => {
      const row = { up: random(2) === 1, mtu: 1000 + random(500), master: one([...masters, ""]) };
      wanted.set(port, row);
      const { up, mtu, master } = row;
      await set(port, "admin_status", up ? "up" : "down", "mtu", String(mtu), "master", master);
    };
    const ignored = () => {};
    const steps: readonly (() => Promise<unknown>)[] = [
      () => configure(one(ports)),
      () => configure(one(ports)),
      () => netns.ip("link", "add", one(ports), "type", "ifb").catch(ignored),
      () => netns.ip("link", "del", one(ports)).catch(ignored),
      () => netns.ip("link", "add", one(masters), "type", "bridge").catch(ignored),
      () => netns.ip("link", "del", one(masters)).catch(ignored),
      () => netns.ip("link", "set", one(ports), "mtu", String(2000 + random(9))).catch(ignored),
      () => netns.ip("link", "set", one(ports), one(["up", "down"])).catch(ignored),
      () => netns.ip("link", "set", one(ports), "nomaster").catch(ignored),
      () => netns.ip("link", "set", one(ports), "name", one(ports)).catch(ignored),
      () => random(4) > 0 ? Promise.resolve() : redis.restart("withData"),
    ];
    for (const port of ports) await configure(port);
    for (let n = 0; n < 250; n++) await one(steps)();
    for (const name of masters) {
      await netns.ip("link", "add", name, "type", "bridge").catch(
        ignored,
      );
    }
    for (const port of ports) await netns.ip("link", "add", port, "type", "ifb").catch(ignored);
    for (const [port, { up, mtu, master }] of wanted) {
      try {
        await linkIs(netns, port, { up, mtu, master: master === "" ? undefined : master });
      } catch (error) {
        throw new Error(`With the seed ${seed}: ${await cli("HGETALL", `PORT|${port}`)}`, {
          cause: error,
        });
      }
    }
  },
);
