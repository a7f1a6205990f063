/**
 * Runs the own tests of the parts that nothing may slip through, and fails where a line or a
 * branch of them was never run, unless `tests/COVERAGE-EXCEPTIONS.md` says why.
 *
 * ```sh
 * deno task coverage
 * ```
 *
 * @module
 */
import { judge, readExceptions, readLcov } from "./coverage/judge.ts";
import { tee } from "./tee.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const FOLDER = `${ROOT}build/coverage`;
const EXCEPTIONS = "tests/COVERAGE-EXCEPTIONS.md";

/** Folders that must be covered, each with the tests that cover it. */
const PARTS: readonly { readonly covered: string; readonly tests: RegExp }[] = [
  {
    covered: "src/transforms/ksync",
    tests: /^(?:src\/transforms\/ksync\/|tests\/properties\/ksync_)/,
  },
  { covered: "src/redis/codec", tests: /^src\/redis\/codec\// },
  { covered: "src/netipc", tests: /^(?:src\/netipc\/|tests\/netipc_)/ },
  { covered: "src/sources/netipc", tests: /^(?:src\/sources\/netipc\/|tests\/netipc_)/ },
  { covered: "src/sources/shm", tests: /^(?:src\/sources\/shm\/|tests\/netipc_)/ },
  { covered: "src/sources/uds", tests: /^(?:src\/sources\/uds\/|tests\/netipc_)/ },
];

/** How many histories the property tests live through, fewer than in a test for itself. */
const HISTORIES = 20_000;

async function main(): Promise<number> {
  const modules = [...await modulesOf("src"), ...await modulesOf("tests")];
  const isTest = (path: string) => path.endsWith("_test.ts");
  const sources = modules.filter((path) =>
    !isTest(path) && PARTS.some(({ covered }) => path.startsWith(`${covered}/`))
  );
  const tests = modules.filter((path) =>
    isTest(path) && PARTS.some((part) => part.tests.test(path))
  );
  const lcov = await measure(tests, sources);
  if (lcov === undefined) return 1;
  const files = await Promise.all(
    readLcov(lcov).map(async (coverage) => ({
      ...coverage,
      path: coverage.path.slice(ROOT.length),
      source: await Deno.readTextFile(coverage.path),
    })),
  );
  const exceptions = readExceptions(await Deno.readTextFile(ROOT + EXCEPTIONS));
  const { complaints, excused } = judge(files, exceptions);
  for (const complaint of complaints) console.log(complaint);
  const sum = (count: (file: typeof files[number]) => number) =>
    files.reduce((total, file) => total + count(file), 0);
  console.log(
    `${files.length} files, ${sum((file) => file.lines)} lines and ` +
      `${sum((file) => file.branches)} branches; ${excused} excused in ${EXCEPTIONS}`,
  );
  return complaints.length === 0 ? 0 : 1;
}

/** Runs the tests and returns the report, or undefined after showing why there is none. */
async function measure(
  tests: readonly string[],
  sources: readonly string[],
): Promise<string | undefined> {
  await Deno.mkdir(FOLDER, { recursive: true });
  const data = await Deno.makeTempDir({ dir: FOLDER, prefix: "data-" });
  try {
    // A file that no test loads is in no report, so this loads them all.
    const loadAll = `${data}/load_all_test.ts`;
    await Deno.writeTextFile(loadAll, sources.map((path) => `import "${ROOT}${path}";\n`).join(""));
    const run = await tee(Deno.execPath(), {
      show: false,
      args: [
        ...["test", "-q", "-P", "--parallel", "--no-check", "--reporter=dot"],
        ...[`--coverage=${data}/raw`, "--coverage-raw-data-only"],
        ...[loadAll, ...tests.map((test) => ROOT + test)],
        ...["--", `--ksync-runs=${HISTORIES}`],
      ],
    });
    if (!run.success) {
      console.log(run.output);
      return undefined;
    }
    const include = sources.map((path) =>
      `--include=^file://${ROOT}${path.replaceAll(".", "\\.")}$`
    );
    const report = await new Deno.Command(Deno.execPath(), {
      args: ["coverage", "-q", "--lcov", ...include, `${data}/raw`],
    }).output();
    if (!report.success) console.log(new TextDecoder().decode(report.stderr));
    return report.success ? new TextDecoder().decode(report.stdout) : undefined;
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

async function modulesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await modulesOf(path));
    else if (name.endsWith(".ts")) found.push(path);
  }
  return found.sort();
}

if (import.meta.main) Deno.exit(await main());
