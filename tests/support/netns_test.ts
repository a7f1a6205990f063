import assert from "node:assert/strict";
import { canMakeNamespaces, createNetns } from "./netns.ts";

Deno.test({
  name: "createNetns() makes links of every kind and takes them away again",
  ignore: !canMakeNamespaces,
  async fn() {
    let name: string;
    {
      await using netns = await createNetns();
      name = netns.name;
      const ports = await netns.addLinks(3, { up: true });
      assert.deepEqual(ports, ["Ethernet0", "Ethernet4", "Ethernet8"]);
      await netns.addLinks(1, { prefix: "eth", kind: "veth", up: true });
      const links = await netns.ip("-br", "link");
      for (const link of [...ports, "eth0@p-eth0", "p-eth0@eth0"]) assert(links.includes(link));
      assert.match(await netns.exec("ip", "link", "show", "Ethernet4"), /,UP/);
      await assert.rejects(netns.batch(["link set Nothing up"]), /Cannot find device/);
    }
    const { stdout } = await new Deno.Command("ip", { args: ["netns"] }).output();
    assert(!new TextDecoder().decode(stdout).includes(name));
  },
});
