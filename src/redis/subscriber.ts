/**
 * Pub/sub on a connection of its own, subscribed again after every reconnect.
 *
 * @module
 */
import { ReconnectError } from "../core/errors.ts";
import type { ConnectionEvents } from "../core/stage.ts";
import { ErrorReply, type Reply } from "./codec/reply.ts";
import { replyError } from "./errors.ts";
import { Link, type LinkOptions } from "./link.ts";
import type { Session } from "./session.ts";

/**
 * Called for every message.
 *
 * @param channel the channel that it came on
 * @param payload its text
 */
export type OnMessage = (channel: string, payload: string) => void;

/**
 * Listens to the channels of some patterns. `up` means that the server has confirmed every one of
 * them; what is published while it is not up is lost, so read everything after each `up`.
 */
export class RedisSubscriber implements ConnectionEvents {
  readonly #link: Link;
  readonly #patterns: readonly string[];
  readonly #onMessage: OnMessage;

  /** @param patterns as in PSUBSCRIBE */
  constructor(options: LinkOptions, patterns: readonly string[], onMessage: OnMessage) {
    this.#patterns = patterns;
    this.#onMessage = onMessage;
    this.#link = new Link(options, {
      prepare: (session) => this.#confirm(session),
      push: (reply) => this.#push(reply),
    });
  }

  /** Whether every message arrives now. */
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

  async #confirm(session: Session): Promise<void> {
    const replies = await session.send((writer) => {
      for (const pattern of this.#patterns) writer.command("PSUBSCRIBE", pattern);
    });
    for (const reply of replies) {
      if (reply instanceof ErrorReply) throw replyError(reply, this.#link.server);
      if (!Array.isArray(reply) || reply[0] !== "psubscribe") {
        throw new ReconnectError(`Redis at ${this.#link.server} did not confirm a subscription`);
      }
    }
  }

  #push(reply: Reply): boolean {
    if (!Array.isArray(reply) || reply[0] !== "pmessage") return false;
    const [, , channel, payload] = reply;
    if (typeof channel === "string" && typeof payload === "string") {
      this.#onMessage(channel, payload);
    }
    return true;
  }
}
