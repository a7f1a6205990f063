/**
 * Makes the files that follow from the schemas: the JSON Schema for editors and the reference page
 * of the components.
 *
 * ```sh
 * deno task schemas          # writes them
 * deno task schemas --check  # fails where a committed one differs
 * ```
 *
 * @module
 */
import { jsonSchema } from "../src/spec/json_schema.ts";
import { componentsPage } from "./docs.ts";

const ROOT = new URL("../", import.meta.url);

/** What is made, by its path in the project. */
export const generated: Readonly<Record<string, () => Promise<string>>> = {
  "schemas/pipeline.schema.json": () =>
    Promise.resolve(JSON.stringify(jsonSchema(), undefined, 2) + "\n"),
  "docs/components.md": componentsPage,
};

async function main(args: readonly string[]): Promise<number> {
  const check = args.includes("--check");
  let differing = 0;
  for (const [path, generate] of Object.entries(generated)) {
    const url = new URL(path, ROOT);
    const text = await generate();
    if (await Deno.readTextFile(url).catch(() => "") === text) continue;
    if (check) {
      differing++;
      console.error(`${path} is not what the schemas give; run deno task schemas and commit it`);
    } else {
      await Deno.writeTextFile(url, text);
      console.log(`wrote ${path}`);
    }
  }
  return differing === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
