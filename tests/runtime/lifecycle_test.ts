import assert from "node:assert/strict";
import { ExitCode } from "../../src/core/errors.ts";
import { runCommand, type RunningCommand, startCommand } from "../support/command.ts";
import { eventually } from "../support/eventually.ts";
import { load } from "../support/linkload.ts";
import { canMakeNamespaces, createNetns } from "../support/netns.ts";
import { commandLine, descendants, processInfo } from "../support/processes.ts";
import { makeFixture, pipelineName } from "./fixture.ts";

/** Waits until these pipelines run below a supervisor, and gives their processes. */
async function pipelines(
  command: RunningCommand,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  for (const name of names) {
    assert.ok(await command.error.seen(new RegExp(`Pipeline ${name} runs`)), command.error.text);
  }
  const found = new Map<string, number>();
  await eventually(() => {
    for (const { pid } of descendants(command.pid)) {
      const name = pipelineName(commandLine(pid));
      if (name !== undefined) found.set(name, pid);
    }
    return names.every((name) => found.has(name)) ? undefined : command.error.text;
  });
  return found;
}

function isGone(pid: number): boolean {
  return commandLine(pid).length === 0;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends every pipeline in order and the service with 0`, async () => {
    await using fixture = await makeFixture(["one", "two"]);
    await using command = await startCommand(["run", fixture.file]);
    const running = await pipelines(command, ["one", "two"]);
    command.signal(signal);
    const { code, error } = await command.finished();
    assert.equal(code, ExitCode.ok, error);
    assert.ok([...running.values()].every(isGone));
    assert.doesNotMatch(error, /WARN|ERROR/);
  });
}

Deno.test("Ctrl-C reaches every process of a terminal's group, and still ends them in order", async () => {
  await using fixture = await makeFixture(["one"]);
  await using command = await startCommand(["run", fixture.file]);
  const running = await pipelines(command, ["one"]);
  for (const pid of running.values()) Deno.kill(pid, "SIGINT");
  command.signal("SIGINT");
  const { code, error } = await command.finished();
  assert.equal(code, ExitCode.ok);
  assert.doesNotMatch(error, /WARN|ERROR/);
});

Deno.test("a killed pipeline is started again and its neighbour is not disturbed", async () => {
  await using fixture = await makeFixture(["one", "two"]);
  await using command = await startCommand(["run", fixture.file]);
  const before = await pipelines(command, ["one", "two"]);
  Deno.kill(before.get("one") ?? 0, "SIGKILL");
  assert.ok(await command.error.seen(/Pipeline one ended .*SIGKILL[^]*Pipeline one runs/));
  const after = await pipelines(command, ["one", "two"]);
  assert.notEqual(after.get("one"), before.get("one"));
  assert.equal(after.get("two"), before.get("two"));
  command.signal("SIGTERM");
  assert.equal((await command.finished()).code, ExitCode.ok);
});

Deno.test("a killed supervisor leaves no pipeline after one second", async () => {
  await using fixture = await makeFixture(["one", "two"]);
  await using command = await startCommand(["run", fixture.file]);
  const running = await pipelines(command, ["one", "two"]);
  command.signal("SIGKILL");
  await command.finished();
  await eventually(
    () => [...running.values()].every(isGone) ? undefined : "a pipeline is still there",
    { withinMs: 1000 },
  );
});

Deno.test({
  name: "a killed supervisor leaves no pipeline after one second, however busy that is",
  ignore: !canMakeNamespaces,
  async fn() {
    await using netns = await createNetns();
    await netns.addLinks(64, { up: true });
    await using fixture = await makeFixture([]);
    await Deno.writeTextFile(
      fixture.file,
      JSON.stringify({
        version: 1,
        service: { runtime_folder: fixture.runtimeFolder },
        pipelines: {
          busy: {
            namespace: netns.name,
            source: { type: "netlink" },
            transforms: [{ type: "ksync" }],
            sinks: [{ type: "state_db", url: `sqlite:${fixture.store("busy")}` }],
          },
        },
      }),
    );
    await using command = await startCommand(["run", fixture.file]);
    const [pid = 0] = (await pipelines(command, ["busy"])).values();
    const burst = load(netns, "mixed", 20_000);
    const cpu = () => processInfo(pid)?.cpu ?? 0;
    const before = cpu();
    await eventually(() => cpu() > before + 0.1 ? undefined : "it is not busy yet");
    command.signal("SIGKILL");
    await eventually(() => isGone(pid) ? undefined : "it is still there", { withinMs: 1000 });
    await burst;
  },
});

Deno.test("a pipeline has one writer: the second service says who has the lock", async () => {
  await using fixture = await makeFixture(["one"]);
  await using first = await startCommand(["run", fixture.file]);
  const [pid] = (await pipelines(first, ["one"])).values();
  const { code, error } = await runCommand(["run", fixture.file]);
  assert.equal(code, ExitCode.unavailable);
  assert.match(error, new RegExp(`run by another process already \\(process ${pid}\\)`));
  first.signal("SIGTERM");
  assert.equal((await first.finished()).code, ExitCode.ok);
});

Deno.test("a pipeline that cannot run ends a service that has no other", async () => {
  const broken = {
    source: { type: "netlink", interfaces: ["lo"] },
    transforms: [{ type: "ksync" }],
    sinks: [{ type: "state_db", url: "sqlite:missing-folder/rows.db" }],
  };
  await using fixture = await makeFixture([], { broken });
  const { code, error } = await runCommand(["run", fixture.file]);
  assert.equal(code, ExitCode.unavailable, error);
  assert.match(error, /Pipeline broken cannot run: .*missing-folder/);
  assert.doesNotMatch(error, /^\s+at /m);

  await using both = await makeFixture(["fine"], { broken });
  await using command = await startCommand(["run", both.file]);
  await pipelines(command, ["fine"]);
  assert.ok(await command.error.seen(/Pipeline broken ended and is started again in 60 s/));
  command.signal("SIGTERM");
  assert.equal((await command.finished()).code, ExitCode.ok);
});

Deno.test("a sink that is not required does not take its pipeline along", async () => {
  const sink = (url: string, more = {}) => ({ type: "state_db", url: `sqlite:${url}`, ...more });
  await using fixture = await makeFixture([], {
    both: {
      source: { type: "netlink", interfaces: ["lo"] },
      transforms: [{ type: "ksync" }],
      sinks: [sink("missing-folder/rows.db", { required: false }), sink("rows.db")],
    },
  });
  await using command = await startCommand(["run", fixture.file, "--watch"]);
  assert.ok(await command.error.seen(/A sink that is not required cannot go on.*missing-folder/));
  assert.ok(await command.out.seen(/PORT_TABLE lo /));
  command.signal("SIGTERM");
  assert.equal((await command.finished()).code, ExitCode.ok);
});

Deno.test("a second Ctrl-C does not wait for what hangs", async () => {
  await using fixture = await makeFixture(["one"]);
  await using command = await startCommand(
    ["run", fixture.file, "--set", "service.shutdown_ms=60000"],
  );
  const [pid = 0] = (await pipelines(command, ["one"])).values();
  Deno.kill(pid, "SIGSTOP");
  command.signal("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 100));
  command.signal("SIGINT");
  assert.equal((await command.finished()).code, ExitCode.ok);
  assert.ok(isGone(pid));
});

Deno.test("a pipeline that hangs while stopping is killed at the deadline", async () => {
  await using fixture = await makeFixture(["one"]);
  await using command = await startCommand(
    ["run", fixture.file, "--set", "service.shutdown_ms=300"],
  );
  const [pid = 0] = (await pipelines(command, ["one"])).values();
  Deno.kill(pid, "SIGSTOP");
  command.signal("SIGTERM");
  const { code, error } = await command.finished();
  assert.equal(code, ExitCode.ok);
  assert.match(error, /Pipeline one did not stop in time and was killed/);
});
