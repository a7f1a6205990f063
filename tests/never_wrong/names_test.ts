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

function add(name: string): string {
  return `ip link add "$(printf '${name}')" type ifb`;
}
