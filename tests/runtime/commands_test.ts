import assert from "node:assert/strict";
import { ExitCode } from "../../src/core/errors.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { eventually } from "../support/eventually.ts";
import { commandLine, descendants } from "../support/processes.ts";
import { makeFixture, pipelineName } from "./fixture.ts";

/** What `explain --json` says, as far as these tests look at it. */
interface Explained {
  readonly pipelines: readonly { readonly command: string[]; readonly alone: string[] }[];
  readonly supervisor: { readonly command: string[] };
}

async function explain(file: string): Promise<Explained> {
  const { code, out, error } = await runCommand(["explain", file, "--json"]);
  assert.equal(code, ExitCode.ok, error);
  return JSON.parse(out);
}

Deno.test("a pipeline is started with exactly what explain --json prints", async () => {
  await using fixture = await makeFixture(["one"]);
  const { pipelines: [pipeline] } = await explain(fixture.file);
  await using command = await startCommand(["run", fixture.file]);
  assert.ok(await command.error.seen(/Pipeline one runs/));
  const lines = descendants(command.pid).map(({ pid }) => commandLine(pid));
  assert.deepEqual(lines.filter((words) => pipelineName(words) === "one"), [pipeline?.command]);
  command.signal("SIGTERM");
  await command.finished();
});

Deno.test("a service runs under the narrow line that explain prints", async () => {
  await using fixture = await makeFixture(["one"]);
  const { supervisor } = await explain(fixture.file);
  await using command = await startCommand(supervisor.command, { whole: true });
  assert.ok(await command.error.seen(/Pipeline one runs/), command.error.text);
  const status = await runCommand(["status", "--folder", fixture.runtimeFolder]);
  assert.match(status.out, /one running/);
  command.signal("SIGTERM");
  const { code, error } = await command.finished();
  assert.equal(code, ExitCode.ok);
  assert.doesNotMatch(error, /WARN|ERROR/);
});

Deno.test("one pipeline runs alone under the line that explain prints", async () => {
  await using fixture = await makeFixture(["one"]);
  const { pipelines: [pipeline] } = await explain(fixture.file);
  await using command = await startCommand(pipeline?.alone ?? [], { whole: true });
  assert.ok(await command.error.seen(/Pipeline one runs/), command.error.text);
  assert.deepEqual(descendants(command.pid), []);
  const status = await runCommand(["status", "--folder", fixture.runtimeFolder]);
  assert.match(status.out, /one running/);
  const second = await runCommand(["run", fixture.file]);
  assert.match(second.error, /Pipeline one is run by another process already/);
  command.signal("SIGTERM");
  assert.equal((await command.finished()).code, ExitCode.ok);
});

Deno.test("run --pipeline without the grant says what is missing", async () => {
  await using fixture = await makeFixture(["one"]);
  const { code, error } = await runCommand(["run", fixture.file, "--pipeline", "one"]);
  assert.equal(code, ExitCode.unavailable);
  assert.match(error, /Pipeline one may not do what it needs in this process: --allow-ffi=/);
});

Deno.test("commands without permissions say which flags to give, and never ask", async () => {
  await using fixture = await makeFixture(["one"]);
  for (const name of ["run", "state"]) {
    const { code, out, error } = await runCommand([name, fixture.file], { flags: [] });
    assert.equal(code, ExitCode.unavailable);
    assert.equal(out, "");
    assert.match(error, new RegExp(`--allow-read=${fixture.file}`));
    assert.match(error, new RegExp(`--allow-run=${Deno.execPath()}`));
    assert.match(error, new RegExp(`deno run -P --allow-run=\\S+ mod.ts ${name} ${fixture.file}`));
    assert.doesNotMatch(error, /^\s+at /m);
  }
});

Deno.test("state shows the rows that a pipeline has written, and --watch those that follow", async () => {
  await using fixture = await makeFixture(["one"]);
  await using watching = await startCommand(["state", fixture.file, "--watch"]);
  await using command = await startCommand(["run", fixture.file, "--watch"]);
  assert.ok(await command.out.seen(/^PORT_TABLE lo .*mtu=\d+/m));
  assert.ok(await watching.out.seen(/^PORT_TABLE lo .*mtu=\d+/m));
  watching.signal("SIGINT");
  assert.equal((await watching.finished()).code, ExitCode.ok);
  command.signal("SIGTERM");
  await command.finished();
  const { code, out } = await runCommand(["state", fixture.file]);
  assert.equal(code, ExitCode.ok);
  assert.match(out, /^PORT_TABLE .*netdev_oper_status.*\nlo {2}/);
  const json = await runCommand(["state", fixture.file, "--json"]);
  assert.equal(JSON.parse(json.out).fields.state, "ok");
});

Deno.test("run --dry-run says what it would write beside the real one, and writes nothing", async () => {
  await using fixture = await makeFixture(["one"]);
  await using dry = await startCommand(["run", fixture.file, "--dry-run"]);
  assert.ok(await dry.error.seen(/Would set lo of PORT_TABLE: .*mtu=/), dry.error.text);
  const { out, error } = await runCommand(["state", fixture.file]);
  assert.equal(out, "");
  assert.match(error, /There are no rows/);
  await using real = await startCommand(["run", fixture.file, "--watch"]);
  assert.ok(await real.out.seen(/PORT_TABLE lo /));
  for (const command of [real, dry]) {
    command.signal("SIGTERM");
    assert.equal((await command.finished()).code, ExitCode.ok);
  }
});

Deno.test("state says which option is missing where only producers name the tables", async () => {
  await using fixture = await makeFixture([], {
    one: {
      source: { type: "uds", run_dir: "/tmp", service: "one" },
      transforms: [{ type: "ksync" }],
      sinks: [{ type: "state_db", url: "sqlite:one.db" }],
    },
  });
  const { code, error } = await runCommand(["state", fixture.file]);
  assert.equal(code, ExitCode.ok, error);
  assert.match(error, /WARN .*one: The spec does not say which tables .* see tables of ksync/);
});

Deno.test("what record has written is replayed to the same rows, and the service then ends", async () => {
  await using fixture = await makeFixture(["one"]);
  const recording = `${fixture.folder}/links.rec`;
  await using recorder = await startCommand(["record", fixture.file, "--output", recording]);
  await eventually(() => {
    try {
      return Deno.statSync(recording).size > 100 ? undefined : "nothing is recorded yet";
    } catch {
      return `there is no recording\n${recorder.error.text}`;
    }
  });
  recorder.signal("SIGINT");
  const recorded = await recorder.finished();
  assert.equal(recorded.code, ExitCode.ok, recorded.error);
  assert.match(recorded.error, /Recorded \d+ datagrams/);
  await using replay = await makeFixture([], {
    again: {
      source: { type: "replay", file: recording, interfaces: ["lo"] },
      transforms: [{ type: "ksync" }],
      sinks: [{ type: "state_db", url: `sqlite:${fixture.store("again")}` }],
    },
  });
  const { code, error } = await runCommand(["run", replay.file]);
  assert.equal(code, ExitCode.ok, error);
  const { out } = await runCommand(["state", replay.file, "--json"]);
  assert.equal(JSON.parse(out).key, "lo");
});

Deno.test("a wrong word on the command line ends with 64, a wrong spec with 78", async () => {
  await using fixture = await makeFixture(["one"]);
  const wrong: [string[], number, RegExp][] = [
    [["run", fixture.file, "--pipeline", "on"], ExitCode.usage, /did you mean one\?/],
    [["run", fixture.file, "--dry-rnu"], ExitCode.usage, /did you mean --dry-run\?/],
    [["record", fixture.file], ExitCode.usage, /--output RECORDING is missing/],
    [["run", fixture.file, "--log-level", "loud"], ExitCode.config, /log_level/],
    [["run", `${fixture.folder}/none.yaml`], ExitCode.config, /none\.yaml/],
  ];
  for (const [words, expected, message] of wrong) {
    const { code, error } = await runCommand(words);
    assert.equal(code, expected, error);
    assert.match(error, message);
  }
});
