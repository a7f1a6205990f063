import assert from "node:assert/strict";
import {
  isRetriable,
  ReconnectError,
  RejectError,
  RetryLaterError,
  StopError,
} from "../core/errors.ts";
import { ErrorReply } from "./codec/reply.ts";
import { replyError } from "./errors.ts";

const cases: readonly (readonly [string, new (message: string) => Error])[] = [
  ["LOADING Redis is loading the dataset in memory", RetryLaterError],
  ["BUSY Redis is busy running a script", RetryLaterError],
  ["TRYAGAIN Multiple keys request during rehashing of slot", RetryLaterError],
  ["MASTERDOWN Link with MASTER is down", RetryLaterError],
  ["OOM command not allowed when used memory > 'maxmemory'.", RetryLaterError],
  ["MISCONF Redis is configured to save RDB snapshots", RetryLaterError],
  ["WRONGPASS invalid username-password pair or user is disabled.", RetryLaterError],
  ["NOAUTH Authentication required.", RetryLaterError],
  ["NOPERM this user has no permissions to run the 'hset' command", RetryLaterError],
  ["DENIED Redis is running in protected mode", RetryLaterError],
  ["MOVED 3999 127.0.0.1:6381", RetryLaterError],
  ["ERR max number of clients reached", RetryLaterError],
  ["ERR invalid password", RetryLaterError],
  ["ERR Client sent AUTH, but no password is set", RetryLaterError],
  ["ERR AUTH <password> called without any password configured", RetryLaterError],
  ["READONLY You can't write against a read only replica.", ReconnectError],
  ["ERR Protocol error: invalid bulk length", ReconnectError],
  ["ERR DB index is out of range", StopError],
  ["ERR invalid DB index", StopError],
  ["ERR SELECT is not allowed in cluster mode", StopError],
  ["WRONGTYPE Operation against a key holding the wrong kind of value", RejectError],
  ["ERR unknown command 'HSET'", RejectError],
  ["ERR wrong number of arguments for 'hset' command", RejectError],
  ["NEVERSEEN something new", RejectError],
];

for (const [message, expected] of cases) {
  Deno.test(`replyError() makes a ${expected.name} of "${message.slice(0, 40)}"`, () => {
    const error = replyError(new ErrorReply(message), "unix:///r.sock");
    assert.ok(error instanceof expected);
    assert.equal(isRetriable(error), expected === RetryLaterError || expected === ReconnectError);
    assert.ok(error.message.startsWith("Redis at unix:///r.sock "));
    assert.ok(error.message.endsWith(message));
  });
}

Deno.test("replyError() lets no control character and no endless line into the log", () => {
  const error = replyError(new ErrorReply(`ERR \u001b[31m\udcff${"x".repeat(1000)}`), "s");
  assert.match(error.message, /ERR \\x1b\[31m\\u\{dcff\}x+$/);
  assert.ok(error.message.length < 300);
});
