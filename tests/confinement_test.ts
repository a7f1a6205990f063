import assert from "node:assert/strict";
import { LIBRARY } from "../src/spec/programs.ts";
import { runCommand, startCommand } from "./support/command.ts";
import { commandLine, descendants } from "./support/processes.ts";
import { canMakeNamespaces, createNetns } from "./support/netns.ts";
import { makeFixture, pipelineName } from "./runtime/fixture.ts";

const EACCES = -13;
const EINVAL = -22;

/** What the probe prints. */
interface Probed {
  readonly deno: Readonly<Record<string, string>>;
  readonly native: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Exports with a parameter that is a path, as the symbol tables name it. */
async function pathTakingExports(): Promise<string[]> {
  const folder = new URL("../ffi/", import.meta.url);
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!/^symbols_.*\.ts$/.test(name)) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [, symbol = "", parameters = ""] of text.matchAll(/(ps_\w+): \{([^}]*)\}/g)) {
      // ps_init is what seals the list.
      const takesPath = /uint8_t \*(path|netns|prefix)$/m.test(parameters);
      if (takesPath && symbol !== "ps_init") names.push(symbol);
    }
  }
  return names.sort();
}

/** Runs the probe with the flags of a pipeline's process. */
async function probe(command: readonly string[], args: readonly string[]): Promise<Probed> {
  const entry = command.findIndex((word) => word.includes("/pipeline_main."));
  const flags = command.slice(1, entry);
  const script = new URL("fixtures/confined.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(command[0] ?? "", {
    args: [...flags, script, ...args],
    cwd: "/",
    clearEnv: true,
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test({
  name: "a pipeline's process reaches nothing beyond its grant, through Deno or the native library",
  ignore: !canMakeNamespaces,
  async fn() {
    await using netns = await createNetns();
    await using outside = await makeFixture(["other"]);
    await Deno.writeTextFile(`${outside.folder}/secret`, "secret");
    await Deno.writeTextFile(`${outside.folder}/module.ts`, "export {};");
    await Deno.copyFile(LIBRARY, `${outside.folder}/other.so`);
    await Deno.symlink(`${outside.folder}/secret`, `${outside.folder}/linked`);
    await using fixture = await makeFixture([], {
      confined: {
        namespace: netns.name,
        source: { type: "netlink" },
        transforms: [{ type: "ksync" }],
        sinks: [{ type: "state_db", url: `sqlite:${outside.folder}/rows.db` }],
      },
    });
    const { out } = await runCommand(["explain", fixture.file, "--json"]);
    const { pipelines: [{ command, grant }] } = JSON.parse(out);
    assert.deepEqual(grant.native, [netns.path]);

    const probed = await probe(command, [LIBRARY, JSON.stringify(grant.native), outside.folder]);
    const allowed = Object.entries(probed.deno).filter(([, outcome]) => outcome !== "NotCapable");
    assert.deepEqual(allowed, []);

    assert.deepEqual(Object.keys(probed.native).sort(), await pathTakingExports());
    for (const [symbol, { granted, ...others }] of Object.entries(probed.native)) {
      assert.notEqual(granted, EACCES, `${symbol} takes the path that was granted`);
      for (const [kind, result] of Object.entries(others)) {
        const expected = /relative|parent/.test(kind) ? EINVAL : EACCES;
        assert.equal(result, expected, `${symbol} with ${kind}`);
      }
    }
    const left = [...Deno.readDirSync(outside.folder)].map(({ name }) => name).sort();
    assert.deepEqual(left, ["linked", "module.ts", "other.so", "secret", "spec.yaml"]);
  },
});

Deno.test("a pipeline's process is given no environment", async () => {
  await using fixture = await makeFixture(["one"]);
  await using command = await startCommand(["run", fixture.file]);
  assert.ok(await command.error.seen(/Pipeline one runs/));
  const [pid = 0] = descendants(command.pid).map(({ pid }) => pid)
    .filter((pid) => pipelineName(commandLine(pid)) === "one");
  const environment = await Deno.readTextFile(`/proc/${pid}/environ`);
  // What Deno itself goes by; the process may not read even that.
  assert.match(environment, /^(DENO_(DIR|NO_UPDATE_CHECK)=[^\0]*\0)*$/);
  command.signal("SIGTERM");
  await command.finished();
});
