/**
 * Rows as hashes of a Redis database.
 *
 * @module
 */
import type { Context } from "../../core/component.ts";
import { ReconnectError, RejectError } from "../../core/errors.ts";
import { LogRate } from "../../core/log_rate.ts";
import type {
  ConnectionEvents,
  Operation,
  Outcome,
  Row,
  RowChange,
  StateSink,
} from "../../core/stage.ts";
import type { Counter, Logger } from "../../core/telemetry.ts";
import { RedisClient } from "../../redis/client.ts";
import type { CommandWriter } from "../../redis/codec/encode.ts";
import { ErrorReply, type Reply } from "../../redis/codec/reply.ts";
import { replyError } from "../../redis/errors.ts";
import type { LinkOptions } from "../../redis/link.ts";
import { linkOptions } from "../../sonic/link_options.ts";
import { scanRows } from "../../sonic/scan.ts";
import { watchRows } from "../../sonic/watch_rows.ts";
import type { RedisSettings } from "./settings.ts";

/** Between two log lines of one kind, milliseconds. */
const LOG_INTERVAL_MS = 30_000;

/** How often rows are looked at where the server sends no notifications, milliseconds. */
const POLL_MS = 1000;

const OK: Outcome = Object.freeze({ ok: true });

/** Writes each call's operations in one write of the connection, and reads what they did. */
export class RedisSink implements StateSink {
  readonly #settings: RedisSettings;
  readonly #link: LinkOptions;
  readonly #client: RedisClient;
  readonly #log: Logger;
  readonly #rate = new LogRate(LOG_INTERVAL_MS);
  readonly #operations: Counter;
  readonly #failures: Counter;
  readonly #foreign: Counter;

  /** Does not connect yet; see `open`. */
  constructor(settings: RedisSettings, context: Context) {
    const { telemetry } = context;
    this.#settings = settings;
    this.#link = linkOptions(settings, context);
    this.#client = new RedisClient(this.#link);
    this.#log = telemetry.log;
    this.#operations = telemetry.counter("state_db_operations_total");
    this.#failures = telemetry.counter("state_db_failures_total");
    this.#foreign = telemetry.counter("state_db_foreign_keys_total");
    telemetry.gauge("state_db_up", () => this.#client.up ? 1 : 0);
  }

  get connection(): ConnectionEvents {
    return this.#client;
  }

  open(): void {
    this.#client.open();
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async write(operations: readonly Operation[]): Promise<Outcome[]> {
    const refused = new Map<Operation, Error>();
    let replies: Reply[];
    try {
      replies = await this.#client.pipeline((writer) => {
        for (const operation of operations) this.#encode(operation, writer, refused);
      });
    } catch (error) {
      // The link says why it was lost; repeating it for each key would tell nobody more.
      this.#failures.value += operations.length;
      const outcome = { ok: false, error: asError(error) } as const;
      return operations.map(() => outcome);
    }
    this.#operations.value += operations.length;
    let at = 0;
    return operations.map((operation) => {
      const refusal = refused.get(operation);
      if (refusal) return this.#failed(operation, refusal);
      const end = at + replyCount(operation);
      const complaint = firstError(replies, at, end);
      const [reply] = replies.slice(at, end);
      at = end;
      if (complaint) return this.#failed(operation, replyError(complaint, this.#client.server));
      // A lone HSET says how many fields it added; mostly none.
      return typeof reply === "number" && reply > 0 && operation.op === "set"
        ? { ok: true, added: reply }
        : OK;
    });
  }

  scan(table: string): AsyncIterable<Row> {
    return scanRows(this.#client, this.#prefix(table), () => this.#foreign.value++);
  }

  watch(table: string, signal: AbortSignal): AsyncIterable<readonly RowChange[]> {
    return watchRows({
      link: this.#link,
      table: this.#settings.table ?? table,
      separator: this.#settings.separator,
      pollMs: POLL_MS,
    }, signal);
  }

  #prefix(table: string): string {
    return `${this.#settings.table ?? table}${this.#settings.separator}`;
  }

  /** Writes the commands of one operation, all or none. */
  #encode(operation: Operation, writer: CommandWriter, refused: Map<Operation, Error>): void {
    const { length, commands } = writer;
    const key = this.#prefix(operation.table) + operation.key;
    try {
      if (operation.op === "delete") return writer.command("DEL", key);
      const names = Object.keys(operation.fields);
      const isBoth = names.length > 0 && operation.removed.length > 0;
      if (isBoth) writer.command("MULTI");
      if (names.length > 0) {
        writer.begin(2 + 2 * names.length);
        writer.text("HSET");
        writer.text(key);
        for (const name of names) {
          writer.text(name);
          writer.text(operation.fields[name] ?? "");
        }
      }
      if (operation.removed.length > 0) writer.command("HDEL", key, ...operation.removed);
      if (isBoth) writer.command("EXEC");
    } catch (error) {
      writer.rewind(length, commands);
      refused.set(operation, asError(error));
    }
  }

  #failed(operation: Operation, cause: Error): Outcome {
    this.#failures.value++;
    const silenced = this.#rate.pass(cause.message, performance.now());
    if (silenced !== undefined) {
      const row = this.#prefix(operation.table) + operation.key;
      const next = cause instanceof RejectError ? "it is given up" : "it is tried again";
      const more = silenced > 0 ? ` (and ${silenced} other writes since the last line)` : "";
      this.#log.warn(
        `${this.#settings.name}: ${row} was not written, ${next}: ${cause.message}${more}`,
        { port: operation.key },
      );
    }
    return { ok: false, error: cause };
  }
}

/** How many replies an operation gets; see `#encode`. */
function replyCount(operation: Operation): number {
  if (operation.op === "delete") return 1;
  const sets = Object.keys(operation.fields).length > 0;
  const removes = operation.removed.length > 0;
  return sets && removes ? 4 : sets || removes ? 1 : 0;
}

/** The error reply that says why; EXEC's own only says that there was one before it. */
function firstError(replies: readonly Reply[], from: number, to: number): ErrorReply | undefined {
  for (let at = from; at < to; at++) {
    const reply = replies[at];
    if (reply instanceof ErrorReply) return reply;
    if (!Array.isArray(reply)) continue;
    const inner = reply.find((one) => one instanceof ErrorReply);
    if (inner instanceof ErrorReply) return inner;
  }
  return undefined;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new ReconnectError(String(error));
}
