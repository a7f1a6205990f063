/**
 * Says whether the project is fit: every check there is, or those named.
 *
 * ```sh
 * deno task ok             # everything
 * deno task ok lint types  # some parts
 * deno task check          # everything but the tests
 * ```
 *
 * A part that fails shows its output and does not keep the others from running. The closing line
 * counts the parts; `deno task test` counts tests.
 *
 * @module
 */
import { tee } from "./tee.ts";

/** One check. */
interface Part {
  readonly name: string;
  /** Arguments of deno. */
  readonly args: readonly string[];
}

const EXAMPLES = ["--config=tools/doc_examples.json", "--import-map=deno.json"];

/** Every part, quick ones first. */
const PARTS: readonly Part[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "c-format", args: ["run", "-q", "-P=c", "tools/c_format.ts"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["check", "-q", "."] },
  { name: "docs", args: ["doc", "--lint", "mod.ts", "src/core"] },
  // By settings of their own: what Deno puts around an example has unused imports.
  { name: "examples", args: ["check", "-q", "--doc-only", "--no-lock", ...EXAMPLES, "."] },
  { name: "schemas", args: ["task", "-q", "schemas", "--check"] },
  { name: "coverage", args: ["task", "-q", "coverage"] },
  { name: "c", args: ["task", "-q", "c:check"] },
  { name: "test", args: ["task", "-q", "test"] },
];

async function main(args: readonly string[]): Promise<number> {
  const names = PARTS.map((part) => part.name);
  const all = args.includes("--no-test") ? names.filter((name) => name !== "test") : names;
  const wanted = args.filter((arg) => arg !== "--no-test");
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`Usage: deno task ok [${names.join("|")}]…`);
    return 64;
  }
  const chosen = wanted.length > 0 ? wanted : all;
  let failed = 0;
  for (const part of PARTS.filter((part) => chosen.includes(part.name))) {
    if (!await passes(part)) failed++;
  }
  console.log(`${chosen.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function passes({ name, args }: Part): Promise<boolean> {
  const begin = performance.now();
  const { success, output } = await tee(Deno.execPath(), { args, show: false });
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  if (!success) console.log(output.trimEnd());
  console.log(`${name.padEnd(9)} ${success ? "ok" : "FAILED"} (${seconds} s)`);
  return success;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
