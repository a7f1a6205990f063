/**
 * What an error of SQLite means for whoever wrote: the one table of it.
 *
 * @module
 */
import { ReconnectError, RejectError, RetryLaterError } from "../../core/errors.ts";

/** Result codes of https://sqlite.org/rescode.html by what to do next. */
const RETRY_LATER: ReadonlySet<number> = new Set([
  5, // BUSY: another process writes
  6, // LOCKED
  7, // NOMEM
  13, // FULL: the operator makes room
]);
const REOPEN: ReadonlySet<number> = new Set([
  3, // PERM
  8, // READONLY
  10, // IOERR
  11, // CORRUPT
  14, // CANTOPEN
  21, // MISUSE: the file was closed meanwhile
  23, // AUTH
  26, // NOTADB
]);

/**
 * Turns what `node:sqlite` throws into one of the classes of `core/errors.ts`.
 *
 * @param file for the message
 */
export function sqliteError(cause: unknown, file: string): Error {
  if (cause instanceof RejectError || cause instanceof ReconnectError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const code = resultCode(cause);
  if (code !== undefined && RETRY_LATER.has(code)) {
    return new RetryLaterError(`${file} cannot be written now: ${why}`, { cause });
  }
  if (code === undefined || REOPEN.has(code)) {
    return new ReconnectError(`${file} cannot be used: ${why}`, { cause });
  }
  return new RejectError(`${file} does not take this: ${why}`, { cause });
}

/** The primary code, which is the low byte of the extended one. */
function resultCode(cause: unknown): number | undefined {
  if (!(cause instanceof Error) || !("errcode" in cause)) return undefined;
  return typeof cause.errcode === "number" ? cause.errcode & 0xff : undefined;
}
