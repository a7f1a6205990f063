import assert from "node:assert/strict";
import { StopError } from "../core/errors.ts";
import { denoArguments, mergeGrants, shellLine } from "./grant.ts";

const NOTHING = { read: [], write: [], net: [], ffi: [], native: [] };

Deno.test("mergeGrants() adds parts up, each entry once and in order", () => {
  const grant = mergeGrants([
    { why: "a", read: ["/b", "/a"], net: ["unix:/s"] },
    { why: "b", read: ["/a"], ffi: ["/lib.so"], native: ["/run/netns/x"] },
  ]);
  assert.deepEqual(grant, {
    read: ["/a", "/b"],
    write: [],
    net: ["unix:/s"],
    ffi: ["/lib.so"],
    native: ["/run/netns/x"],
  });
  assert.deepEqual(mergeGrants([]), NOTHING);
});

Deno.test("denoArguments() gives one flag for each kind that has entries, and no other", () => {
  const grant = { ...NOTHING, read: ["/a", "/b"], net: ["127.0.0.1:6379"], native: ["/x"] };
  const program = { entry: "/child.ts", args: ["ports"], flags: ["--v8-flags=--lite"] };
  assert.deepEqual(denoArguments(grant, program), [
    "run",
    "--quiet",
    "--no-prompt",
    "--cached-only",
    "--v8-flags=--lite",
    "--allow-read=/a,/b",
    "--allow-net=127.0.0.1:6379",
    "/child.ts",
    "ports",
  ]);
});

Deno.test("denoArguments() refuses an entry that would become two", () => {
  const grant = { ...NOTHING, read: ["/srv/a,/etc"] };
  assert.throws(() => denoArguments(grant, { entry: "x.ts", args: [] }), (error) => {
    assert(error instanceof StopError);
    assert.match(error.message, /^\/srv\/a,\/etc has a comma in it/);
    return true;
  });
});

Deno.test("A process under denoArguments() may do what the grant says and nothing else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "portsync-grant-" });
  try {
    const [open, shut, entry] = ["open", "shut", "probe.ts"].map((name) => `${folder}/${name}`);
    if (open === undefined || shut === undefined || entry === undefined) throw new Error();
    await Deno.writeTextFile(open, "yes");
    await Deno.writeTextFile(shut, "no");
    await Deno.writeTextFile(entry, PROBE);
    const args = denoArguments({ ...NOTHING, read: [open] }, { entry, args: [open, shut] });
    const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
      "yes",
      "NotCapable",
      "NotCapable",
      "NotCapable",
      "NotCapable",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const PROBE = `
const tries = [
  () => Deno.readTextFileSync(Deno.args[0]),
  () => Deno.readTextFileSync(Deno.args[1]),
  () => Deno.env.get("HOME"),
  () => new Deno.Command("true").outputSync(),
  () => Deno.writeTextFileSync(Deno.args[0], "x"),
];
console.log(JSON.stringify(tries.map((attempt) => {
  try {
    return attempt();
  } catch (error) {
    return error.name;
  }
})));
`;

Deno.test("shellLine() quotes what a shell would take apart", () => {
  assert.equal(
    shellLine(["deno", "run", "--allow-read=/a,/b", "a b", "it's"]),
    "deno run --allow-read=/a,/b 'a b' 'it'\\''s'",
  );
});
