// Everything that docs/netipc.md shows is done: its spec runs, its programs talk to it, and its
// commands print what stands below them.
import assert from "node:assert/strict";
import { parse } from "yaml";
import { LIBRARY } from "../src/spec/programs.ts";
import { fencesOf, specsOf } from "./house/markdown.ts";
import { eventually } from "./support/eventually.ts";
import { nativeLibrary } from "./support/native.ts";
import { type SpecTree, startPortsync } from "./support/portsync.ts";
import { startRedis } from "./support/redis.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const page = await Deno.readTextFile(`${ROOT}docs/netipc.md`);
await nativeLibrary();

/** A command of the page, and what stands below it. */
interface Shown {
  readonly command: string;
  readonly output: string;
}

function shownIn(markdown: string): Shown[] {
  return fencesOf(markdown).filter(({ language }) => language === "console")
    .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
    .map((part) => {
      const [command = "", ...output] = part.trimEnd().split("\n");
      return { command, output: output.join("\n") };
    });
}

/** What differs from run to run: figures. */
function withoutFigures(text: string): string {
  return text.replaceAll(/\d[\d.,]*/g, "#").replaceAll(/ +$/gm, "").trim();
}

/** Where a program's name stands in its first line. */
const NAME = /^(?:\/\/|\/\*) (\S+\.(?:ts|c))/;

Deno.test("what docs/netipc.md shows is what there is", async () => {
  const folder = await Deno.makeTempDir({ prefix: "portsync-docs-" });
  await using redis = await startRedis();
  const here = (text: string) =>
    text.replaceAll("/run/portsync", folder).replaceAll("/run/netdata", folder)
      .replaceAll("unix:///run/redis/redis.sock", redis.url);
  const programs = `${folder}/programs`;
  await Deno.mkdir(programs);
  for (const { text } of fencesOf(page)) {
    const name = NAME.exec(text)?.[1];
    if (name === undefined) continue;
    // The programs stand beside the sources, as far as they can tell.
    const moved = here(text).replaceAll('"../', `"${ROOT}`);
    await Deno.writeTextFile(`${programs}/${name}`, moved);
  }
  await Deno.symlink(`${ROOT}build`, `${programs}/build`);
  await Deno.symlink(`${ROOT}c`, `${programs}/c`);

  const [spec] = specsOf(page);
  const { pipelines }: SpecTree = parse(here(spec?.text ?? ""));
  await using product = await startPortsync({ pipelines });
  try {
    for (const file of ["ports.sock", "ports.ring"]) {
      await eventually(() => Deno.stat(`${folder}/${file}`).then(() => undefined, String));
    }
    for (const { command, output } of shownIn(page)) {
      const line = here(command)
        .replace(/^portsync ipc (\w+ \w+)$/, `portsync ipc $1 --run-dir=${folder}`)
        .replace(/^portsync /, `deno run -q -A ${ROOT}mod.ts `)
        .replace("--allow-ffi=build/libportsync.so", `--no-prompt --allow-ffi=${LIBRARY}`)
        .replace(/^deno /, `${Deno.execPath()} `);
      const done = await new Deno.Command("sh", {
        args: ["-c", `${line} 2>&1`],
        cwd: programs,
        env: { NO_COLOR: "1" },
      }).output();
      const printed = new TextDecoder().decode(done.stdout);
      assert.equal(withoutFigures(printed), withoutFigures(here(output)), command);
    }
    await eventually(async () => {
      const keys = (await redis.cli("-n", "6", "KEYS", "PORT_TABLE|*")).split("\n").sort().join();
      return keys === PORTS.map((port) => `PORT_TABLE|${port}`).join() ? undefined : keys;
    });
  } finally {
    await product[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});

/** The ports of the programs. */
const PORTS = ["Ethernet0", "Ethernet1", "Ethernet2", "Ethernet3"];
