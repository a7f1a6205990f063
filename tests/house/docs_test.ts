import assert from "node:assert/strict";
import { commands } from "../../src/cli/main.ts";
import * as registry from "../../src/registry.ts";
import { linksOf, specsOf, usesOf } from "./markdown.ts";
import { filesOf, read, ROOT } from "./project.ts";

const pages = await filesOf(/^[^/]+\.md$|^docs\/.*\.md$|^bench\/.*\.md$/);
const config: unknown = JSON.parse(await read("deno.json"));

/** Names of one of the objects in `deno.json`. */
function namesIn(key: string): string[] {
  const found: unknown = Object.getOwnPropertyDescriptor(config, key)?.value;
  return typeof found === "object" && found !== null ? Object.keys(found) : [];
}

Deno.test("Every spec in the examples and in the documentation passes `portsync validate`", async () => {
  const folder = await Deno.makeTempDir({ prefix: "portsync-docs-" });
  try {
    const files = (await filesOf(/^examples\/.*\.(?:ya?ml|toml)$/)).map((path) => ROOT + path);
    for (const page of pages) {
      for (const { language, text, line } of specsOf(await read(page))) {
        const file = `${folder}/${page.replaceAll("/", "-")}-line-${line}.${language}`;
        await Deno.writeTextFile(file, text);
        files.push(file);
      }
    }
    assert(files.length > 0, "no specs were found");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        "-P",
        "--config",
        `${ROOT}deno.json`,
        `${ROOT}mod.ts`,
        "validate",
        ...files,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.equal(code, 0, output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Every task that the documentation names is one of deno.json", async () => {
  const tasks = namesIn("tasks");
  for (const page of [...pages, ".ci/run"]) {
    for (
      const { line, words } of usesOf(await read(page), /^(?:npx -y )?deno(?:@\S+)? task (?:-q )?/)
    ) {
      assert(tasks.includes(words[0] ?? ""), `${page}:${line}: there is no task ${words[0]}`);
    }
  }
});

Deno.test("Every command and option that the documentation names is there", async () => {
  const program = /^(?:portsync|deno task (?:-q )?portsync|deno run -P mod\.ts) /;
  for (const page of pages) {
    for (const { line, words: [first = "", ...rest] } of usesOf(await read(page), program)) {
      if (first.startsWith("--") || /[./…]|^[A-Z]+$/.test(first)) continue;
      const load = Object.hasOwn(commands, first) ? commands[first] : undefined;
      assert(load !== undefined, `${page}:${line}: there is no command ${first}`);
      const { command } = await load();
      for (const [, name = ""] of rest.join(" ").matchAll(/(?<=^|[\s[])--([a-z-]+)/g)) {
        assert(
          name === "help" || Object.hasOwn(command.options, name),
          `${page}:${line}: ${first} has no option --${name}`,
        );
      }
    }
  }
});

Deno.test("README names every command and every component", async () => {
  const readme = await read("README.md");
  const types = Object.values(registry).flatMap((kind) => Object.keys(kind));
  assert(types.includes("netlink"));
  assert.deepEqual(types.filter((type) => !readme.includes(`\`${type}\``)), []);
  const names = Object.keys(commands);
  assert.deepEqual(names.filter((name) => !readme.includes(`\`portsync ${name}\``)), []);
});

Deno.test("Every relative link of the documentation leads somewhere", async () => {
  for (const page of pages) {
    for (const target of linksOf(await read(page))) {
      const { pathname } = new URL(target, `file://${ROOT}${page}`);
      const found = await Deno.stat(pathname).then(() => true, () => false);
      assert(found, `${page}: nothing is at ${target}`);
    }
  }
});

Deno.test("Everything names the same version of Deno", async () => {
  const versions = new Set<string>();
  for (const page of ["README.md", ".ci/run"]) {
    for (const [version] of (await read(page)).matchAll(/deno@[\d.]+/g)) versions.add(version);
  }
  assert.equal(versions.size, 1, [...versions].join(", "));
});

Deno.test("README gives a reason for every dependency", async () => {
  const [, section = ""] = (await read("README.md")).split("\n## Dependencies\n");
  const table = section.split("\n## ")[0] ?? "";
  const without = namesIn("imports").filter((name) => !table.includes(name));
  assert.deepEqual(without, []);
});
