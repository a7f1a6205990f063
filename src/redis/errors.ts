/**
 * What an error reply of the server means for whoever sent the command: the one table of it.
 *
 * A daemon must not die of something that an operator can mend at the server while it runs. So a
 * wrong password, a missing permission, a full memory and a read-only replica are all tried again,
 * and each says so in one line. Only what can never work with this spec stops a pipeline, and only
 * before the server was ever reached with it: see `Link`.
 *
 * | code | class | why |
 * | --- | --- | --- |
 * | LOADING, BUSY, TRYAGAIN, MASTERDOWN, CLUSTERDOWN, NOREPLICAS | retry later | passes by itself |
 * | OOM, MISCONF | retry later | the operator makes room on memory or disk |
 * | WRONGPASS, NOAUTH, NOPERM, DENIED | retry later | the operator mends users or the secret's file |
 * | too many clients | retry later | others leave |
 * | MOVED, ASK, CROSSSLOT | retry later | slots move; the words say that clusters are not followed |
 * | READONLY, UNBLOCKED, protocol error | reconnect | after a failover another server may answer |
 * | database number out of range, no SELECT in a cluster | stop | the spec names what cannot be |
 * | WRONGTYPE, unknown command, all others | reject | this command will never do |
 *
 * @module
 */
import { ReconnectError, RejectError, RetryLaterError, StopError } from "../core/errors.ts";
import { escapeControls } from "../core/escape.ts";
import type { ErrorReply } from "./codec/reply.ts";

/** How much of a server's message is quoted, characters. */
const LONGEST_QUOTE = 200;

type Make = new (message: string) => Error;

interface Meaning {
  readonly make: Make;
  /** Follows "Redis at ADDRESS". */
  readonly words: string;
}

const SECRET = "does not accept the password of the spec";

const BY_CODE: Readonly<Record<string, Meaning>> = {
  LOADING: { make: RetryLaterError, words: "is still loading its data" },
  BUSY: { make: RetryLaterError, words: "is busy with a script" },
  TRYAGAIN: { make: RetryLaterError, words: "asks to be tried again" },
  MASTERDOWN: { make: RetryLaterError, words: "is a replica that has lost its primary" },
  CLUSTERDOWN: { make: RetryLaterError, words: "is part of a cluster that is down" },
  NOREPLICAS: { make: RetryLaterError, words: "has too few replicas to take writes" },
  OOM: { make: RetryLaterError, words: "is out of memory and takes no writes" },
  MISCONF: { make: RetryLaterError, words: "cannot save to its disk and takes no writes" },
  WRONGPASS: { make: RetryLaterError, words: SECRET },
  NOAUTH: { make: RetryLaterError, words: "asks for a password, and the spec names none" },
  NOPERM: { make: RetryLaterError, words: "does not permit this user the command" },
  DENIED: { make: RetryLaterError, words: "is in protected mode and refuses this client" },
  MOVED: { make: RetryLaterError, words: "is part of a cluster, which is not followed" },
  ASK: { make: RetryLaterError, words: "is part of a cluster, which is not followed" },
  CROSSSLOT: { make: RetryLaterError, words: "is part of a cluster, which is not followed" },
  READONLY: { make: ReconnectError, words: "is a read-only replica" },
  UNBLOCKED: { make: ReconnectError, words: "has become a replica" },
  WRONGTYPE: { make: RejectError, words: "holds something else than a hash at the key" },
};

/** Errors without a code of their own, told apart by their text. */
const BY_TEXT: readonly (readonly [RegExp, Meaning])[] = [
  [/max number of clients/i, { make: RetryLaterError, words: "has too many clients" }],
  [/invalid password/i, { make: RetryLaterError, words: SECRET }],
  [/no password is set|without any password configured/i, {
    make: RetryLaterError,
    words: "has no password set, and the spec names one",
  }],
  [/^ERR Protocol error/i, { make: ReconnectError, words: "did not understand what was sent" }],
  [/DB index is out of range|invalid DB index/i, {
    make: StopError,
    words: "has no database of that number",
  }],
  [/SELECT is not allowed in cluster/i, {
    make: StopError,
    words: "is part of a cluster, which has only database 0",
  }],
];

const OTHERWISE: Meaning = { make: RejectError, words: "refuses the command" };

/**
 * Turns an error reply into one of the classes of `core/errors.ts`.
 *
 * @param server the server's address, for the message
 */
export function replyError(reply: ErrorReply, server: string): Error {
  const meaning = BY_CODE[reply.code] ??
    BY_TEXT.find(([pattern]) => pattern.test(reply.message))?.[1] ?? OTHERWISE;
  const text = escapeControls(reply.message.slice(0, LONGEST_QUOTE));
  return new meaning.make(`Redis at ${server} ${meaning.words}: ${text}`);
}
