/**
 * A `state_db` sink of a server that a test disturbs.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Operation, Outcome, StateSink } from "../../src/core/stage.ts";
import createStateDb from "../../src/sinks/state_db/sink.ts";
import { makeContext, type RecordedContext } from "./context.ts";
import { nextTurn } from "./event.ts";

/** A sink with what it says. */
export interface DisturbedSink extends AsyncDisposable {
  readonly sink: StateSink;
  readonly context: RecordedContext;
  /** Lines for the operator, warnings and errors. */
  complaints(): string[];
}

/** Settings of STATE_DB on a server, as a plan has them, with short deadlines. */
export function sinkSettings(
  url: string,
): { readonly type: "state_db"; [option: string]: unknown } {
  return {
    type: "state_db",
    url,
    database: 6,
    name: "STATE_DB",
    separator: "|",
    connect_timeout_ms: 2000,
    request_timeout_ms: 300,
  };
}

/** A sink that is not opened yet. */
export async function makeSink(
  url: string,
  more: Readonly<Record<string, unknown>> = {},
  context: RecordedContext = makeContext(),
): Promise<DisturbedSink> {
  const sink = await createStateDb({ ...sinkSettings(url), ...more }, context);
  return {
    sink,
    context,
    complaints: () => [
      ...context.telemetry.messages("warn"),
      ...context.telemetry.messages("error"),
    ],
    [Symbol.asyncDispose]: () => sink.close(),
  };
}

/** A sink that is connected. */
export async function openedSink(
  url: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<DisturbedSink> {
  const made = await makeSink(url, more);
  const up = nextTurn(made.sink.connection, "up");
  made.sink.open();
  await up;
  return made;
}

/** One set of PORT_TABLE. */
export function set(key: string, fields: Record<string, string>): Operation {
  return { op: "set", table: "PORT_TABLE", key, fields, removed: [] };
}

/** The error of a write that should have failed. */
export function errorOf([outcome]: readonly Outcome[]): Error {
  assert.ok(outcome && !outcome.ok, "the write should have failed");
  return outcome.error;
}
