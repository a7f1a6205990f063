/**
 * Any command of portsync as a process of its own, from the sources.
 *
 * @module
 */
import { build } from "../../tools/build.ts";
import { ServerLog } from "./server_log.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** How to start a command. */
export interface CommandOptions {
  /** Flags of Deno instead of the default permission set; none for no permission at all. */
  readonly flags?: readonly string[];
  /** Names of the environment beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a command has said and how it ended. */
export interface Finished {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** A running command. Disposing of it kills it. */
export class RunningCommand implements AsyncDisposable {
  readonly pid: number;
  readonly out: ServerLog;
  readonly error: ServerLog;
  readonly #child: Deno.ChildProcess;

  /** Not for callers: use {@linkcode startCommand}. */
  constructor(child: Deno.ChildProcess) {
    this.pid = child.pid;
    this.out = new ServerLog(child.stdout);
    this.error = new ServerLog(child.stderr);
    this.#child = child;
  }

  /** Waits for its end. */
  async finished(): Promise<Finished> {
    const { code } = await this.#child.status;
    await Promise.all([this.out.ended, this.error.ended]);
    return { code, out: this.out.text, error: this.error.text };
  }

  /** Sends a signal; one to a process that is gone does nothing. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended by itself.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.finished();
  }
}

/**
 * Starts a command, or any words as they are given.
 *
 * @param words what stands behind `portsync`, or with `whole` the whole command line
 */
export async function startCommand(
  words: readonly string[],
  options: CommandOptions & { readonly whole?: boolean } = {},
): Promise<RunningCommand> {
  await build();
  const flags = options.flags ?? ["-P", `--allow-run=${Deno.execPath()}`];
  const own = [Deno.execPath(), "run", "-q", ...flags, `${ROOT}mod.ts`, ...words];
  const line = options.whole ? words : own;
  // With setpriv it ends with the test's thread, however that ends.
  const child = new Deno.Command("setpriv", {
    args: ["--pdeathsig", "KILL", ...line],
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new RunningCommand(child);
}

/** Runs a command to its end. */
export async function runCommand(
  words: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  await using command = await startCommand(words, options);
  return await command.finished();
}
