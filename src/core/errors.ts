/**
 * Errors by what the caller does next, not by where they were thrown.
 *
 * @module
 */

/** The same request may succeed a little later: out of memory, loading, busy. */
export class RetryLaterError extends Error {
  /** The class, also after minifying. */
  override readonly name = "RetryLaterError";
}

/** The other side is gone: connect again, read its state, then go on. */
export class ReconnectError extends Error {
  /** The class, also after minifying. */
  override readonly name = "ReconnectError";
}

/** These changes can never be applied as they are; the others can. */
export class RejectError extends Error {
  /** The class, also after minifying. */
  override readonly name = "RejectError";
}

/** Nothing can go on until an operator changes something: a wrong password, a missing file. */
export class StopError extends Error {
  /** The class, also after minifying. */
  override readonly name = "StopError";
  /** The exit code that tells the operator's scripts what it was. */
  readonly exitCode: number;

  /** `exitCode` is 69, a needed service is missing, when left out. */
  constructor(message: string, options: ErrorOptions & { exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? ExitCode.unavailable;
  }
}

/** Whether the same request is worth sending again, now or after a reconnect. */
export function isRetriable(error: unknown): boolean {
  return error instanceof RetryLaterError || error instanceof ReconnectError;
}

/** The exit codes of every command, after sysexits. */
export const ExitCode = {
  ok: 0,
  /** All is well, and what was asked about is not known. */
  unknown: 1,
  /** The command line is wrong. */
  usage: 64,
  /** A needed service, program or permission is missing. */
  unavailable: 69,
  /** A fault of portsync itself. */
  internal: 70,
  /** The spec is wrong. */
  config: 78,
} as const;
