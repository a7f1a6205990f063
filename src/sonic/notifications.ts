/**
 * Whether a table's changes are told, or have to be looked for.
 *
 * @module
 */
import { escapeControls } from "../core/escape.ts";
import { LogRate } from "../core/log_rate.ts";
import type { RedisClient } from "../redis/client.ts";
import { ErrorReply, type Reply } from "../redis/codec/reply.ts";
import type { LinkOptions } from "../redis/link.ts";
import type { RedisSubscriber } from "../redis/subscriber.ts";
import { missingNotifications } from "./keyspace.ts";

/** Between two log lines of one kind, milliseconds. */
const LOG_INTERVAL_MS = 300_000;

/** Asks the server what it sends, says so once, and asks again while it sends too little. */
export class Notifications {
  readonly #client: RedisClient;
  readonly #subscriber: RedisSubscriber;
  readonly #link: LinkOptions;
  readonly #pollMs: number;
  readonly #rate = new LogRate(LOG_INTERVAL_MS);
  /** The session of the client in which the server was found to send all that is needed. */
  #goodEpoch = 0;
  #lacked = false;

  /** @param pollMs how often rows are read where notifications are lacking, for the log */
  constructor(client: RedisClient, subscriber: RedisSubscriber, link: LinkOptions, pollMs: number) {
    this.#client = client;
    this.#subscriber = subscriber;
    this.#link = link;
    this.#pollMs = pollMs;
  }

  /** Whether nothing has to be looked for. */
  get arrive(): boolean {
    return this.#subscriber.up && this.#client.up && this.#goodEpoch === this.#client.epoch;
  }

  /**
   * Asks the server, unless it has said already in this session that all is well.
   *
   * @returns whether all is well from now on, and was not before
   */
  async check(): Promise<boolean> {
    const { epoch } = this.#client;
    if (this.#goodEpoch === epoch) return false;
    const [reply] = await this.#client.pipeline((writer) =>
      writer.command("CONFIG", "GET", "notify-keyspace-events")
    );
    const complaint = judge(reply);
    if (complaint !== undefined) {
      this.#say(complaint);
      return false;
    }
    this.#goodEpoch = epoch;
    const wasLacking = this.#lacked;
    this.#lacked = false;
    if (wasLacking) {
      this.#link.log.info(`${this.#link.purpose}: the server's notifications are complete again`);
    }
    return wasLacking;
  }

  /** Says that the table cannot be read, now and then. */
  report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#rate.pass(message, performance.now()) === undefined) return;
    this.#link.log.warn(
      `${this.#link.purpose}: ${message}; reading again every ${this.#pollMs} ms`,
    );
  }

  #say(complaint: string): void {
    this.#lacked = true;
    if (this.#rate.pass("notifications", performance.now()) === undefined) return;
    this.#link.log.warn(
      `${this.#link.purpose}: Redis at ${this.#client.server} ${complaint} the rows are read ` +
        `every ${this.#pollMs} ms`,
    );
  }
}

/** What is wrong with a reply of `CONFIG GET notify-keyspace-events`. */
function judge(reply: Reply | undefined): string | undefined {
  if (reply instanceof ErrorReply) {
    return `does not say which notifications it sends (${escapeControls(reply.message)}), so`;
  }
  const flags: unknown = Array.isArray(reply) ? reply[1] : undefined;
  if (typeof flags !== "string") return "does not say which notifications it sends, so";
  const missing = missingNotifications(flags);
  if (missing === undefined) return undefined;
  return `has notify-keyspace-events "${flags}", which lacks ${missing}; ` +
    "CONFIG SET notify-keyspace-events AKE mends it. Until then";
}
