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
  { name: "models", args: ["task", "-q", "models"] },
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
  const count = { ok: 0, FAILED: 0, "left out": 0 };
  for (const part of PARTS.filter((part) => chosen.includes(part.name))) count[await judge(part)]++;
  console.log(`${count.ok} passed, ${count.FAILED} failed`);
  return count.FAILED === 0 ? 0 : 1;
}

/** What a part ends with that cannot run on this machine, as automake has it. */
const LEFT_OUT = 77;

async function judge({ name, args }: Part): Promise<"ok" | "FAILED" | "left out"> {
  const begin = performance.now();
  const { code, output } = await tee(Deno.execPath(), { args, show: false });
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const verdict = code === 0 ? "ok" : code === LEFT_OUT ? "left out" : "FAILED";
  if (verdict !== "ok") console.log(output.trimEnd());
  console.log(`${name.padEnd(9)} ${verdict} (${seconds} s)`);
  return verdict;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
