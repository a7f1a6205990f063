/**
 * What an error of SQLite means for whoever wrote: the one table of it.
 *
 * @module
 */
import { ReconnectError, RejectError, RetryLaterError } from "../../core/errors.ts";

/**
 * Result codes of https://sqlite.org/rescode.html that pass by themselves: BUSY and LOCKED while
 * another process writes, NOMEM, and FULL until the operator makes room.
 */
const RETRY_LATER: ReadonlySet<number> = new Set([5, 6, 7, 13]);

/** Codes that speak of the data: TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const REJECT: ReadonlySet<number> = new Set([18, 19, 20, 25]);

/**
 * Turns what `node:sqlite` throws into one of the classes of `core/errors.ts`.
 *
 * @param file for the message
 */
export function sqliteError(cause: unknown, file: string): Error {
  if (cause instanceof RejectError || cause instanceof ReconnectError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const code = resultCode(cause);
  if (RETRY_LATER.has(code)) {
    return new RetryLaterError(`${file} cannot be written now: ${why}`, { cause });
  }
  if (REJECT.has(code)) return new RejectError(`${file} does not take this: ${why}`, { cause });
  // Everything else speaks of the file: open it again.
  return new ReconnectError(`${file} cannot be used: ${why}`, { cause });
}

/** The primary code, which is the low byte of the extended one; 0 when there is none. */
function resultCode(cause: unknown): number {
  if (!(cause instanceof Error) || !("errcode" in cause)) return 0;
  return typeof cause.errcode === "number" ? cause.errcode & 0xff : 0;
}
