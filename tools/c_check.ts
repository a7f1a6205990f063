/**
 * Every check of the C library that needs no Deno: its tests under the address, undefined-behaviour
 * and thread sanitizers, line and branch coverage, its size, and the fuzz targets for a bounded time.
 *
 * ```sh
 * deno task c:check                   # all, five seconds for each fuzz target
 * deno task c:check --fuzz-seconds=600
 * deno task c:check netlink           # only tests and targets whose names hold this
 * ```
 *
 * Tests are the programs `c/tests/*_test.c`, those for the thread sanitizer `*_race_test.c`; one
 * that returns 77 cannot run here. Fuzz targets are `c/fuzz/fuzz_*.c`; their first inputs are in
 * `c/fuzz/corpus/NAME`, or written by `c/fuzz/seeds_NAME.c`. Coverage is only compared when all
 * tests run.
 *
 * @module
 */
import { WARNINGS } from "./build.ts";
import { compare, type FileCoverage, readCoverage, readExceptions } from "./c_coverage.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** A folder of each run's own: two at the same time would spoil each other's counts. */
const OUTPUT = `${ROOT}build/c/${crypto.randomUUID()}`;
/** Where inputs stay that end a fuzz target. */
const FINDINGS = `${ROOT}build/c/`;
/** No test or compilation takes longer than this. */
const LIMIT_MS = 120_000;
const SKIPPED = 77;
/** Coverage below this, exceptions not counted, fails even where every gap is explained. */
const LEAST_BRANCHES = 0.9;
/** The library has no more lines than this, without blank ones and comments. */
const MOST_LINES = 4000;
/** Headers for programs of others; nothing of the library includes them. */
const FOR_OTHERS = /^ps_(?:change|producer)\.h$/;

interface Flavour {
  readonly name: string;
  readonly compiler: string;
  /** For compiling and for linking. */
  readonly flags: readonly string[];
}

const ADDRESS: Flavour = {
  name: "address",
  compiler: "cc",
  flags: ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
};
const THREAD: Flavour = {
  name: "thread",
  compiler: "cc",
  flags: ["-O1", "-g", "-fsanitize=thread"],
};
const COVERAGE: Flavour = {
  name: "coverage",
  compiler: "cc",
  flags: ["-O0", "-g", "--coverage", "-fprofile-abs-path"],
};
const LIBFUZZER: Flavour = {
  name: "libFuzzer",
  compiler: "clang",
  flags: ["-O1", "-g", "-fsanitize=fuzzer-no-link,address,undefined", "-fno-sanitize-recover=all"],
};

interface Result {
  readonly code: number;
  readonly output: string;
}

async function main(args: readonly string[]): Promise<number> {
  const option = args.map((arg) => /^--fuzz-seconds=(\d+)$/.exec(arg)?.[1]).find(Boolean);
  const [name = "", ...more] = args.filter((arg) => !arg.startsWith("--"));
  if (more.length > 0 || args.length > (name === "" ? 0 : 1) + (option === undefined ? 0 : 1)) {
    console.error("Usage: deno task c:check [--fuzz-seconds=N] [NAME]");
    return 64;
  }
  await Deno.mkdir(OUTPUT, { recursive: true });
  try {
    const failed = await check(name, Number(option ?? 5));
    console.log(failed === 0 ? "c: all is well" : `c: ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    await Deno.remove(OUTPUT, { recursive: true });
  }
}

/** Runs everything whose name holds `name`; returns how many failed. */
async function check(name: string, fuzzSeconds: number): Promise<number> {
  const tests = await filesIn("c/tests", /_test\.c$/, name);
  const races = tests.filter((path) => path.endsWith("_race_test.c"));
  const single = tests.filter((path) => !races.includes(path));
  const targets = await filesIn("c/fuzz", /^fuzz_.*\.c$/, name);
  let failed = await runTests(ADDRESS, single) + await runTests(THREAD, races);
  failed += await runTests(COVERAGE, single);
  if (name === "" && !await checkCoverage()) failed++;
  if (name === "" && !await checkSize()) failed++;
  return failed + await fuzz(targets, fuzzSeconds);
}

async function filesIn(folder: string, pattern: RegExp, name: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(ROOT + folder)) {
    if (entry.isFile && pattern.test(entry.name) && entry.name.includes(name)) {
      names.push(`${folder}/${entry.name}`);
    }
  }
  return names.sort();
}

async function runTests(flavour: Flavour, tests: readonly string[]): Promise<number> {
  let failed = 0;
  for (const test of tests) {
    const program = await buildProgram(flavour, [test]);
    // Without randomised addresses, since the thread sanitizer needs its shadow's place free.
    const { code, output } = await run("setarch", ["-R", program]);
    const verdict = code === 0 ? "ok" : code === SKIPPED ? "skipped" : "FAILED";
    console.log(`${flavour.name.padEnd(8)} ${base(test).padEnd(24)} ${verdict}`);
    if (verdict !== "FAILED") continue;
    failed++;
    console.log(output);
  }
  return failed;
}

/**
 * Builds a program with the library. The library is an archive, so a program that includes a file
 * of it in its own text, or has its own functions in the place of some, gets no second ones.
 */
async function buildProgram(
  flavour: Flavour,
  sources: readonly string[],
  linking: readonly string[] = [],
): Promise<string> {
  const { name, compiler, flags } = flavour;
  const own = await Promise.all(
    sources.map((source) => compileObject(flavour, source, `${OUTPUT}/${name}-${base(source)}.o`)),
  );
  const program = `${OUTPUT}/${name}-${base(sources[0] ?? "")}`;
  const library = await archive(flavour);
  await must(compiler, [...flags, ...linking, ...own, library, "-pthread", "-o", program]);
  return program;
}

const archives = new Map<string, Promise<string>>();

/** The library of a flavour, built once. */
function archive(flavour: Flavour): Promise<string> {
  const known = archives.get(flavour.name) ?? buildArchive(flavour);
  archives.set(flavour.name, known);
  return known;
}

async function buildArchive(flavour: Flavour): Promise<string> {
  const path = `${OUTPUT}/${flavour.name}-library.a`;
  const sources = await filesIn("c", /^(?!launch).*\.c$/, "");
  const objects = await Promise.all(
    sources.map((source) =>
      compileObject(flavour, source, `${OUTPUT}/${flavour.name}-library-${base(source)}.o`)
    ),
  );
  await Deno.remove(path).catch(() => {});
  await must("ar", ["rc", path, ...objects]);
  return path;
}

async function compileObject(flavour: Flavour, source: string, path: string): Promise<string> {
  // clang has warnings of its own; those of gcc are the ones we keep to.
  const warnings = flavour.compiler === "cc" ? WARNINGS : ["-std=c11", "-D_GNU_SOURCE"];
  await must(flavour.compiler, [
    ...warnings,
    ...flavour.flags,
    "-pthread",
    "-c",
    ROOT + source,
    "-o",
    path,
  ]);
  return path;
}

async function checkCoverage(): Promise<boolean> {
  const sources = new Map<string, string>();
  for (const path of await filesIn("c", /\.[ch]$/, "")) {
    sources.set(path.slice("c/".length), await Deno.readTextFile(ROOT + path));
  }
  const outputs: string[] = [];
  for await (const { name } of Deno.readDir(OUTPUT)) {
    if (!name.endsWith(".gcda")) continue;
    const { stdout } = await command("gcov", ["-b", "-t", "--json-format", `${OUTPUT}/${name}`]);
    outputs.push(...stdout.split("\n").filter((line) => line.startsWith("{")));
  }
  const coverage = readCoverage(outputs, sources);
  const exceptions = readExceptions(await Deno.readTextFile(`${ROOT}c/COVERAGE-EXCEPTIONS.md`));
  const { gaps, idle } = compare(coverage, exceptions);
  for (const file of coverage) console.log(describe(file));
  for (const { file, line, text, what } of gaps) {
    console.log(`c/${file}:${line}: this ${what} is not covered: ${text}`);
  }
  for (const { file, text } of idle) {
    console.log(`c/COVERAGE-EXCEPTIONS.md: ${file} no longer needs the exception for: ${text}`);
  }
  const branches = coverage.reduce((sum, file) => sum + file.branches, 0);
  const hit = coverage.reduce((sum, file) => sum + file.branchesHit, 0);
  return gaps.length === 0 && idle.length === 0 && hit >= branches * LEAST_BRANCHES;
}

async function checkSize(): Promise<boolean> {
  const headers = (await filesIn("c/include", /\.h$/, "")).filter((path) =>
    !FOR_OTHERS.test(path.slice("c/include/".length))
  );
  let lines = 0;
  for (const path of [...await filesIn("c", /^(?!launch).*\.[ch]$/, ""), ...headers]) {
    const code = (await Deno.readTextFile(ROOT + path)).replace(/\/\*[^]*?\*\//g, "");
    lines += code.split("\n").filter((line) => line.trim() !== "").length;
  }
  console.log(`size     ${lines} lines of ${MOST_LINES}`);
  return lines <= MOST_LINES;
}

function describe({ file, lines, linesHit, branches, branchesHit }: FileCoverage): string {
  return `coverage ${
    file.padEnd(24)
  } lines ${linesHit}/${lines}, branches ${branchesHit}/${branches}`;
}

async function fuzz(targets: readonly string[], seconds: number): Promise<number> {
  let failed = 0;
  for (const target of seconds > 0 ? targets : []) {
    const name = base(target).replace(/^fuzz_/, "");
    const corpus = await firstInputs(name);
    const { code, output, engine } = await fuzzOne(target, corpus, seconds);
    const executions = /(?:executed_units|executions): +(\d+)/.exec(output)?.[1] ?? "no";
    const verdict = code === 0 ? "ok" : "FAILED";
    console.log(`fuzz     ${name.padEnd(24)} ${verdict}, ${executions} executions by ${engine}`);
    if (code !== 0) {
      failed++;
      console.log(output);
    }
  }
  return failed;
}

/** A folder of first inputs that may be added to. */
async function firstInputs(name: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: `portsync-fuzz-${name}-` });
  const kept = `${ROOT}c/fuzz/corpus/${name}`;
  if (await exists(kept)) {
    for await (const entry of Deno.readDir(kept)) {
      await Deno.copyFile(`${kept}/${entry.name}`, `${folder}/${entry.name}`);
    }
  }
  const seeds = `c/fuzz/seeds_${name}.c`;
  if (await exists(ROOT + seeds)) {
    const program = `${OUTPUT}/seeds-${name}`;
    await must("cc", [...WARNINGS, ROOT + seeds, "-o", program]);
    await must(program, [folder]);
  }
  return folder;
}

async function fuzzOne(
  target: string,
  corpus: string,
  seconds: number,
): Promise<Result & { engine: string }> {
  const limit = (seconds + 60) * 1000;
  try {
    if ((await run("clang", ["--version"])).code !== 0) {
      const program = await buildProgram(ADDRESS, [target, "c/fuzz/driver.c"]);
      const result = await run("nice", [program, corpus, String(seconds)], limit);
      return { ...result, engine: "the plain driver, as there is no clang" };
    }
    const program = await buildProgram(LIBFUZZER, [target], ["-fsanitize=fuzzer"]);
    const args = [`-max_total_time=${seconds}`, "-print_final_stats=1", "-verbosity=0"];
    const artifacts = `-artifact_prefix=${FINDINGS}${base(target)}-`;
    const result = await run("nice", [program, ...args, artifacts, corpus], limit);
    return { ...result, engine: "libFuzzer" };
  } finally {
    await Deno.remove(corpus, { recursive: true });
  }
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}\n${output}`);
}

async function run(program: string, args: readonly string[], limit = LIMIT_MS): Promise<Result> {
  const { code, stdout, stderr } = await command(program, args, limit);
  return { code, output: stdout + stderr };
}

async function command(
  program: string,
  args: readonly string[],
  limit = LIMIT_MS,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = new TextDecoder();
  const timeout = AbortSignal.timeout(limit);
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      signal: timeout,
    }).output();
    const late = timeout.aborted ? `It was ended after ${limit / 1000} seconds\n` : "";
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) + late };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { code: 127, stdout: "", stderr: `There is no program ${program}` };
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function base(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.c$/, "");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
