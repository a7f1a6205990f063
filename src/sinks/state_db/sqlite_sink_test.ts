import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { ReconnectError, RetryLaterError, StopError } from "../../core/errors.ts";
import type { Operation } from "../../core/stage.ts";
import { makeContext, type RecordedContext } from "../../../tests/support/context.ts";
import { nextTurn } from "../../../tests/support/event.ts";
import { SqliteSink } from "./sqlite_sink.ts";

interface Scene extends AsyncDisposable {
  readonly folder: string;
  readonly file: string;
  readonly sink: SqliteSink;
  readonly context: RecordedContext;
}

async function scene(name = "ports.db"): Promise<Scene> {
  const folder = await Deno.makeTempDir({ prefix: "portsync-sqlite-" });
  const file = `${folder}/${name}`;
  const context = makeContext();
  const sink = new SqliteSink({ store: "sqlite", file, name: "STATE_DB", table: "T" }, context);
  return {
    folder,
    file,
    sink,
    context,
    [Symbol.asyncDispose]: async () => {
      await sink.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function opened(): Promise<Scene> {
  const made = await scene();
  const up = nextTurn(made.sink, "up");
  made.sink.open();
  await up;
  return made;
}

async function failure(context: RecordedContext): Promise<Error> {
  while (context.failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const [error] = context.failures;
  assert.ok(error);
  return error;
}

const ROW: Operation = { op: "set", table: "X", key: "a", fields: { n: "1" }, removed: [] };

Deno.test("a file that is no database stops the pipeline", async () => {
  await using it = await scene();
  await Deno.writeTextFile(it.file, "this is a text, and long enough to be taken for a header");
  it.sink.open();
  const error = await failure(it.context);
  assert.ok(error instanceof StopError);
  assert.match(error.message, /ports\.db cannot be used: file is not a database/);
});

Deno.test("a folder that is not there stops the pipeline", async () => {
  await using it = await scene("no/such/ports.db");
  it.sink.open();
  assert.ok(await failure(it.context) instanceof StopError);
  assert.equal(it.sink.up, false);
});

Deno.test("a file that another process is writing is retried later, and said once", async () => {
  await using it = await opened();
  const other = new DatabaseSync(it.file);
  other.exec("BEGIN IMMEDIATE");
  for (let n = 0; n < 3; n++) {
    const [outcome] = await it.sink.write([ROW]);
    assert.ok(outcome && !outcome.ok && outcome.error instanceof RetryLaterError);
  }
  assert.equal(it.context.telemetry.messages("warn").length, 1);
  assert.equal(it.sink.up, true);
  other.exec("ROLLBACK");
  other.close();
  assert.deepEqual(await it.sink.write([ROW]), [{ ok: true }]);
});

Deno.test("a file that was spoilt is lost, and opened again when it can be", async () => {
  await using it = await opened();
  const other = new DatabaseSync(it.file);
  other.exec("DROP TABLE fields; CREATE VIEW fields AS SELECT 1");
  const lost = nextTurn(it.sink, "lost");
  const [outcome] = await it.sink.write([ROW]);
  assert.ok(outcome && !outcome.ok && outcome.error instanceof ReconnectError);
  await lost;
  await it.context.telemetry.line(/trying again until it works/);
  other.exec("DROP VIEW fields");
  other.close();
  await nextTurn(it.sink, "up");
  assert.deepEqual(await it.sink.write([ROW]), [{ ok: true }]);
  assert.deepEqual(await Array.fromAsync(it.sink.scan("Y")), [{ key: "a", fields: { n: "1" } }]);
});

Deno.test("watching a file waits until somebody has made it", async () => {
  await using it = await scene();
  const controller = new AbortController();
  const watching = (async () => {
    for await (const changes of it.sink.watch("X", controller.signal)) {
      if (changes.length > 0) return changes;
    }
    throw new Error("the watch ended");
  })();
  it.sink.open();
  await nextTurn(it.sink, "up");
  await it.sink.write([ROW]);
  assert.deepEqual(await watching, [{ key: "a", fields: { n: "1" } }]);
  controller.abort();
});
