/**
 * Runs the tests, all of them or those named, and closes with a line that machines can read.
 *
 * ```sh
 * deno task test                         # everything
 * deno task test src/redis --filter=AUTH # any argument of `deno test`
 * ```
 *
 * Tests beside their source run under narrow permissions. Those in `tests/` look at processes in
 * `/proc`, for which Deno asks for everything.
 *
 * @module
 */
import { tee } from "./tee.ts";

/** After this long something hangs, and the output says where. */
const DEADLINE_MS = 13 * 60_000;

/** Programs that tests beside their source may start. */
const PROGRAMS = [Deno.execPath(), "ip", "redis-server", "redis-cli", "cc", "sh", "openssl"];

/** Arguments of `deno test` for the tests beside their source. */
const UNIT: readonly string[] = [
  ...["test", "-q", "-P=unit", `--allow-run=${PROGRAMS.join(",")}`, "--parallel"],
];

/** Arguments of `deno test` for all others. */
const ANY: readonly string[] = ["test", "-q", "-P", "--parallel"];

/** What the permissions of `UNIT` take for granted. */
const UNIT_ENV: Readonly<Record<string, string>> = { TMPDIR: "/tmp" };

/** How many tests passed, failed and were left out. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/**
 * Reads the summary of `deno test`. A run that ended badly without a failed test (it did not
 * compile, it was killed) counts as one failure.
 */
export function countTests(output: string, success: boolean): Count {
  const summary = output.replaceAll(ANSI_COLOUR, "").matchAll(SUMMARY);
  const [, passed = "0", failed = "0", ignored = "0"] = [...summary].at(-1) ?? [];
  const failures = Number(failed);
  return {
    passed: Number(passed),
    failed: success ? failures : Math.max(1, failures),
    ignored: Number(ignored),
  };
}

const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/gm;

// deno-lint-ignore no-control-regex -- colours are control sequences
const ANSI_COLOUR = /\x1b\[[0-9;]*m/g;

async function main(args: readonly string[]): Promise<number> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const runs = args.some((arg) => !arg.startsWith("-")) ? [[...ANY, ...args]] : [
    [...UNIT, "--permit-no-files", ...args, "src", "ffi", "tools"],
    [...ANY, "--permit-no-files", ...args, "tests"],
  ];
  let sum: Count = { passed: 0, failed: 0, ignored: 0 };
  for (const run of runs) {
    const { output, success } = await tee(Deno.execPath(), { args: run, env: UNIT_ENV, signal });
    const { passed, failed, ignored } = countTests(output, success);
    sum = {
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      ignored: sum.ignored + ignored,
    };
  }
  const minutes = DEADLINE_MS / 60_000;
  if (signal.aborted) console.log(`The tests did not end within ${minutes} minutes`);
  if (sum.ignored > 0) console.log(`${sum.ignored} left out, for the reason beside each`);
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  return sum.failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
