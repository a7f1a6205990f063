import assert from "node:assert/strict";
import { ReconnectError, RejectError, RetryLaterError } from "../../core/errors.ts";
import { sqliteError } from "./sqlite_error.ts";

function withCode(errcode: unknown): Error {
  return Object.assign(new Error("told by SQLite"), { errcode });
}

Deno.test("sqliteError() tells what to do next by the primary result code", () => {
  const cases = [
    [5, RetryLaterError],
    [261, RetryLaterError], // BUSY_RECOVERY
    [13, RetryLaterError],
    [18, RejectError],
    [1555, RejectError], // CONSTRAINT_PRIMARYKEY
    [1, ReconnectError],
    [522, ReconnectError], // IOERR_SHORT_READ
    ["odd", ReconnectError],
  ] as const;
  for (const [code, expected] of cases) {
    const error = sqliteError(withCode(code), "/x.db");
    assert.ok(error instanceof expected, String(code));
    assert.match(error.message, /^\/x\.db .*: told by SQLite$/);
  }
  assert.ok(sqliteError("odd", "/x.db") instanceof ReconnectError);
});

Deno.test("sqliteError() leaves what is classified already", () => {
  const error = new RejectError("no");
  assert.equal(sqliteError(error, "/x.db"), error);
});
