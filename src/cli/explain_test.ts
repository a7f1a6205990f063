import assert from "node:assert/strict";
import { fakeIo } from "../../tests/support/io.ts";
import { build } from "../../tools/build.ts";
import { denoArguments } from "../spec/grant.ts";
import { pipelineProgram } from "../spec/programs.ts";
import { explanation } from "./explain.ts";
import { loadPlan } from "./load_plan.ts";
import { main } from "./main.ts";

const QUICKSTART = new URL("../../examples/quickstart.yaml", import.meta.url).pathname;

Deno.test("explain shows plan, permissions with reasons, and the command lines", async () => {
  await build();
  const io = fakeIo();
  assert.equal(await main(["explain", QUICKSTART], io), 0, io.errorText());
  const text = io.outText();
  assert.match(text, /^Pipeline quickstart$/m);
  assert.match(text, /^ {4}load \/\S+\/libportsync\.so {2}— netlink: /m);
  assert.match(
    text,
    /^ {4}write \/\S+\/quickstart\.lock {2}— the lock that keeps two writers apart$/m,
  );
  assert.match(text, /^ {4}\S+ run --quiet --no-prompt --cached-only --allow-read=/m);
  assert.equal(io.errorText(), "");
});

Deno.test("explain --json is the plan and the words that a process is started with", async () => {
  await build();
  const io = fakeIo();
  assert.equal(await main(["explain", QUICKSTART, "--json"], io), 0, io.errorText());
  const loaded = await loadPlan({ file: QUICKSTART, overrides: [] });
  const printed: unknown = JSON.parse(io.outText());
  const expected = explanation(loaded, Deno.execPath());
  assert.deepEqual(printed, JSON.parse(JSON.stringify(expected)));
  const [pipeline = assert.fail()] = expected.pipelines;
  assert.deepEqual(pipeline.command, [
    Deno.execPath(),
    ...denoArguments(pipeline.grant, pipelineProgram("quickstart")),
  ]);
});

Deno.test("explain --plan is the plan alone, also where a path has a comma in it", async () => {
  await build();
  const folder = await Deno.makeTempDir({ prefix: "portsync-explain-a,b-" });
  try {
    const file = `${folder}/spec.yaml`;
    await Deno.copyFile(QUICKSTART, file);
    await Deno.chmod(file, 0o600);
    const io = fakeIo();
    assert.equal(await main(["explain", "--plan", file], io), 0, io.errorText());
    const printed: unknown = JSON.parse(io.outText());
    const { plan } = await loadPlan({ file, overrides: [] });
    assert.deepEqual(printed, plan);
    // A command line cannot have it.
    assert.equal(await main(["explain", "--json", file], fakeIo()), 78);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("explain shows a secret as a reference only", async () => {
  await build();
  const folder = await Deno.makeTempDir({ prefix: "portsync-explain-" });
  try {
    await Deno.writeTextFile(`${folder}/secret`, "hunter2");
    await Deno.writeTextFile(
      `${folder}/a.yaml`,
      `version: 1
pipelines:
  ports:
    source: { type: netlink }
    transforms: [{ type: ksync }]
    sinks:
      - { type: state_db, url: "redis://127.0.0.1:1", database: 6, password: "\${file:${folder}/secret}" }
`,
    );
    for (const flags of [[], ["--json"], ["--plan"]]) {
      const io = fakeIo();
      assert.equal(await main(["explain", `${folder}/a.yaml`, ...flags], io), 0, io.errorText());
      assert(io.outText().includes(`\${file:${folder}/secret}`));
      assert(!io.outText().includes("hunter2"));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("explain says at its place what the machine does not have", async () => {
  const folder = await Deno.makeTempDir({ prefix: "portsync-explain-" });
  try {
    await Deno.writeTextFile(
      `${folder}/a.yaml`,
      `version: 1
pipelines:
  ports:
    source: { type: netlink }
    transforms: [{ type: ksync }]
    sinks: [{ type: state_db, url: "redis://127.0.0.1:1", password: "\${file:/no/secret}" }]
`,
    );
    const io = fakeIo();
    assert.equal(await main(["explain", `${folder}/a.yaml`], io), 78);
    assert.match(io.errorText(), /a\.yaml:6:69: There is no secret \/no\/secret/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
