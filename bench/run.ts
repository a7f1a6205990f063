/**
 * Runs a benchmark, or says which there are.
 *
 * ```sh
 * deno task bench             # what there is
 * deno task bench end_to_end  # bench/end_to_end/bench.ts
 * ```
 *
 * @module
 */

const FOLDER = new URL("./", import.meta.url);

async function benchmarks(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(FOLDER)) {
    if (!isDirectory) continue;
    const module = new URL(`${name}/bench.ts`, FOLDER);
    if (await Deno.stat(module).then(() => true, () => false)) names.push(name);
  }
  return names.sort();
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  const known = await benchmarks();
  if (name === undefined || !known.includes(name)) {
    console.error(`Usage: deno task bench ${known.join("|")} [ARGUMENTS]`);
    return 64;
  }
  const module = new URL(`${name}/bench.ts`, FOLDER).pathname;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--v8-flags=--expose-gc", module, ...args],
  }).spawn().status;
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
