/**
 * Rows in a file: the embedded store, for development anywhere and for machines without Redis.
 *
 * @module
 */
import type { Context } from "../../core/component.ts";
import { ReconnectError, RejectError, StopError } from "../../core/errors.ts";
import { LogRate } from "../../core/log_rate.ts";
import type {
  ConnectionEvents,
  Operation,
  Outcome,
  Row,
  RowChange,
  StateSink,
} from "../../core/stage.ts";
import type { Counter } from "../../core/telemetry.ts";
import type { SqliteSettings } from "./settings.ts";
import { sqliteError } from "./sqlite_error.ts";
import { SqliteStore } from "./sqlite_store.ts";
import { watchFile } from "./sqlite_watch.ts";

/** Between two log lines of one kind, milliseconds. */
const LOG_INTERVAL_MS = 30_000;

/** How often a file that was lost is tried again, milliseconds. */
const RETRY_MS = 1000;

const OK: Outcome = Object.freeze({ ok: true });

/** Keeps a file open and writes each call's operations in one transaction. */
export class SqliteSink implements StateSink {
  readonly #settings: SqliteSettings;
  readonly #context: Context;
  readonly #listeners = new Set<(event: "lost" | "up") => void>();
  readonly #rate = new LogRate(LOG_INTERVAL_MS);
  readonly #operations: Counter;
  readonly #failures: Counter;
  #store: SqliteStore | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #wasUp = false;

  /** Does not open the file yet; see `open`. */
  constructor(settings: SqliteSettings, context: Context) {
    this.#settings = settings;
    this.#context = context;
    this.#operations = context.telemetry.counter("state_db_operations_total");
    this.#failures = context.telemetry.counter("state_db_failures_total");
    context.telemetry.gauge("state_db_up", () => this.up ? 1 : 0);
  }

  get connection(): ConnectionEvents {
    return this;
  }

  /** Whether the file is open. */
  get up(): boolean {
    return this.#store !== undefined;
  }

  /** Calls `listener` at every turn; returns a function that stops it. */
  subscribe(listener: (event: "lost" | "up") => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  open(): void {
    // Later, as with a server: the caller may subscribe after it has opened.
    this.#timer ??= setTimeout(() => this.#begin(), 0);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#store?.close();
    this.#store = undefined;
    return Promise.resolve();
  }

  write(operations: readonly Operation[]): Promise<Outcome[]> {
    if (operations.length === 0) return Promise.resolve([]);
    try {
      this.#opened().write(operations, (table) => this.#settings.table ?? table);
      this.#operations.value += operations.length;
      return Promise.resolve(operations.map(() => OK));
    } catch (cause) {
      return this.#failed(operations, sqliteError(cause, this.#settings.file));
    }
  }

  async *scan(table: string): AsyncGenerator<Row> {
    try {
      yield* this.#opened().rows(this.#settings.table ?? table);
    } catch (cause) {
      throw sqliteError(cause, this.#settings.file);
    }
  }

  watch(table: string, signal: AbortSignal): AsyncIterable<readonly RowChange[]> {
    return watchFile(this.#settings.file, this.#settings.table ?? table, signal);
  }

  #opened(): SqliteStore {
    if (this.#store) return this.#store;
    throw new ReconnectError(`${this.#settings.file} is not open`);
  }

  #begin(): void {
    const { file, name } = this.#settings;
    try {
      this.#store = new SqliteStore(file, { readOnly: false });
    } catch (cause) {
      const error = sqliteError(cause, file);
      // At the start the path, the folder or the file is not what the spec means.
      if (!this.#wasUp && error instanceof ReconnectError) {
        return this.#context.fail(new StopError(error.message, { cause }));
      }
      this.#say(`${name}: ${error.message}; trying again until it works`);
      this.#timer = setTimeout(() => this.#begin(), RETRY_MS);
      return;
    }
    this.#wasUp = true;
    this.#context.telemetry.log.info(`${name}: the rows are kept in ${file}`);
    this.#tell("up");
  }

  /** One bad operation must not take its neighbours along: each is tried alone. */
  async #failed(operations: readonly Operation[], error: Error): Promise<Outcome[]> {
    if (error instanceof RejectError && operations.length > 1) {
      const outcomes: Outcome[] = [];
      for (const operation of operations) outcomes.push(...await this.write([operation]));
      return outcomes;
    }
    this.#failures.value += operations.length;
    this.#say(`${this.#settings.name}: ${error.message}`);
    if (error instanceof ReconnectError && this.#store && !this.#isClosed) {
      this.#store.close();
      this.#store = undefined;
      this.#timer = setTimeout(() => this.#begin(), RETRY_MS);
      this.#tell("lost");
    }
    return operations.map(() => ({ ok: false, error }));
  }

  #say(message: string): void {
    if (this.#rate.pass(message, performance.now()) === undefined) return;
    this.#context.telemetry.log.warn(message);
  }

  #tell(event: "lost" | "up"): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
