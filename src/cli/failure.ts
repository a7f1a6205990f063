/**
 * What a failed command tells the operator.
 *
 * @module
 */
import { ExitCode, StopError } from "../core/errors.ts";
import { escapeControls } from "../core/escape.ts";

/** One message and the exit code that belongs to it. */
export interface Failure {
  /** For the operator, safe for a terminal. */
  readonly message: string;
  /** For scripts. */
  readonly exitCode: number;
}

/**
 * Puts an error into words. A missing permission becomes the flag that gives it; an error nobody
 * foresaw is owned up to as a fault of portsync.
 */
export function explainFailure(error: unknown, words: readonly string[]): Failure {
  if (error instanceof StopError) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof Deno.errors.NotCapable) {
    const flag = /--allow-[a-z]+(?:=\S+)?/.exec(error.message)?.[0] ?? "--allow-all";
    return {
      message: `Permission missing: ${escapeControls(error.message)}. ` +
        `Start with the permission set of deno.json, "deno run -P mod.ts ${words.join(" ")}", ` +
        `or add ${flag}`,
      exitCode: ExitCode.unavailable,
    };
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const place = error instanceof Error ? /\n\s+(at .*)/.exec(error.stack ?? "")?.[1] : undefined;
  return {
    message: `This is a fault of portsync, please report it: ${escapeControls(text)}` +
      (place === undefined ? "" : ` (${place})`),
    exitCode: ExitCode.internal,
  };
}
