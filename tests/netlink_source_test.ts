import assert from "node:assert/strict";
import type { Context } from "../src/core/component.ts";
import type { NetlinkConfig } from "../schemas/netlink.ts";
import createNetlinkSource from "../src/sources/netlink/source.ts";
import { nativeLibrary } from "./support/native.ts";
import { canMakeNamespaces, createNetns, type Netns } from "./support/netns.ts";
import { Rows } from "./support/rows.ts";
import { RecordedTelemetry } from "./support/telemetry.ts";

const CONFIG: NetlinkConfig = {
  type: "netlink",
  interfaces: ["Ethernet*", "PortChannel*"],
  receive_buffer_bytes: 16 * 2 ** 20,
  linger_ms: 1,
};

interface Watched extends AsyncDisposable {
  readonly rows: Rows;
  readonly telemetry: RecordedTelemetry;
  resync(): void;
}

async function watch(netns: Netns, config: Partial<NetlinkConfig> = {}): Promise<Watched> {
  const telemetry = new RecordedTelemetry();
  const context: Context = {
    pipeline: "test",
    telemetry,
    library: await nativeLibrary(),
    namespace: netns.name,
    dryRun: false,
    acknowledge: "accepted",
    fail: (error) => {
      throw error;
    },
    resync: () => {},
  };
  const source = await createNetlinkSource({ ...CONFIG, ...config }, context);
  const rows = new Rows(source);
  await rows.until(() => rows.count("dump-end") > 0, "the first dump");
  return {
    rows,
    telemetry,
    resync: () => source.resync?.(),
    [Symbol.asyncDispose]: () => rows[Symbol.asyncDispose](),
  };
}

/** What `ip` says of the links, as rows. */
async function kernelRows(netns: Netns, prefix = "Ethernet"): Promise<Record<string, string>> {
  const links: unknown = JSON.parse(await netns.ip("-j", "link"));
  assert(Array.isArray(links));
  return Object.fromEntries(
    links.filter(({ ifname }) => ifname.startsWith(prefix) && !ifname.includes("."))
      .map(({ ifname, flags, mtu, operstate }) => {
        const up = flags.includes("UP");
        const running = up && (operstate === "UP" || operstate === "UNKNOWN");
        return [ifname, `${up ? "up" : "down"} ${running ? "up" : "down"} ${mtu}`];
      }),
  );
}

function rowsOf({ rows }: Rows): Record<string, string> {
  return Object.fromEntries(
    [...rows].map(([key, fields]) => [
      key,
      `${fields["admin_status"]} ${fields["netdev_oper_status"]} ${fields["mtu"]}`,
    ]),
  );
}

function equal(left: Record<string, string>, right: Record<string, string>): boolean {
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length &&
    keys.every((key) => left[key] === right[key]);
}

function netnsTest(name: string, fn: (netns: Netns) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !canMakeNamespaces,
    async fn() {
      await using netns = await createNetns();
      await fn(netns);
    },
  });
}

netnsTest("netlink dumps the links that exist, between its two marks", async (netns) => {
  await netns.addLinks(128, { up: true });
  await netns.ip("link", "set", "Ethernet8", "mtu", "9100");
  await netns.addLinks(1, { prefix: "eth" });
  await using watched = await watch(netns);
  assert.equal(watched.rows.marks[0], "dump-begin");
  assert.equal(watched.rows.marks.at(-1), "dump-end");
  assert.equal(watched.rows.rows.size, 128);
  assert.deepEqual(rowsOf(watched.rows), await kernelRows(netns));
  assert.deepEqual(watched.rows.rows.get("Ethernet8"), {
    state: "ok",
    netdev_oper_status: "up",
    admin_status: "up",
    mtu: "9100",
  });
  assert.equal(watched.telemetry.counters.get("netlink_dumps_total")?.value, 1);
  assert((watched.telemetry.gauges.get("netlink_receive_buffer_bytes")?.() ?? 0) > 2 ** 20);
});

netnsTest("netlink follows admin state, MTU, creation and deletion", async (netns) => {
  await netns.addLinks(2);
  await using watched = await watch(netns);
  await netns.batch([
    "link set Ethernet0 up",
    "link set Ethernet4 mtu 1400",
    "link add PortChannel1 type ifb",
  ]);
  await watched.rows.until(({ rows }) => rows.has("PortChannel1"), "the new link");
  assert.equal(watched.rows.rows.get("Ethernet0")?.["admin_status"], "up");
  assert.equal(watched.rows.rows.get("Ethernet4")?.["mtu"], "1400");
  await netns.ip("link", "del", "Ethernet0");
  await watched.rows.until(({ rows }) => !rows.has("Ethernet0"), "the deletion");
  assert.equal(watched.rows.rows.size, 2);
  assert(watched.rows.changes.every(({ time }) => Math.abs(Date.now() - time) < 60_000));
});

netnsTest("netlink says that a port without carrier is up and not running", async (netns) => {
  await netns.addLinks(1, { kind: "veth" });
  await using watched = await watch(netns);
  await netns.ip("link", "set", "Ethernet0", "up");
  const status = () => Object.values(rowsOf(watched.rows)).join();
  await watched.rows.until(() => status() === "up down 1500", "up without carrier");
  await netns.ip("link", "set", "p-Ethernet0", "up");
  await watched.rows.until(() => status() === "up up 1500", "up with carrier");
});

netnsTest("netlink moves the row of a renamed port, with the same id", async (netns) => {
  await netns.addLinks(1);
  await using watched = await watch(netns);
  const id = watched.rows.changes.at(-1)?.id;
  await netns.ip("link", "set", "Ethernet0", "name", "Ethernet100");
  await watched.rows.until(({ rows }) => rows.has("Ethernet100"), "the new name");
  assert.deepEqual([...watched.rows.rows.keys()], ["Ethernet100"]);
  assert.equal(watched.rows.changes.at(-1)?.id, id);
  await netns.ip("link", "set", "Ethernet100", "name", "eth100");
  await watched.rows.until(({ rows }) => rows.size === 0, "a name that is not followed");
});

netnsTest("netlink is right after two ports have exchanged their names", async (netns) => {
  await netns.addLinks(2);
  await netns.ip("link", "set", "Ethernet4", "mtu", "1400");
  await using watched = await watch(netns);
  await netns.batch([
    "link set Ethernet0 name tmp",
    "link set Ethernet4 name Ethernet0",
    "link set tmp name Ethernet4",
  ]);
  const want = await kernelRows(netns);
  assert.equal(want["Ethernet0"], "down down 1400");
  await watched.rows.until((rows) => equal(rowsOf(rows), want), "the exchange");
});

netnsTest("netlink keeps the row of a port that joins and leaves a bridge", async (netns) => {
  await netns.addLinks(1, { kind: "veth", up: true });
  await netns.ip("link", "add", "Bridge", "type", "bridge");
  await using watched = await watch(netns, { extra_fields: ["master"] });
  const master = () => watched.rows.rows.get("Ethernet0")?.["master"];
  await netns.ip("link", "set", "Ethernet0", "master", "Bridge");
  await watched.rows.until(() => master() !== "0", "the bridge's index");
  await netns.ip("link", "set", "Ethernet0", "nomaster");
  await watched.rows.until(() => master() === "0", "no master");
  assert(watched.rows.changes.every(({ op }) => op === "set"));
  assert((watched.telemetry.gauges.get("netlink_ignored_messages")?.() ?? 0) > 0);
});

netnsTest(
  "netlink reads everything again after an overrun, and is right in the end",
  async (netns) => {
    const ports = await netns.addLinks(64, { up: true });
    await using watched = await watch(netns, { receive_buffer_bytes: 64 * 1024 });
    const go = watched.rows.pause();
    const flaps = ports.flatMap((port, index) => [
      `link set ${port} down`,
      `link set ${port} mtu ${1300 + index}`,
      ...(index % 2 === 0 ? [`link set ${port} up`] : []),
    ]);
    await netns.batch([...flaps, ...flaps, "link del Ethernet12", "link add Ethernet999 type ifb"]);
    const want = await kernelRows(netns);
    go();
    await watched.rows.until((rows) => equal(rowsOf(rows), want), "rows equal to the kernel's");
    assert(watched.rows.count("lost") >= 1);
    assert(watched.rows.count("dump-end") >= 2);
    assert((watched.telemetry.counters.get("netlink_lost_total")?.value ?? 0) >= 1);
    assert((watched.telemetry.gauges.get("netlink_kernel_drops")?.() ?? 0) > 0);
    assert.match(watched.telemetry.messages("warn").join(), /Link events were lost because/);
  },
);

netnsTest("netlink dumps again when it is asked to", async (netns) => {
  await netns.addLinks(2);
  await using watched = await watch(netns);
  watched.resync();
  await watched.rows.until((rows) => rows.count("dump-end") === 2, "a second dump");
  assert.equal(watched.rows.count("lost"), 0);
  assert.equal(watched.telemetry.counters.get("netlink_resyncs_total")?.value, 1);
});

netnsTest("netlink leaves out names that cannot be keys and counts them", async (netns) => {
  await netns.ip("link", "add", "Ethernet|0", "type", "ifb");
  await netns.ip("link", "add", "Ethernet\x1b[2J", "type", "ifb");
  // Deno passes text only, so the shell makes the byte.
  await netns.exec("sh", "-c", `ip link add "$(printf 'Ethernet\\377')" type ifb`);
  await using watched = await watch(netns);
  assert.equal(watched.rows.rows.size, 0);
  assert.equal(watched.telemetry.counters.get("netlink_rejected_names_total")?.value, 3);
  const { properties } = await watched.telemetry.line(/name cannot be a key/);
  assert.equal(properties["name"], "Ethernet|0");
  await netns.ip("link", "set", "Ethernet|0", "name", "Ethernet0");
  await watched.rows.until(({ rows }) => rows.has("Ethernet0"), "the mended name");
  await netns.ip("link", "set", "Ethernet0", "name", "Ethernet|0");
  await watched.rows.until(({ rows }) => rows.size === 0, "no row");
});

netnsTest("netlink ends cleanly while events pour in", async (netns) => {
  const ports = await netns.addLinks(16, { up: true });
  const watched = await watch(netns);
  const rounds = Array.from({ length: 200 }, (_, round) => 1300 + round);
  const flaps = netns.batch(
    rounds.flatMap((mtu) => ports.map((port) => `link set ${port} mtu ${mtu}`)),
  );
  await watched.rows.until((rows) => rows.changes.length > 100, "some events");
  await watched[Symbol.asyncDispose]();
  await flaps;
});

netnsTest("netlink survives links that come and go during every dump", async (netns) => {
  await netns.addLinks(200);
  await using watched = await watch(netns);
  const churn = netns.batch(
    Array.from({ length: 80 }, (_, index) => [
      `link add PortChannel${index} type ifb`,
      `link del PortChannel${index}`,
    ]).flat(),
  );
  for (let round = 0; round < 5; round++) {
    const before = watched.rows.marks.length;
    watched.resync();
    await watched.rows.until(({ marks }) => marks.length > before, "a batch");
  }
  await churn;
  watched.resync();
  const want = await kernelRows(netns);
  await watched.rows.until((rows) => equal(rowsOf(rows), want), "rows equal to the kernel's");
});
