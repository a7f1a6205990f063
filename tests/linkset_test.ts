import assert from "node:assert/strict";
import { RejectError, RetryLaterError, StopError } from "../src/core/errors.ts";
import { errnoOf } from "../ffi/errors.ts";
import { LinkSetter } from "../ffi/linkset.ts";
import { nativeLibrary } from "./support/native.ts";
import { canMakeNamespaces, createNetns, type Netns } from "./support/netns.ts";

async function linkOf(netns: Netns, name: string): Promise<Record<string, unknown>> {
  const [link]: unknown[] = JSON.parse(await netns.ip("-j", "link", "show", name));
  return Object(link);
}

function netnsTest(name: string, fn: (netns: Netns, setter: LinkSetter) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !canMakeNamespaces,
    async fn() {
      const library = await nativeLibrary();
      await using netns = await createNetns();
      await using setter = new LinkSetter({ library, namespace: netns.path });
      await fn(netns, setter);
    },
  });
}

netnsTest(
  "LinkSetter changes admin state, MTU and master, by name and by index",
  async (netns, setter) => {
    await netns.addLinks(2);
    await netns.ip("link", "add", "Bridge", "type", "bridge");
    const bridge = Number((await linkOf(netns, "Bridge"))["ifindex"]);
    const second = Number((await linkOf(netns, "Ethernet4"))["ifindex"]);
    assert.deepEqual(
      await setter.apply([
        { link: "Ethernet0", up: true, mtu: 9100 },
        { link: second, master: bridge },
        { link: "Ethernet4", mtu: 1400 },
      ]),
      [undefined, undefined, undefined],
    );
    const first = await linkOf(netns, "Ethernet0");
    assert(Array.isArray(first["flags"]) && first["flags"].includes("UP"));
    assert.equal(first["mtu"], 9100);
    assert.equal((await linkOf(netns, "Ethernet4"))["master"], "Bridge");
    assert.equal((await linkOf(netns, "Ethernet4"))["mtu"], 1400);
    await setter.apply([{ link: "Ethernet0", up: false }, { link: "Ethernet4", master: 0 }]);
    assert(!JSON.stringify(await linkOf(netns, "Ethernet0")).includes('"UP"'));
    assert.equal((await linkOf(netns, "Ethernet4"))["master"], undefined);
  },
);

netnsTest(
  "LinkSetter makes hundreds of changes and says which failed, in the kernel's words",
  async (netns, setter) => {
    await netns.addLinks(150, { step: 1 });
    await netns.addLinks(1, { prefix: "veth", kind: "veth" });
    const wishes = Array.from(
      { length: 151 },
      (_, port) => ({ link: `Ethernet${port}`, mtu: 1400 }),
    );
    const complaints = await setter.apply([...wishes, { link: "veth0", mtu: 10 }]);
    assert.deepEqual(complaints.slice(0, 150), new Array(150).fill(undefined));
    assert.equal(errnoOf(complaints[150]), 19);
    assert(complaints[151] instanceof StopError);
    assert.match(
      complaints[151].message,
      /Cannot change the link veth0: an argument is wrong \(EINVAL\); the kernel says: mtu less/,
    );
    const links: unknown[] = JSON.parse(await netns.ip("-j", "link"));
    assert.equal(links.filter((link) => Object(link)["mtu"] === 1400).length, 150);
  },
);

netnsTest("LinkSetter keeps back what no kernel would take", async (netns, setter) => {
  await netns.addLinks(1);
  const complaints = await setter.apply([
    { link: "Ethernet0" },
    { link: "", up: true },
    { link: "sixteen-letters!", up: true },
    { link: 0, up: true },
    { link: 1.5, up: true },
    { link: "Ethernet0", mtu: -1 },
    { link: "Ethernet0", master: 2 ** 31 },
    { link: "a\0b", up: true },
    { link: "Ethernet0", up: true },
  ]);
  assert(complaints.slice(0, 8).every((complaint) => complaint instanceof RejectError));
  assert.equal(complaints[8], undefined);
  assert.deepEqual(await setter.apply([]), []);
});

netnsTest(
  "LinkSetter makes calls that overlap in their order, and closes after them",
  async (netns, setter) => {
    await netns.addLinks(1);
    const calls = [1400, 1401, 1402].map((mtu) => setter.apply([{ link: "Ethernet0", mtu }]));
    await setter.close();
    assert.deepEqual(await Promise.all(calls), [[undefined], [undefined], [undefined]]);
    assert.equal((await linkOf(netns, "Ethernet0"))["mtu"], 1402);
    await assert.rejects(setter.apply([{ link: 1, up: true }]), /the handle is closed/);
  },
);

Deno.test("LinkSetter opens no namespace that was not granted", async () => {
  const library = await nativeLibrary();
  assert.throws(
    () => new LinkSetter({ library, namespace: "/proc/1/ns/net" }),
    (error) => error instanceof StopError && !(error instanceof RetryLaterError),
  );
});
