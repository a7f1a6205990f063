/**
 * Results of native calls: a number of use, or a negative errno that becomes an error by what the
 * caller does next.
 *
 * @module
 */
import { RetryLaterError, StopError } from "../src/core/errors.ts";

/** What an errno means here: its name, what happened, and what an operator can do. */
interface Meaning {
  readonly code: string;
  readonly what: string;
  readonly advice?: string;
  readonly transient?: true;
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  1: {
    code: "EPERM",
    what: "the operation is not permitted",
    advice: "run as root or with the capabilities CAP_NET_ADMIN and CAP_SYS_ADMIN",
  },
  2: { code: "ENOENT", what: "there is no such file", advice: "check the name" },
  4: { code: "EINTR", what: "the call was interrupted", transient: true },
  5: { code: "EIO", what: "reading or writing failed" },
  7: { code: "E2BIG", what: "there is too much of it" },
  9: { code: "EBADF", what: "the handle is closed" },
  11: { code: "EAGAIN", what: "the other side is not ready", transient: true },
  12: { code: "ENOMEM", what: "there is no memory left", transient: true },
  13: {
    code: "EACCES",
    what: "the path is not in the grant, or its permissions forbid it",
    advice: "name the path in the spec; portsync explain prints the grant",
  },
  16: { code: "EBUSY", what: "somebody else uses it", transient: true },
  17: { code: "EEXIST", what: "it exists already" },
  19: { code: "ENODEV", what: "there is no such device" },
  20: { code: "ENOTDIR", what: "a part of the path is no folder" },
  22: { code: "EINVAL", what: "an argument is wrong" },
  23: { code: "ENFILE", what: "the system has too many open files", transient: true },
  24: { code: "EMFILE", what: "the process has too many open files", transient: true },
  28: { code: "ENOSPC", what: "there is no space left" },
  32: { code: "EPIPE", what: "the other side is gone" },
  34: { code: "ERANGE", what: "a value is out of range" },
  36: { code: "ENAMETOOLONG", what: "the path is too long" },
  40: {
    code: "ELOOP",
    what: "a symbolic link stands in the path",
    advice: "write the path without links, for example /run in the place of /var/run",
  },
  71: { code: "EPROTO", what: "the other side does not keep to the protocol" },
  74: { code: "EBADMSG", what: "a message could not be read" },
  87: { code: "EUSERS", what: "there is no free session", transient: true },
  90: { code: "EMSGSIZE", what: "the message is too long" },
  92: { code: "ENOPROTOOPT", what: "the other side is not compatible" },
  93: { code: "EPROTONOSUPPORT", what: "there is no common protocol" },
  95: { code: "EOPNOTSUPP", what: "it is not supported" },
  97: { code: "EAFNOSUPPORT", what: "the kernel does not know this kind of address" },
  98: { code: "EADDRINUSE", what: "the address is in use" },
  104: { code: "ECONNRESET", what: "the other side broke the connection off" },
  105: { code: "ENOBUFS", what: "a buffer is full", transient: true },
  110: { code: "ETIMEDOUT", what: "it took too long", transient: true },
  111: { code: "ECONNREFUSED", what: "nobody listens there", transient: true },
  114: { code: "EALREADY", what: "it was done before, differently" },
  115: { code: "EINPROGRESS", what: "the one before has not ended", transient: true },
  131: {
    code: "ENOTRECOVERABLE",
    what: "a thread could not return to its own network namespace",
    advice: "the process must end and start again",
  },
};

/** What a native call said, kept as the `cause` of the error that is thrown. */
export class NativeError extends Error {
  override readonly name = "NativeError";
  /** The name of the errno, such as `EACCES`; `E` and its number when it is not known here. */
  readonly code: string;
  /** The errno, positive. */
  readonly errno: number;
  /** What the kernel itself said of it, safe to print; empty where it said nothing. */
  readonly words: string;

  constructor(errno: number, words = "") {
    const { code, what } = meaningOf(errno);
    super(`${what} (${code})` + (words === "" ? "" : `; the kernel says: ${words}`));
    this.code = code;
    this.errno = errno;
    this.words = words;
  }
}

/**
 * Passes the result of a native call on, or throws.
 *
 * @param action what was tried, to stand after "Cannot": `open the link socket`
 * @throws {RetryLaterError | StopError} with a {@linkcode NativeError} as its cause
 */
export function unwrap(result: number, action: string): number {
  if (result >= 0) return result;
  throw nativeError(-result, action);
}

/**
 * The error for an errno: to try again later where that can help, and otherwise to stop.
 *
 * @param words the kernel's own, safe to print; they say more than any advice from here
 */
export function nativeError(
  errno: number,
  action: string,
  words = "",
): RetryLaterError | StopError {
  const { advice, transient } = meaningOf(errno);
  const cause = new NativeError(errno, words);
  const message = `Cannot ${action}: ${cause.message}` +
    (advice === undefined || words !== "" ? "" : `; ${advice}`);
  return transient ? new RetryLaterError(message, { cause }) : new StopError(message, { cause });
}

/** What a native call said that is somewhere behind an error. */
export function nativeCause(error: unknown): NativeError | undefined {
  if (error instanceof NativeError) return error;
  return error instanceof Error ? nativeCause(error.cause) : undefined;
}

/** The errno of a native call that is somewhere behind an error. */
export function errnoOf(error: unknown): number | undefined {
  return nativeCause(error)?.errno;
}

function meaningOf(errno: number): Meaning {
  return MEANINGS[errno] ?? { code: `E${errno}`, what: "the system refused" };
}
