/**
 * Builds the native library, only when a source or a flag has changed since the last time.
 *
 * ```sh
 * deno task build                  # build/libportsync.so
 * deno task build --target=aarch64 # build/aarch64/libportsync.so, with aarch64-linux-gnu-gcc
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The folder of the project, with a slash at its end. */
const ROOT = new URL("..", import.meta.url).pathname;

/** Flags of every compilation of our C code, tests and sanitizer runs included. */
export const WARNINGS: readonly string[] = [
  "-std=c11",
  "-D_GNU_SOURCE",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-Wshadow",
  "-Wconversion",
  "-Wno-sign-conversion",
  "-Wstrict-prototypes",
  "-Wmissing-prototypes",
  "-Wpointer-arith",
  "-Wwrite-strings",
  "-Wformat=2",
  "-Wundef",
  "-Wvla",
];

const FLAGS: readonly string[] = [
  ...WARNINGS,
  "-O2",
  "-g0",
  "-fPIC",
  "-shared",
  "-fvisibility=hidden",
  "-fstack-protector-strong",
  "-U_FORTIFY_SOURCE",
  "-D_FORTIFY_SOURCE=2",
  "-pthread",
  // Deno ends with a segmentation fault when a library is unmapped under a pending call.
  "-Wl,-z,nodelete",
  "-Wl,-z,relro,-z,now,-z,defs,-z,noexecstack",
  "-Wl,--build-id=none",
  "-Wl,-soname,libportsync.so",
];

/** Where to build and with what. */
export interface BuildOptions {
  /** The C compiler; default `cc`. */
  readonly compiler?: string;
  /** The library's path; default `build/libportsync.so` in the project. */
  readonly output?: string;
}

/** The library that could not be built, said for a person. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}

/**
 * Builds the library unless it is up to date. Several builds at once do not disturb each other:
 * the finished file is moved into place.
 *
 * @returns its absolute path, and whether anything was compiled
 * @throws {BuildError} when there is no compiler or it complains
 */
export async function build(options: BuildOptions = {}): Promise<{ path: string; built: boolean }> {
  const { compiler = "cc", output = `${ROOT}build/libportsync.so` } = options;
  const sources = (await filesOf(`${ROOT}c`)).sort();
  const stamp = await stampOf([compiler, ...FLAGS], sources);
  const stampFile = `${output}.stamp`;
  if (await exists(output) && await readText(stampFile) === stamp) {
    return { path: output, built: false };
  }
  await Deno.mkdir(output.slice(0, output.lastIndexOf("/")), { recursive: true });
  const draft = `${output}.${crypto.randomUUID()}`;
  const units = sources.filter((path) => path.endsWith(".c"));
  const map = `-Wl,--version-script=${ROOT}c/portsync.map`;
  try {
    await compile(compiler, [...FLAGS, map, ...units, "-o", draft]);
    await Deno.rename(draft, output);
  } finally {
    await Deno.remove(draft).catch(() => {});
  }
  await Deno.writeTextFile(stampFile, stamp);
  return { path: output, built: true };
}

/** The library's own files: the sources beside the headers, not their tests or programs. */
async function filesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isFile && /\.(c|h|def|map)$/.test(name) && name !== "launch.c") found.push(path);
    if (isDirectory && (name === "include" || name === "records")) {
      found.push(...await filesOf(path));
    }
  }
  return found;
}

/** Contents and not times, because a checkout touches files without changing them. */
async function stampOf(command: readonly string[], sources: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(command));
  for (const path of sources) {
    hash.update(`\0${path.slice(ROOT.length)}\0`).update(await Deno.readFile(path));
  }
  return hash.digest("hex");
}

async function compile(compiler: string, args: readonly string[]): Promise<void> {
  let result: Deno.CommandOutput;
  try {
    result = await new Deno.Command(compiler, { args: [...args] }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new BuildError(
      `The native library needs a C compiler and there is no ${compiler}. ` +
        `Install one, on Debian with: apt-get install ${
          compiler === "cc" ? "gcc libc6-dev" : `gcc-${compiler.replace(/-gcc$/, "")}`
        }`,
    );
  }
  if (!result.success) {
    const complaint = new TextDecoder().decode(result.stderr).trim();
    throw new BuildError(`${compiler} could not build the native library:\n${complaint}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function readText(path: string): Promise<string | undefined> {
  return await Deno.readTextFile(path).catch(() => undefined);
}

async function main(args: readonly string[]): Promise<number> {
  const target = args.map((arg) => /^--target=(x86_64|aarch64)$/.exec(arg)?.[1]).find(Boolean);
  if (args.length > (target === undefined ? 0 : 1)) {
    console.error("Usage: deno task build [--target=x86_64|aarch64]");
    return 64;
  }
  const options = target === undefined || target === Deno.build.arch ? {} : {
    compiler: `${target}-linux-gnu-gcc`,
    output: `${ROOT}build/${target}/libportsync.so`,
  };
  try {
    const { path, built } = await build(options);
    if (built) console.error(`Built ${path}`);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    return 69;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
