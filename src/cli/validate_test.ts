import assert from "node:assert/strict";
import { fakeIo } from "../../tests/support/io.ts";
import { main } from "./main.ts";

const GOOD = `version: 1
pipelines:
  ports:
    source: { type: netlink }
    transforms: [{ type: ksync }]
    sinks: [{ type: state_db }]
`;

/** A folder with these files, which the test's own folder is. */
async function withFiles(
  files: Readonly<Record<string, string>>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "portsync-validate-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("validate says of each good spec that it is fine", async () => {
  await withFiles({ "a.yaml": GOOD, "b.yml": GOOD }, async (folder) => {
    const io = fakeIo();
    assert.equal(await main(["validate", `${folder}/a.yaml`, `${folder}/b.yml`], io), 0);
    assert.equal(
      io.outText(),
      `fine  ${folder}/a.yaml  1 pipeline\nfine  ${folder}/b.yml  1 pipeline\n`,
    );
    assert.equal(io.errorText(), "");
  });
});

Deno.test("validate goes on behind a broken spec, and ends with 78", async () => {
  await withFiles({ "a.yaml": "version: 2", "b.yaml": GOOD }, async (folder) => {
    const io = fakeIo();
    assert.equal(await main(["validate", `${folder}/a.yaml`, `${folder}/b.yaml`], io), 78);
    assert.match(io.errorText(), /a\.yaml:1:10: This portsync reads version 1/);
    assert.equal(io.outText(), `fine  ${folder}/b.yaml  1 pipeline\n`);
  });
});

Deno.test("validate checks a spec as --set changes it", async () => {
  await withFiles({ "a.yaml": GOOD }, async (folder) => {
    const io = fakeIo();
    const words = ["validate", `${folder}/a.yaml`, "--set", "service.log_level=loud"];
    assert.equal(await main(words, io), 78);
    assert.match(io.errorText(), /^--set:1:19: Expected debug, info, warn or error, got "loud"/);
  });
});

Deno.test("validate reads nothing but the specs and starts nothing", async () => {
  const spec = GOOD.replace("type: netlink", "type: replay, file: /no/such/recording");
  await withFiles({ "a.yaml": spec }, async (folder) => {
    const main = new URL("../../mod.ts", import.meta.url).pathname;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        "--no-prompt",
        `--allow-read=${folder}`,
        main,
        "validate",
        `${folder}/a.yaml`,
      ],
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  });
});

Deno.test("validate answers for a file that is not there, a folder and a wrong name", async () => {
  await withFiles({ "spec.json": "{}" }, async (folder) => {
    for (
      const [file, message] of [
        [`${folder}/none.yaml`, "There is no such file"],
        [`${folder}/spec.json/x.yaml`, "There is no such file"],
        [folder, "This is a folder"],
        [`${folder}/spec.json`, "The name of a spec ends in .yaml, .yml or .toml"],
      ] as const
    ) {
      const io = fakeIo();
      assert.equal(await main(["validate", file], io), 78);
      assert(io.errorText().startsWith(`${file}:1:1: ${message}`), io.errorText());
    }
  });
});

Deno.test("validate prints fifty complaints and counts the others", async () => {
  const many = Array.from({ length: 80 }, (_, index) => `x${index}: 1\n`).join("");
  await withFiles({ "a.yaml": many }, async (folder) => {
    const io = fakeIo();
    assert.equal(await main(["validate", `${folder}/a.yaml`], io), 78);
    assert.match(io.errorText(), /\n… and 32 more\n$/);
  });
});
