/**
 * What a supervisor and a pipeline's process say to each other: one JSON object a line, orders on
 * the process's standard input, reports on its standard output.
 *
 * Both sides check what they read. The process handles outside data, so the supervisor takes its
 * reports for outside data too.
 *
 * @module
 */
import type { Fields } from "../core/change.ts";
import { isLevel, type LogRecord } from "../observe/record.ts";
import type { PipelinePlan, ServicePlan } from "../spec/plan.ts";

/** The longest line that a pipeline's process may send, bytes. */
export const LONGEST_REPORT = 1024 * 1024;

/** The longest line that a supervisor sends: a plan, bytes. */
export const LONGEST_ORDER = 16 * 1024 * 1024;

/** How often a pipeline's process says that it lives, milliseconds. */
export const HEARTBEAT_MS = 5000;

/** The first line: what the process is for. */
export interface Assignment {
  /** `run` moves data, `state` shows the rows of the state sinks, `record` records the source. */
  readonly task: "run" | "state" | "record";
  /** The pipeline. */
  readonly plan: PipelinePlan;
  /** Its surroundings. */
  readonly service: ServicePlan;
  /** Write nothing, and say what would be written. */
  readonly dry_run: boolean;
  /** Go on reporting the rows that the sinks hold as they change. */
  readonly watch: boolean;
  /** Where a recording goes, absolute. */
  readonly output?: string;
}

/** A question about one pipeline. */
export interface Question {
  /** What is asked for or about. */
  readonly what: "status" | "explain-key" | "retry" | "resync";
  /** The key that is meant, `TABLE|key` or the key alone. */
  readonly key?: string;
}

/** A line after the first. */
export type Order =
  | { readonly do: "stop"; readonly within_ms: number }
  | { readonly do: "ask"; readonly id: number; readonly question: Question };

/** A row as a sink holds it now; without fields it is gone. */
export interface RowReport {
  /** The change's table, before the sink renames it. */
  readonly table: string;
  /** The key inside its table. */
  readonly key: string;
  /** All fields of the row. */
  readonly fields?: Fields;
}

/** What a pipeline's process says. */
export type Report =
  | { readonly say: "beat" }
  | { readonly say: "running" }
  | { readonly say: "log"; readonly record: LogRecord }
  | { readonly say: "rows"; readonly rows: readonly RowReport[] }
  | { readonly say: "answer"; readonly id: number; readonly result: unknown }
  | { readonly say: "refuse"; readonly id: number; readonly error: string }
  | { readonly say: "end"; readonly exit_code: number; readonly error?: string };

/** A line that is none of the protocol's. */
export class ProtocolError extends Error {
  /** For `error.name`. */
  override readonly name = "ProtocolError";
}

/**
 * Reads the first line. The plan inside was made by our own supervisor from a checked spec, over a
 * pipe that nobody else has; only its outline is looked at.
 *
 * @throws {ProtocolError}
 */
export function readAssignment(line: string): Assignment {
  const value = parseObject(line);
  if (!isAssignment(value)) throw new ProtocolError("The first line is no assignment");
  return value;
}

function isAssignment(value: object): value is Assignment {
  return "task" in value &&
    (value.task === "run" || value.task === "state" || value.task === "record") &&
    "plan" in value && isObject(value.plan) && "name" in value.plan &&
    typeof value.plan.name === "string" &&
    "service" in value && isObject(value.service) && "runtime_folder" in value.service &&
    typeof value.service.runtime_folder === "string" &&
    "dry_run" in value && typeof value.dry_run === "boolean" &&
    "watch" in value && typeof value.watch === "boolean";
}

/**
 * Reads an order.
 *
 * @throws {ProtocolError}
 */
export function readOrder(line: string): Order {
  const value = parseObject(line);
  if ("do" in value && value.do === "stop") {
    if ("within_ms" in value && typeof value.within_ms === "number") {
      return { do: "stop", within_ms: value.within_ms };
    }
  } else if ("do" in value && value.do === "ask") {
    const question = "question" in value ? readQuestion(value.question) : undefined;
    if (question !== undefined && "id" in value && typeof value.id === "number") {
      return { do: "ask", id: value.id, question };
    }
  }
  throw new ProtocolError("A line is no order");
}

/** Reads a question; undefined when it is none. */
export function readQuestion(value: unknown): Question | undefined {
  if (!isObject(value) || !("what" in value)) return undefined;
  const { what } = value;
  if (what === "status" || what === "resync") return { what };
  if (what !== "explain-key" && what !== "retry") return undefined;
  if (!("key" in value) || typeof value.key !== "string") return undefined;
  return { what, key: value.key };
}

/**
 * Reads a report.
 *
 * @throws {ProtocolError}
 */
export function readReport(line: string): Report {
  const value = parseObject(line);
  const report = "say" in value ? narrowReport(value) : undefined;
  if (report === undefined) throw new ProtocolError("A line is no report");
  return report;
}

function narrowReport(value: object & { readonly say: unknown }): Report | undefined {
  switch (value.say) {
    case "beat":
    case "running":
      return { say: value.say };
    case "log": {
      const record = "record" in value ? readRecord(value.record) : undefined;
      return record === undefined ? undefined : { say: "log", record };
    }
    case "rows":
      if (!("rows" in value) || !Array.isArray(value.rows)) return undefined;
      return value.rows.every(isRow) ? { say: "rows", rows: value.rows } : undefined;
    case "answer":
      if (!("id" in value) || typeof value.id !== "number") return undefined;
      return { say: "answer", id: value.id, result: "result" in value ? value.result : null };
    case "refuse":
      if (!("id" in value) || typeof value.id !== "number") return undefined;
      return { say: "refuse", id: value.id, error: textOf(value, "error") ?? "" };
    case "end": {
      if (!("exit_code" in value) || typeof value.exit_code !== "number") return undefined;
      const error = textOf(value, "error");
      return { say: "end", exit_code: value.exit_code, ...(error === undefined ? {} : { error }) };
    }
    default:
      return undefined;
  }
}

function readRecord(value: unknown): LogRecord | undefined {
  if (!isObject(value) || !("level" in value) || !isLevel(value.level)) return undefined;
  const message = textOf(value, "message");
  if (message === undefined || !("time" in value) || typeof value.time !== "number") {
    return undefined;
  }
  if (!Number.isFinite(value.time) || Math.abs(value.time) > 8.64e15) return undefined;
  const properties = "properties" in value && isObject(value.properties)
    ? Object.fromEntries(Object.entries(value.properties))
    : undefined;
  return {
    time: value.time,
    level: value.level,
    message,
    ...(properties === undefined ? {} : { properties }),
    ...("suppressed" in value && typeof value.suppressed === "number"
      ? { suppressed: value.suppressed }
      : {}),
  };
}

function isRow(value: unknown): value is RowReport {
  return isObject(value) && textOf(value, "table") !== undefined &&
    textOf(value, "key") !== undefined &&
    (!("fields" in value) ||
      (isObject(value.fields) &&
        Object.values(value.fields).every((field) => typeof field === "string")));
}

/** Parses a line that must hold one JSON object. */
export function parseObject(line: string): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new ProtocolError("A line is no JSON", { cause });
  }
  if (!isObject(value)) throw new ProtocolError("A line is no JSON object");
  return value;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text inside an object; undefined when there is none of that name. */
export function textOf(value: object, name: string): string | undefined {
  const text: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
  return typeof text === "string" ? text : undefined;
}
