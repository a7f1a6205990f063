/**
 * A Redis client that pipelines, connects again by itself, and repeats nothing by itself.
 *
 * @module
 */
import { ReconnectError } from "../core/errors.ts";
import type { ConnectionEvents } from "../core/stage.ts";
import type { CommandWriter } from "./codec/encode.ts";
import { ErrorReply, type Reply } from "./codec/reply.ts";
import { replyError } from "./errors.ts";
import { Link, type LinkOptions } from "./link.ts";

/**
 * Sends commands while the server is there. When it is away every command fails at once with a
 * `ReconnectError`: the caller keeps what it wants to say, since only it knows what is still true
 * after a reconnect.
 *
 * @example
 * ```ts ignore
 * const client = new RedisClient({ address: parseAddress("unix:///run/redis/redis.sock"),
 *   database: 6, purpose: "STATE_DB", log });
 * client.open();
 * await client.ready();
 * await client.command("HSET", "PORT_TABLE|Ethernet0", "state", "ok"); // 1
 * const replies = await client.pipeline((writer) => {
 *   for (const key of keys) writer.command("HGETALL", key);
 * });
 * ```
 */
export class RedisClient implements ConnectionEvents {
  readonly #link: Link;
  #epoch = 0;

  /** Does not connect yet; see `open`. */
  constructor(options: LinkOptions) {
    this.#link = new Link(options, {
      prepare: () => {
        this.#epoch++;
        return Promise.resolve();
      },
    });
  }

  /** Counts the sessions: a cursor or anything else of the server is only good in one of them. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The server's address, for messages. */
  get server(): string {
    return this.#link.server;
  }

  /** Whether commands can be sent now. */
  get up(): boolean {
    return this.#link.up;
  }

  /** Calls `listener` at every turn; returns a function that stops it. */
  subscribe(listener: (event: "lost" | "up") => void): () => void {
    return this.#link.subscribe(listener);
  }

  /** Starts connecting and goes on until `close`. */
  open(): void {
    this.#link.open();
  }

  /** Ends the connection for good. */
  close(): Promise<void> {
    return this.#link.close();
  }

  /** Resolves once the server can be used, or rejects with the signal's reason. */
  ready(signal?: AbortSignal): Promise<void> {
    if (this.up) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    const stop = this.subscribe((event) => {
      if (event === "up") resolve();
    });
    if (signal?.aborted) abort();
    return promise.finally(() => {
      stop();
      signal?.removeEventListener("abort", abort);
    });
  }

  /**
   * Sends one command.
   *
   * @throws one of the classes of `core/errors.ts`, also for an error reply; see `errors.ts`
   */
  async command(...parts: readonly string[]): Promise<Reply> {
    const [reply = null] = await this.pipeline((writer) => writer.command(...parts));
    if (reply instanceof ErrorReply) throw replyError(reply, this.server);
    return reply;
  }

  /**
   * Sends the commands that `fill` writes, all in one write with whatever else is said in the same
   * tick, and resolves with one reply for each. Error replies are values; `replyError` says what
   * each means.
   *
   * @throws {ReconnectError} when the server is away or is lost before the last reply; which of
   * the commands it has carried out is then unknown
   * @throws {RetryLaterError} when too much is outstanding already
   */
  async pipeline(fill: (writer: CommandWriter) => void): Promise<Reply[]> {
    const session = this.#link.session;
    if (!session) throw new ReconnectError(`Redis at ${this.server} is not connected`);
    const replies = await session.send(fill);
    for (const reply of replies) {
      if (!(reply instanceof ErrorReply)) continue;
      const error = replyError(reply, this.server);
      // A replica that was a primary: what follows must not be said to it.
      if (error instanceof ReconnectError) session.close(error);
    }
    return replies;
  }
}
