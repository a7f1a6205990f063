/** The kernel sink's view of the links, when events are lost and dumps interrupted. */
import assert from "node:assert/strict";
import { LinkFollower } from "../src/sinks/kernel/link_follower.ts";
import { buildProgram } from "./support/build_c.ts";
import { eventually } from "./support/eventually.ts";
import { nativeLibrary } from "./support/native.ts";
import { canMakeNamespaces, createNetns } from "./support/netns.ts";
import { RecordedTelemetry } from "./support/telemetry.ts";

Deno.test({
  name: "LinkFollower reads all links again when events were lost, and tells only when it knows",
  ignore: !canMakeNamespaces,
  async fn() {
    const library = await nativeLibrary();
    const program = await buildProgram("bench/support/linkload.c");
    await using netns = await createNetns();
    await netns.addLinks(32, { step: 1 });
    const telemetry = new RecordedTelemetry();
    const stop = new AbortController();
    const told = new Map<string, string | undefined>();
    await using follower = new LinkFollower({
      library,
      namespace: netns.path,
      receiveBytes: 65_536,
      log: telemetry.log,
      onTurn: (news, links) => {
        for (const name of news.keys()) told.set(name, links.row(name)?.["mtu"]);
        return undefined;
      },
    });
    const running = follower.run(stop.signal);
    await follower.known;
    assert(follower.links.size >= 33);
    for (let round = 1; round <= 3; round++) {
      // Nothing else runs in this process meanwhile, so the socket overflows.
      const args = ["mtu", "3000"];
      const { success } = netns.command(program, args, { stdout: "null", stderr: "null" })
        .outputSync();
      assert(success);
      await netns.ip("link", "del", `Ethernet${round}`);
      await netns.ip("link", "set", "Ethernet0", "mtu", String(5000 + round));
      await eventually(() =>
        told.get("Ethernet0") === String(5000 + round) && told.get(`Ethernet${round}`) === undefined
          ? undefined
          : JSON.stringify([...told])
      );
    }
    assert.match(
      telemetry.messages("warn").join(),
      /Link events were lost; all links are read again/,
    );
    const links: unknown[] = JSON.parse(await netns.ip("-j", "link"));
    for (const link of links) {
      const { ifname, mtu } = Object(link);
      assert.equal(follower.links.row(ifname)?.["mtu"], String(mtu), ifname);
    }
    assert.equal(follower.links.size, links.length);
    stop.abort();
    await running;
  },
});

Deno.test({
  name: "LinkFollower that is stopped before it knew anything says so to who waits",
  ignore: !canMakeNamespaces,
  async fn() {
    const library = await nativeLibrary();
    await using netns = await createNetns();
    await using follower = new LinkFollower({
      library,
      namespace: netns.path,
      log: new RecordedTelemetry().log,
      onTurn: () => undefined,
    });
    const stop = new AbortController();
    stop.abort();
    await follower.run(stop.signal);
    await assert.rejects(follower.known, /socket was closed/);
  },
});
