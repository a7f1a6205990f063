/**
 * Planning in a process of its own. The spec is a named pipe where a test has to look while it is
 * being read: whoever reads it stands still until something is written.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ExitCode } from "../../src/core/errors.ts";
import { MAIN_ENTRY } from "../../src/spec/programs.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { commandLine, descendants } from "../support/processes.ts";
import { type Fixture, makeFixture, pipelineName } from "./fixture.ts";

const BROKEN = new URL("../data/broken/", import.meta.url).pathname;

/** A spec that stands still while it is read. */
interface SlowSpec {
  readonly file: string;
  /** Resolves when somebody reads it; that process waits until the file is closed. */
  opened(): Promise<Deno.FsFile>;
  /** What the fixture's own file has. */
  readonly text: Uint8Array;
}

async function slowSpec({ folder, file }: Fixture): Promise<SlowSpec> {
  const pipe = `${folder}/slow.yaml`;
  const { success } = await new Deno.Command("mkfifo", { args: ["-m", "600", pipe] }).output();
  assert.ok(success);
  return {
    file: pipe,
    opened: () => Deno.open(pipe, { write: true }),
    text: await Deno.readFile(file),
  };
}

/** Without the environment, so that the planner would be allowed more. */
const NARROW = ["--no-prompt", "--allow-read", "--allow-sys=uid", `--allow-run=${Deno.execPath()}`];

Deno.test("run, state and record refuse a spec in the same words as validate", async () => {
  const specs = ["several.yaml", "syntax_several.toml", "binary_junk.yaml", "there_is_none.yaml"];
  for (const name of specs) {
    const words = [BROKEN + name, "--set", "service.log_level=loud"];
    const validated = await runCommand(["validate", ...words]);
    assert.equal(validated.code, ExitCode.config);
    assert.ok(validated.error.startsWith(words[0] ?? ""), validated.error);
    assert.deepEqual(await runCommand(["run", ...words]), validated);
  }
  const words = [`${BROKEN}several.yaml`];
  const validated = await runCommand(["validate", ...words]);
  assert.deepEqual(await runCommand(["state", ...words]), validated);
  assert.deepEqual(await runCommand(["record", ...words, "--output", "/none/none"]), validated);
  assert.deepEqual(await runCommand(["run", ...words], { flags: NARROW }), validated);
  assert.deepEqual(await runCommand(["run", ...words, "--pipeline", "one"]), validated);
});

Deno.test("the spec is read by a process that may read, and that is gone when pipelines run", async () => {
  await using fixture = await makeFixture(["one"]);
  const spec = await slowSpec(fixture);
  const set = `service.data_folder=\${PLANNING_TEST}/data`;
  await using command = await startCommand(["run", spec.file, "--set", set], {
    env: { PLANNING_TEST: fixture.folder },
  });
  {
    using writer = await spec.opened();
    assert.deepEqual(descendants(command.pid).map(({ pid }) => commandLine(pid)), [[
      ...[Deno.execPath(), "run", "--quiet", "--no-prompt", "--cached-only"],
      "--v8-flags=--min-semi-space-size=8",
      ...["--allow-read", "--allow-env", "--allow-sys=uid", MAIN_ENTRY],
      ...["explain", "--plan", `--set=${set}`, "--", spec.file],
    ]]);
    await writer.write(spec.text);
  }
  assert.ok(await command.error.seen(/Pipeline one runs/), command.error.text);
  const left = descendants(command.pid).map(({ pid }) => pipelineName(commandLine(pid)));
  assert.deepEqual(left, ["one"]);
  command.signal("SIGTERM");
  assert.equal((await command.finished()).code, ExitCode.ok);
});

for (
  const [why, options] of [
    ["may not read every file", { flags: ["-P", "--deny-read=/none", NARROW.at(-1) ?? ""] }],
    ["cannot hand its environment on", { env: { LD_LIBRARY_PATH: "/none" } }],
  ] as const
) {
  Deno.test(`a supervisor that ${why} reads the spec itself`, async () => {
    await using fixture = await makeFixture(["one"]);
    const spec = await slowSpec(fixture);
    await using command = await startCommand(["run", spec.file], options);
    {
      using writer = await spec.opened();
      assert.deepEqual(descendants(command.pid), []);
      await writer.write(spec.text);
    }
    assert.ok(await command.error.seen(/Pipeline one runs/), command.error.text);
    command.signal("SIGTERM");
    assert.equal((await command.finished()).code, ExitCode.ok);
  });
}

Deno.test("run says so when the process that reads the spec was killed", async () => {
  await using fixture = await makeFixture(["one"]);
  const spec = await slowSpec(fixture);
  await using command = await startCommand(["run", spec.file]);
  using _writer = await spec.opened();
  const [planner] = descendants(command.pid);
  Deno.kill(planner?.pid ?? assert.fail(), "SIGKILL");
  const { code, error } = await command.finished();
  assert.equal(code, ExitCode.unavailable, error);
  assert.equal(error, "portsync: The process that reads the spec was ended by SIGKILL\n");
});
