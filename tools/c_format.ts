/**
 * Holds the C code to `.clang-format`, where clang-format is installed.
 *
 * ```sh
 * deno task ok c-format
 * ```
 *
 * @module
 */

const ROOT = new URL("..", import.meta.url).pathname;

async function sourcesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    if (isDirectory) found.push(...await sourcesOf(`${folder}/${name}`));
    else if (/\.[ch]$/.test(name)) found.push(`${ROOT}${folder}/${name}`);
  }
  return found.sort();
}

async function main(): Promise<number> {
  const sources = [...await sourcesOf("c"), ...await sourcesOf("bench")];
  try {
    const { success, stderr } = await new Deno.Command("clang-format", {
      args: ["--dry-run", "-Werror", ...sources],
    }).output();
    console.log(new TextDecoder().decode(stderr));
    return success ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("There is no clang-format here, so the shape of the C code is not looked at");
    return 77;
  }
}

if (import.meta.main) Deno.exit(await main());
