/** Operators ask a running service about keys, and have it try and read again. */
import assert from "node:assert/strict";
import { ExitCode } from "../../src/core/errors.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { eventually } from "../support/eventually.ts";
import { linkIs } from "../support/links.ts";
import { canMakeNamespaces, createNetns } from "../support/netns.ts";
import { startRedis } from "../support/redis.ts";
import { makeFixture } from "./fixture.ts";

Deno.test("explain-key says what every pipeline of a service makes of a key", async () => {
  await using fixture = await makeFixture(["one", "two"]);
  await using command = await startCommand(["run", fixture.file]);
  assert.ok(await command.error.seen(/Pipeline one runs/));
  assert.ok(await command.error.seen(/Pipeline two runs/));
  await eventually(async () => {
    const { out } = await runCommand(["explain-key", fixture.file, "lo"]);
    return /^two state_db\n {2}PORT_TABLE\|lo IN_SYNC/m.test(out) ? undefined : out;
  });
  const { code, out, error } = await runCommand(["explain-key", fixture.file, "PORT_TABLE|lo"]);
  assert.equal(code, ExitCode.ok, error);
  assert.match(
    out,
    /^one state_db\n {2}PORT_TABLE\|lo IN_SYNC .*: the sink holds what is desired$/m,
  );
  assert.match(out, /^ {2}desired: .*mtu=\d+/m);
  assert.match(out, /^ {2}believed: .*mtu=\d+/m);
  assert.match(out, /^ {2}\d+.* ago: .* → IN_SYNC by ADD_ACK$/m);

  const one = await runCommand(["explain-key", fixture.file, "lo", "--pipeline", "two", "--json"]);
  const { key, pipelines } = JSON.parse(one.out);
  assert.equal(key, "lo");
  assert.deepEqual(pipelines.map(({ name }: { name: string }) => name), ["two"]);
  assert.equal(pipelines[0].stages[0].stage, "state_db");

  const unknown = await runCommand(["explain-key", fixture.file, "a\x1bb"]);
  assert.equal(unknown.code, ExitCode.unknown);
  assert.equal(unknown.out, "");
  assert.match(unknown.error, /^No running pipeline of .* knows a key "a\\x1bb"$/m);

  const idle = await runCommand(["retry", fixture.file, "lo"]);
  assert.equal(idle.code, ExitCode.unknown);
  assert.match(idle.error, /^Nothing of "lo" was set aside or waits/);

  const all = await runCommand(["resync", fixture.file]);
  assert.deepEqual([all.code, all.out], [
    ExitCode.ok,
    "one: the source is read again\ntwo: the source is read again\n",
  ]);
  const some = await runCommand(["resync", fixture.file, "two"]);
  assert.equal(some.out, "two: the source is read again\n");
  await eventually(async () => {
    const { out } = await runCommand(["status", "--folder", fixture.runtimeFolder]);
    const dumps = [...out.matchAll(/netlink_dumps_total=(\d+)/g)].map(([, count]) => Number(count));
    return dumps.length === 2 && dumps.every((count) => count >= 2) ? undefined : out;
  });
  const typo = await runCommand(["resync", fixture.file, "tow"]);
  assert.equal(typo.code, ExitCode.usage);
  assert.match(typo.error, /There is no pipeline "tow" in .*; did you mean two\?/);
  command.signal("SIGTERM");
  assert.equal((await command.finished()).code, ExitCode.ok);
});

Deno.test("a pipeline that runs alone can be asked too", async () => {
  await using fixture = await makeFixture(["one", "two"]);
  const explained = await runCommand(["explain", fixture.file, "--json"]);
  const [pipeline] = JSON.parse(explained.out).pipelines;
  await using command = await startCommand(pipeline.alone, { whole: true });
  assert.ok(await command.error.seen(/Pipeline one runs/), command.error.text);
  await eventually(async () => {
    const { out, error } = await runCommand(["explain-key", fixture.file, "lo"]);
    return /^one state_db\n/m.test(out) ? undefined : error;
  });
  const resync = await runCommand(["resync", fixture.file, "one"]);
  assert.equal(resync.out, "one: the source is read again\n");
  const other = await runCommand(["resync", fixture.file, "two"]);
  assert.equal(other.code, ExitCode.unavailable);
  assert.match(other.error, /Nothing of .*spec\.yaml runs here: nobody listens in/);
  command.signal("SIGTERM");
  await command.finished();
});

Deno.test("who asks what does not run is told how to start it, and what runs there instead", async () => {
  await using fixture = await makeFixture(["one"]);
  for (const words of [["explain-key", fixture.file, "lo"], ["retry", fixture.file, "lo"]]) {
    const { code, out, error } = await runCommand(words);
    assert.deepEqual([code, out], [ExitCode.unavailable, ""]);
    assert.match(error, /nobody listens in .*\. Start it with portsync run /);
  }
  await using command = await startCommand(["run", fixture.file]);
  assert.ok(await command.error.seen(/Pipeline one runs/));
  const other = `${fixture.folder}/other.yaml`;
  await Deno.copyFile(fixture.file, other);
  const { code, error } = await runCommand(["resync", other]);
  assert.equal(code, ExitCode.unavailable);
  assert.match(error, /Nothing of .*other\.yaml runs here: in .* runs ".*spec\.yaml"/);
  const broken = `${fixture.folder}/broken.yaml`;
  await Deno.writeTextFile(broken, "version: 2\n");
  assert.equal((await runCommand(["resync", broken])).code, ExitCode.config);
  command.signal("SIGTERM");
  await command.finished();
});

Deno.test({
  name: "a port that the kernel refused is explained in its words, and tried again when told",
  ignore: !canMakeNamespaces,
  async fn() {
    await using netns = await createNetns();
    await netns.addLinks(1, { prefix: "Ethernet10", kind: "veth" });
    await using redis = await startRedis();
    await using fixture = await makeFixture([], {
      "config-to-kernel": {
        namespace: netns.name,
        source: { type: "table", url: redis.url, database: "CONFIG_DB", table: "PORT" },
        transforms: [{ type: "ksync" }],
        sinks: [{ type: "kernel" }],
      },
    });
    await redis.cli("-n", "4", "HSET", "PORT|Ethernet100", "mtu", "66666", "admin_status", "up");
    await redis.cli("-n", "4", "HSET", "PORT|Ethernet4", "mtu", "1400");
    await using command = await startCommand(["run", fixture.file]);
    assert.ok(await command.error.seen(/Ethernet100.*mtu greater than device maximum/));
    const refused = await runCommand(["explain-key", fixture.file, "Ethernet100"]);
    assert.equal(refused.code, ExitCode.ok);
    assert.match(
      refused.out,
      /^config-to-kernel kernel\n {2}PORT\|Ethernet100 FAILED .*: set aside: The kernel refuses /m,
    );
    assert.match(refused.out, /^ {2}desired: .*mtu=66666/m);
    const absent = await runCommand(["explain-key", fixture.file, "PORT|Ethernet4"]);
    assert.match(absent.out, /BACKOFF .* attempt \d+ of a write in .*: There is no link Ethernet4/);

    const once = await runCommand(["retry", fixture.file, "Ethernet100"]);
    assert.deepEqual([once.code, once.out], [
      ExitCode.ok,
      "config-to-kernel: Ethernet100 is tried again\n",
    ]);
    await eventually(async () => {
      const { out } = await runCommand(["explain-key", fixture.file, "Ethernet100"]);
      return /FAILED → SYNC_WAIT by RETRY/.test(out) ? undefined : out;
    });
    await netns.ip("link", "add", "Ethernet4", "type", "ifb");
    await linkIs(netns, "Ethernet4", { mtu: 1400 });
    const resync = await runCommand(["resync", fixture.file]);
    assert.equal(resync.out, "config-to-kernel: the source is read again\n");
    const state = await runCommand(["state", fixture.file, "--json"]);
    const rows = state.out.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(rows.find(({ key }) => key === "Ethernet4")?.fields, {
      admin_status: "down",
      mtu: "1400",
      master: "",
    });
    command.signal("SIGTERM");
    assert.equal((await command.finished()).code, ExitCode.ok);
  },
});
