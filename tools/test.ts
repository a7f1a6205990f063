/**
 * Runs the tests, all of them or those named, and closes with a line that machines can read.
 *
 * ```sh
 * deno task test                         # everything
 * deno task test src/redis --filter=AUTH # any argument of `deno test`
 * ```
 *
 * @module
 */
import { tee } from "./tee.ts";

/** After this long something hangs, and the output says where. */
const DEADLINE_MS = 15 * 60_000;

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
  const result = await tee(Deno.execPath(), {
    args: ["test", "-q", "-P", "--parallel", ...args],
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const { passed, failed, ignored } = countTests(result.output, result.success);
  if (result.timedOut) console.log(`The tests did not end within ${DEADLINE_MS / 60_000} minutes`);
  if (ignored > 0) console.log(`${ignored} left out on this machine`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
