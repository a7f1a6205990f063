/**
 * When a process that ended is started again.
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import type { ProcessEnding } from "./process.ts";

/** The wait before the first restart, milliseconds. */
const FIRST_MS = 100;

/** The longest wait between two starts, milliseconds. */
const LONGEST_MS = 30_000;

/** The wait where only an operator can mend what is wrong, milliseconds. */
const HOPELESS_MS = 60_000;

/** After running this long a process counts as healthy, and the waits begin anew. */
const HEALTHY_MS = 60_000;

/** What follows from the end of a process. */
export type Verdict =
  | { readonly do: "finish" }
  /** `hopeless` when it cannot run before an operator changes something. */
  | { readonly do: "restart"; readonly wait_ms: number; readonly hopeless: boolean };

/** The waits double from restart to restart, until a process has been healthy for a while. */
export class RestartPolicy {
  #failures = 0;

  /** Says what follows for a process that has `lived` so long, milliseconds. */
  judge({ code, signal }: ProcessEnding, lived: number): Verdict {
    if (code === ExitCode.ok && signal === null) return { do: "finish" };
    if (lived >= HEALTHY_MS) this.#failures = 0;
    const wait_ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures++;
    if (isHopeless(code)) return { do: "restart", wait_ms: HOPELESS_MS, hopeless: true };
    return { do: "restart", wait_ms, hopeless: false };
  }
}

/** Exit codes of errors that another start does not mend. */
function isHopeless(code: number): boolean {
  return code === ExitCode.usage || code === ExitCode.unavailable || code === ExitCode.config;
}
