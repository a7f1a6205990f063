/**
 * Where log lines end up: LogTape, configured here and nowhere else.
 *
 * Only the supervisor and the commands load this module. A pipeline's process sends its records to
 * them instead, because LogTape would cost it 4 MB.
 *
 * @module
 */
import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  type LogLevel,
  resetSync,
  type TextFormatter,
} from "@logtape/logtape";
import { formatText, type Tint } from "./format.ts";
import { RecordLogger } from "./logger.ts";
import type { Level, LogRecord } from "./record.ts";

/** How lines are written. */
export interface LogOptions {
  /** The least important lines that are written. */
  readonly level: Level;
  /** Lines for people, or one JSON object a line. */
  readonly format: "text" | "json";
  /** Takes one line with its end, mostly to write it to standard error. */
  write(line: string): void;
  /** Colours; none when left out. */
  readonly tint?: Tint;
}

/** The process's log. */
export interface Log {
  /** Writes a record, of this process or of a pipeline's, unless its level is not wanted. */
  write(record: LogRecord): void;
  /** A logger for this process's own lines. */
  readonly logger: RecordLogger;
}

const ROOT = "portsync";

const LOGTAPE_LEVELS = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
} as const satisfies Record<Level, LogLevel>;

/** Configures the log of this process. A second call replaces the first. */
export function openLog(options: LogOptions): Log {
  const format = options.format === "json" ? jsonFormatter() : textFormatter(options.tint);
  resetSync();
  configureSync({
    sinks: { lines: (record) => options.write(format(record)) },
    loggers: [
      { category: ROOT, sinks: ["lines"], lowestLevel: LOGTAPE_LEVELS[options.level] },
      { category: ["logtape", "meta"], sinks: ["lines"], lowestLevel: "error" },
    ],
  });
  const write = (record: LogRecord) => {
    const { pipeline, suppressed, properties } = record;
    getLogger(pipeline === undefined ? [ROOT] : [ROOT, pipeline]).emit({
      level: LOGTAPE_LEVELS[record.level],
      timestamp: record.time,
      message: [record.message],
      rawMessage: record.message,
      properties: { ...properties, ...(suppressed === undefined ? {} : { suppressed }) },
    });
  };
  return { write, logger: new RecordLogger({ level: options.level, emit: write }) };
}

function textFormatter(tint?: Tint): TextFormatter {
  return ({ timestamp, level, category, message, properties }) => {
    const { suppressed, ...rest } = properties;
    const pipeline = category[0] === ROOT ? category[1] : category.join(".");
    return formatText({
      time: timestamp,
      level: fromLogtape(level),
      ...(pipeline === undefined ? {} : { pipeline }),
      message: message.map(String).join(""),
      properties: rest,
      ...(typeof suppressed === "number" ? { suppressed } : {}),
    }, tint) + "\n";
  };
}

/** LogTape's JSON lines, with what is unsafe on a terminal escaped as JSON does it. */
function jsonFormatter(): TextFormatter {
  const format = getJsonLinesFormatter();
  return (record) =>
    format(record).replace(
      /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
      (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
    );
}

function fromLogtape(level: LogLevel): Level {
  if (level === "warning") return "warn";
  if (level === "fatal") return "error";
  return level === "trace" ? "debug" : level;
}
