/**
 * `examples/producer.c`, built against the library.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { build, WARNINGS } from "../../tools/build.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

let building: Promise<string> | undefined;

/** Builds a C program that links the library; the program's path. */
export async function linkProgram(source: string): Promise<string> {
  const { path: library } = await build();
  const folder = library.slice(0, library.lastIndexOf("/"));
  const flags = [...WARNINGS, "-O2", "-pthread", `-I${ROOT}c/include`];
  const hash = createHash("sha256").update(flags.join(" "));
  const folderOfSource = source.slice(0, source.lastIndexOf("/") + 1);
  const headers = (await Array.fromAsync(Deno.readDir(`${ROOT}${folderOfSource}`)))
    .filter(({ name }) => name.endsWith(".h")).map(({ name }) => `${folderOfSource}${name}`);
  for (const path of [source, "c/include/ps_producer.h", ...headers.sort()]) {
    hash.update(await Deno.readFile(`${ROOT}${path}`));
  }
  hash.update(await Deno.readFile(library));
  const name = source.slice(source.lastIndexOf("/") + 1).replace(/\.c$/, "");
  const output = `${ROOT}build/programs/${name}-${hash.digest("hex").slice(0, 12)}`;
  if (await Deno.stat(output).then(() => true, () => false)) return output;
  await Deno.mkdir(`${ROOT}build/programs`, { recursive: true });
  const draft = `${output}.${crypto.randomUUID()}`;
  const link = [`-L${folder}`, "-lportsync", `-Wl,-rpath,${folder}`];
  const { success, stderr } = await new Deno.Command("cc", {
    args: [...flags, `${ROOT}${source}`, ...link, "-o", draft],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`cc ${source}:\n${new TextDecoder().decode(stderr)}`);
  await Deno.rename(draft, output);
  return output;
}

/** The path of the producer of the examples. */
export function producerProgram(): Promise<string> {
  building ??= linkProgram("examples/producer.c");
  return building;
}

/**
 * Starts the producer of the examples: `uds RUN_DIR SERVICE COUNT` or `ring FILE COUNT`. It sends
 * `number` = 0, 1, … to 64 keys of `NUMBER_TABLE` in turn.
 */
export async function startProducer(...args: readonly string[]): Promise<Deno.ChildProcess> {
  return new Deno.Command(await producerProgram(), {
    args: [...args],
    stdout: "inherit",
    stderr: "inherit",
  })
    .spawn();
}
