/**
 * One connection's life: commands out, replies in, in order, until either side ends it.
 *
 * @module
 */
import { ReconnectError, RetryLaterError } from "../core/errors.ts";
import { ReplyParser } from "./codec/decode.ts";
import { CommandWriter } from "./codec/encode.ts";
import type { Reply } from "./codec/reply.ts";
import type { Connection } from "./connection.ts";

/** Commands that may be unanswered before new ones are refused. */
export const MAX_OUTSTANDING = 100_000;

/** Bytes that may wait to be sent before new commands are refused. */
export const MAX_UNSENT_BYTES = 32 * 1024 * 1024;

/** How long a late reply is looked for once more, milliseconds. */
const GRACE_MS = 20;

/** What a session needs to know. */
export interface SessionOptions {
  /** The server's address, for messages. */
  readonly server: string;
  /** How long a command may stay unanswered, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Takes what the server says without being asked; returns whether it was that. */
  readonly push?: ((reply: Reply) => boolean) | undefined;
}

/** Commands that were sent together and are answered together. */
interface Request {
  missing: number;
  readonly replies: Reply[];
  readonly since: number;
  readonly resolve: (replies: Reply[]) => void;
  readonly reject: (error: Error) => void;
}

/** Commands of one tick go out in one write, and that write begins in the same tick. */
export class Session {
  readonly #connection: Connection;
  readonly #options: SessionOptions;
  readonly #parser = new ReplyParser();
  /** Requests without all their replies, the oldest at `#oldest`. */
  #requests: Request[] = [];
  #oldest = 0;
  #outstanding = 0;
  /** Filled by the commands of this tick; the other is being sent. */
  #filling = new CommandWriter();
  #sending = new CommandWriter();
  #isSending = false;
  #isScheduled = false;
  #ended: Error | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The request that was found to be late; it is late when it is found so twice. */
  #overdue: Request | undefined;
  #lastUse = performance.now();
  readonly #closed = Promise.withResolvers<Error>();

  /** Takes the connection over and begins to read. */
  constructor(connection: Connection, options: SessionOptions) {
    this.#connection = connection;
    this.#options = options;
    void this.#read();
  }

  /** Resolves with the reason once the session has ended. */
  get closed(): Promise<Error> {
    return this.#closed.promise;
  }

  /** Whether commands can be sent. */
  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /** Whether it ended with commands unanswered, which the server may still carry out. */
  get gaveUp(): boolean {
    return this.#ended !== undefined && this.#outstanding > 0;
  }

  /** When something was last sent or received, as `performance.now()`. */
  get lastUse(): number {
    return this.#lastUse;
  }

  /**
   * Sends the commands that `fill` writes, and resolves with one reply for each, in their order.
   * Error replies are values.
   *
   * Rejects with a `ReconnectError` when the session ends first (whether the server acted on the
   * commands is then unknown), with a `RetryLaterError` when too much is outstanding already, and
   * with what `fill` throws.
   */
  send(fill: (writer: CommandWriter) => void): Promise<Reply[]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const writer = this.#filling;
    if (this.#outstanding >= MAX_OUTSTANDING || writer.length >= MAX_UNSENT_BYTES) {
      return Promise.reject(
        new RetryLaterError(`Redis at ${this.#options.server} has too much to answer already`),
      );
    }
    const length = writer.length;
    const before = writer.commands;
    try {
      fill(writer);
      writer.finish();
    } catch (error) {
      writer.rewind(length, before);
      return Promise.reject(error);
    }
    const count = writer.commands - before;
    if (count === 0) return Promise.resolve([]);
    const { promise, resolve, reject } = Promise.withResolvers<Reply[]>();
    this.#enqueue({ missing: count, replies: [], since: performance.now(), resolve, reject });
    if (!this.#isScheduled && !this.#isSending) {
      this.#isScheduled = true;
      queueMicrotask(() => this.#flush());
    }
    return promise;
  }

  /** Ends the session: what is outstanding is rejected with `error`. */
  close(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    clearTimeout(this.#timer);
    this.#connection.close();
    const requests = this.#requests.slice(this.#oldest);
    this.#requests = [];
    this.#oldest = 0;
    for (const request of requests) request.reject(error);
    this.#closed.resolve(error);
  }

  #enqueue(request: Request): void {
    this.#requests.push(request);
    this.#outstanding += request.missing;
    this.#lastUse = request.since;
    // One timer looks at the oldest request now and then; a timer for each would cost more than
    // the request.
    this.#timer ??= setTimeout(() => this.#checkDeadline(), this.#options.requestTimeoutMs);
  }

  async #flush(): Promise<void> {
    this.#isScheduled = false;
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#filling.length > 0 && !this.#ended) {
        const writer = this.#filling;
        this.#filling = this.#sending;
        this.#sending = writer;
        await this.#connection.write(writer.take());
        writer.reset();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isSending = false;
    }
  }

  async #read(): Promise<void> {
    try {
      while (!this.#ended) {
        this.#parser.commit(await this.#connection.read(this.#parser.space()));
        this.#lastUse = performance.now();
        for (let reply = this.#next(); reply !== undefined; reply = this.#next()) {
          this.#deliver(reply);
        }
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The next reply, with the server's address in what is wrong with it. */
  #next(): Reply | undefined {
    try {
      return this.#parser.next();
    } catch (cause) {
      const what = cause instanceof Error ? cause.message : String(cause);
      throw new ReconnectError(`Redis at ${this.#options.server}: ${what}`, { cause });
    }
  }

  #deliver(reply: Reply): void {
    if (this.#options.push?.(reply)) return;
    const request = this.#requests[this.#oldest];
    if (!request) {
      throw new ReconnectError(`Redis at ${this.#options.server} answered what nobody asked`);
    }
    this.#outstanding--;
    request.replies.push(reply);
    if (--request.missing > 0) return;
    this.#oldest++;
    if (this.#oldest === this.#requests.length) {
      this.#requests.length = 0;
      this.#oldest = 0;
    } else if (this.#oldest > 1024 && this.#oldest * 2 > this.#requests.length) {
      this.#requests.splice(0, this.#oldest);
      this.#oldest = 0;
    }
    request.resolve(request.replies);
  }

  #checkDeadline(): void {
    this.#timer = undefined;
    const request = this.#requests[this.#oldest];
    if (!request) return;
    const { server, requestTimeoutMs } = this.#options;
    const left = request.since + requestTimeoutMs - performance.now();
    if (left > 0 || this.#overdue !== request) {
      // When this process was stopped itself, the reply has come long since: read, then judge.
      if (left <= 0) this.#overdue = request;
      this.#timer = setTimeout(() => this.#checkDeadline(), Math.max(GRACE_MS, Math.ceil(left)));
      return;
    }
    this.close(
      new ReconnectError(`Redis at ${server} did not answer within ${requestTimeoutMs} ms`),
    );
  }

  #fail(error: unknown): void {
    this.close(error instanceof Error ? error : new ReconnectError(String(error)));
  }
}
