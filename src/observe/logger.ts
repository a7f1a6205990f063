/**
 * The logger that components are given.
 *
 * @module
 */
import type { Logger } from "../core/telemetry.ts";
import { LineRate } from "./rate.ts";
import { isWanted, type Level, type LogRecord, plainProperties } from "./record.ts";

/** What a `RecordLogger` needs. */
export interface RecordLoggerOptions {
  /** The pipeline that speaks; none for the supervisor. */
  readonly pipeline?: string;
  /** The least important lines that are wanted. */
  readonly level: Level;
  /** Takes a finished record: prints it, or sends it to the supervisor. */
  emit(record: LogRecord): void;
  /** The bound for lines that repeat. */
  readonly rate?: LineRate;
}

/** Lines of one kind differ only in their numbers: `Attempt 3 failed` and `Attempt 4 failed`. */
const NUMBERS = /\d+/g;

/**
 * Turns calls into records, at a bounded rate for lines that repeat: no peer, port or server can
 * flood the log, and what was left out is counted in the next line of its kind.
 */
export class RecordLogger implements Logger {
  readonly #options: RecordLoggerOptions;
  readonly #rate: LineRate;

  /** Each logger has a rate of its own, unless one is given. */
  constructor(options: RecordLoggerOptions) {
    this.#options = options;
    this.#rate = options.rate ?? new LineRate();
  }

  debug(message: string, properties?: Readonly<Record<string, unknown>>): void {
    this.#log("debug", message, properties);
  }

  info(message: string, properties?: Readonly<Record<string, unknown>>): void {
    this.#log("info", message, properties);
  }

  warn(message: string, properties?: Readonly<Record<string, unknown>>): void {
    this.#log("warn", message, properties);
  }

  error(message: string, properties?: Readonly<Record<string, unknown>>): void {
    this.#log("error", message, properties);
  }

  #log(level: Level, message: string, properties?: Readonly<Record<string, unknown>>): void {
    const { pipeline, emit } = this.#options;
    if (!isWanted(level, this.#options.level)) return;
    const suppressed = this.#rate.pass(
      level + message.replace(NUMBERS, "0"),
      performance.now(),
    );
    if (suppressed === undefined) return;
    emit({
      time: Date.now(),
      level,
      ...(pipeline === undefined ? {} : { pipeline }),
      message,
      ...(properties === undefined ? {} : { properties: plainProperties(properties) }),
      ...(suppressed === 0 ? {} : { suppressed }),
    });
  }
}
