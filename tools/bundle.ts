/**
 * Makes the form in which portsync runs: the sources and their libraries as a few minified files.
 *
 * ```sh
 * deno task build # the native library, and build/portsync/mod.js
 * ```
 *
 * Nothing is different but the cost: measured on the same machine, a supervisor of one pipeline is
 * up 45 ms sooner and takes 11 MB less, because zod and the parsers are one file and not two
 * hundred. The standard-module builds of libraries are taken, which need nothing of Node.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The folder of the project, with a slash at its end. */
const ROOT = new URL("..", import.meta.url).pathname;

/** The bundle's folder; `mod.js` in it is the entry of every command. */
const OUTPUT = `${ROOT}build/portsync`;

/** What becomes a program of its own: every command, a pipeline's process, and what looks at a peer. */
const ENTRIES = ["mod.ts", "src/netipc/tool_main.ts", "src/runtime/pipeline_main.ts"];

/** What a bundle is made of. */
const SOURCES = ["src", "ffi", "schemas"];

/** A bundle that could not be made, said for a person. */
export class BundleError extends Error {
  override readonly name = "BundleError";
}

/**
 * Makes the bundle unless it is up to date. The finished folder is moved into place.
 *
 * @returns whether anything was made
 * @throws {BundleError} when Deno's bundler complains or cannot be had
 */
export async function bundle(): Promise<boolean> {
  const stamp = await stampOf();
  const stampFile = `${OUTPUT}.stamp`;
  if (await Deno.readTextFile(stampFile).catch(() => undefined) === stamp) return false;
  const draft = `${OUTPUT}.${crypto.randomUUID()}`;
  try {
    await run(draft);
    await Deno.remove(stampFile).catch(() => {});
    await Deno.remove(OUTPUT, { recursive: true }).catch(() => {});
    await Deno.rename(draft, OUTPUT);
  } finally {
    await Deno.remove(draft, { recursive: true }).catch(() => {});
  }
  await Deno.writeTextFile(stampFile, stamp);
  return true;
}

async function run(folder: string): Promise<void> {
  const flags = ["--quiet", "--minify", "--code-splitting", "--platform=browser"];
  const result = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", ...flags, "--outdir", folder, ...ENTRIES],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  if (result.success) return;
  const complaint = new TextDecoder().decode(result.stderr).trim();
  throw new BundleError(
    `deno bundle failed; its first use needs the npm registry, for esbuild:\n${complaint}`,
  );
}

async function stampOf(): Promise<string> {
  const paths = [`${ROOT}mod.ts`, `${ROOT}deno.json`, `${ROOT}deno.lock`, import.meta.filename];
  for (const folder of SOURCES) paths.push(...await modulesOf(`${ROOT}${folder}`));
  const hash = createHash("sha256").update(Deno.version.deno);
  for (const path of paths) {
    if (path !== undefined) hash.update(`\0${path}\0`).update(await Deno.readFile(path));
  }
  return hash.digest("hex");
}

async function modulesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await modulesOf(`${folder}/${name}`));
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) found.push(`${folder}/${name}`);
  }
  return found.sort();
}

if (import.meta.main) {
  try {
    if (await bundle()) console.error(`Made ${OUTPUT}`);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    console.error(error.message);
    Deno.exit(69);
  }
}
