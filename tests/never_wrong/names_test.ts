import assert from "node:assert/strict";
import { canMakeNamespaces } from "../support/netns.ts";
import { createScene } from "../support/scene.ts";

const ignore = !canMakeNamespaces;

/** As `printf` writes them, since an argument of ours could not hold broken UTF-8. */
const NAMES = {
  "a separator": "Ethernet|1",
  "an escape": "Ethernet\\033[31m",
  "bytes that are no UTF-8": "Ethernet\\377\\376",
} as const;

for (const [what, name] of Object.entries(NAMES)) {
  Deno.test({
    name: `A link whose name holds ${what} makes no row, and disturbs no other`,
    ignore,
    async fn() {
      await using scene = await createScene({
        ports: 4,
        // No transform helps: the source must not say such a name.
        transforms: [],
        // One is there before the start, one comes later.
        before: ({ netns }) => netns.exec("sh", "-c", add(name)),
      });
      await scene.netns.exec("sh", "-c", `ip link del "$(printf '${name}')" && ${add(name)}`);
      await scene.netns.exec("sh", "-c", `ip link set "$(printf '${name}')" up mtu 1400`);
      await scene.netns.ip("link", "set", "Ethernet4", "mtu", "1400");
      await scene.right();
      const keys = await scene.cli("KEYS", "*");
      assert.deepEqual(
        keys.split("\n").sort(),
        [0, 12, 4, 8].map((n) => `PORT_TABLE|Ethernet${n}`),
      );
      // deno-lint-ignore no-control-regex -- a name must not reach a terminal as it is
      assert.doesNotMatch(scene.product.log, /[\u0000-\u0009\u000b-\u001f\ufffd]/);
      // A fit name under the same link must make a row.
      await scene.netns.exec("sh", "-c", `ip link set "$(printf '${name}')" down name Ethernet40`);
      await scene.right();
      await scene.netns.exec("sh", "-c", `ip link set Ethernet40 name "$(printf '${name}')"`);
      await scene.right();
      await scene.product.stop();
    },
  });
}

Deno.test({
  name: "Odd names that can be keys make rows like any other",
  ignore,
  async fn() {
    const names = [
      "Ethernet*1",
      "Ethernet[a]?",
      "Ethernet\"\\'{}",
      "Ethernetäöü",
      "Ethernet-15-chars",
    ];
    await using scene = await createScene({
      ports: 1,
      // Without patterns every link is followed.
      source: { interfaces: undefined },
      foreign: ["lo", "__proto__", "constructor"],
    });
    for (const name of ["__proto__", "constructor"]) {
      await scene.netns.ip("link", "add", name, "type", "ifb");
    }
    for (const name of names) {
      await scene.netns.ip("link", "add", name.slice(0, 15), "type", "ifb");
      await scene.netns.ip("link", "set", name.slice(0, 15), "up", "mtu", "9100");
    }
    await scene.right();
    for (const name of ["__proto__", "constructor"]) {
      assert.equal((await scene.rows()).get(name)?.["state"], "ok");
      await scene.netns.ip("link", "del", name);
    }
    for (const name of names) await scene.netns.ip("link", "del", name.slice(0, 15));
    await scene.right();
    await scene.netns.ip("link", "property", "add", "dev", "Ethernet0", "altname", "Ethernet4");
    await scene.netns.ip("link", "set", "Ethernet0", "alias", "Ethernet8");
    await scene.right();
    assert.deepEqual([...(await scene.rows()).keys()].sort(), ["Ethernet0", "lo"]);
    await scene.product.stop();
  },
});

function add(name: string): string {
  return `ip link add "$(printf '${name}')" type ifb`;
}
