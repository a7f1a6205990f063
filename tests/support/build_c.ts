/**
 * Small C programs for tests and benchmarks, built once and used by all of them.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { WARNINGS } from "../../tools/build.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

const building = new Map<string, Promise<string>>();

/**
 * Compiles a program of one file into `build/`, unless it stands there already. Test files that
 * run side by side do not disturb each other: the finished program is moved into place.
 *
 * @param source path from the project's folder, for example `bench/support/linkload.c`
 * @returns the program's absolute path
 */
export function buildProgram(source: string): Promise<string> {
  const known = building.get(source) ?? compile(source);
  building.set(source, known);
  return known;
}

async function compile(source: string): Promise<string> {
  const flags = [...WARNINGS, "-O2", "-pthread"];
  // The name tells the contents, so a changed source is another program and needs no stamp.
  const hash = createHash("sha256").update(flags.join(" "));
  for (const path of [source, ...await headersBeside(source)].sort()) {
    hash.update(await Deno.readFile(ROOT + path));
  }
  const digest = hash.digest("hex").slice(0, 12);
  const name = source.slice(source.lastIndexOf("/") + 1).replace(/\.c$/, "");
  const output = `${ROOT}build/programs/${name}-${digest}`;
  if (await Deno.stat(output).then(() => true, () => false)) return output;
  await Deno.mkdir(`${ROOT}build/programs`, { recursive: true });
  const draft = `${output}.${crypto.randomUUID()}`;
  const { success, stderr } = await new Deno.Command("cc", {
    args: [...flags, ROOT + source, "-o", draft],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`cc ${source}:\n${new TextDecoder().decode(stderr)}`);
  await Deno.rename(draft, output);
  return output;
}

/** A program may consist of headers too. */
async function headersBeside(source: string): Promise<string[]> {
  const folder = source.slice(0, source.lastIndexOf("/"));
  const entries = await Array.fromAsync(Deno.readDir(ROOT + folder));
  return entries.filter(({ name }) => name.endsWith(".h")).map(({ name }) => `${folder}/${name}`);
}
