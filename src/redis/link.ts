/**
 * A connection that is kept: made, watched, and made again after every loss.
 *
 * @module
 */
import { ReconnectError, StopError } from "../core/errors.ts";
import { sleep } from "../core/sleep.ts";
import type { ConnectionEvents } from "../core/stage.ts";
import type { Logger } from "../core/telemetry.ts";
import { type Address, formatAddress } from "./address.ts";
import { backoff, type BackoffOptions, DEFAULT_BACKOFF } from "./backoff.ts";
import type { Reply } from "./codec/reply.ts";
import { connect } from "./connection.ts";
import { endOrphans, endStale, type Identity, logIn } from "./handshake.ts";
import { LinkDiary } from "./link_diary.ts";
import { Session } from "./session.ts";

const DEFAULT_CONNECT_TIMEOUT_MS = 5000;
const DEFAULT_REQUEST_TIMEOUT_MS = 3000;
const DEFAULT_KEEP_ALIVE_MS = 30_000;

/** Tells the connections of this process from those of others of its lineage. */
const PROCESS = crypto.randomUUID().slice(0, 8);

/** A session that lived this long starts the waits anew when it is lost, milliseconds. */
const STABLE_MS = 5000;

/** Where to connect and how. Everything in milliseconds has a default. */
export interface LinkOptions {
  /** The server. */
  readonly address: Address;
  /** The number for SELECT. */
  readonly database: number;
  /** The user for AUTH; the server's default user when left out. */
  readonly username?: string | undefined;
  /** Called before every attempt, so that a mended secret is taken up without a restart. */
  readonly password?: (() => Promise<string>) | undefined;
  /** Certificates (PEM) that are trusted besides those of the system. */
  readonly caCerts?: readonly string[];
  /** What the connection is for, as in `STATE_DB`; for log lines. */
  readonly purpose: string;
  /** The name that the server's `CLIENT LIST` shows. Default: `portsync`. */
  readonly clientName?: string;
  /**
   * What this process has in common with its predecessors, of which none is alive any more. What
   * the server still has of theirs is ended before this link is up.
   */
  readonly lineage?: string | undefined;
  /** How long one attempt to connect may take. */
  readonly connectTimeoutMs?: number;
  /** How long a command may stay unanswered. */
  readonly requestTimeoutMs?: number;
  /** After this long without a command, the server is asked whether it is there. */
  readonly keepAliveMs?: number;
  /** The waits between attempts. */
  readonly backoff?: BackoffOptions;
  /** Where each turn is said once. */
  readonly log: Logger;
  /** Another link to the same server speaks of losses; this one only of refusals. */
  readonly quiet?: boolean;
  /** Called when this can never work with this spec. The link has then given up. */
  readonly onStop?: (error: StopError) => void;
}

/** What the owner of a link adds to it. */
export interface LinkHooks {
  /** Prepares a new session after the login, before the link is up. */
  prepare?(session: Session): Promise<void>;
  /** Takes what the server says without being asked; returns whether it was that. */
  push?(reply: Reply): boolean;
}

/** Keeps one session. */
export class Link implements ConnectionEvents {
  /** The server's address, for messages. */
  readonly server: string;
  readonly #options: LinkOptions;
  readonly #hooks: LinkHooks;
  readonly #listeners = new Set<(event: "lost" | "up") => void>();
  readonly #closing = new AbortController();
  readonly #diary: LinkDiary;
  #session: Session | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #wasUp = false;
  /** A connection that was given up with commands on it. */
  #stale: Identity | undefined;

  /** Does not connect yet; see `open`. */
  constructor(options: LinkOptions, hooks: LinkHooks = {}) {
    this.#options = options;
    this.#hooks = hooks;
    this.server = formatAddress(options.address);
    this.#diary = new LinkDiary(options, this.server);
  }

  /** The session while the link is up. */
  get session(): Session | undefined {
    return this.#session?.isOpen ? this.#session : undefined;
  }

  /** Whether commands can be sent now. */
  get up(): boolean {
    return this.session !== undefined;
  }

  /** Calls `listener` at every turn; returns a function that stops it. */
  subscribe(listener: (event: "lost" | "up") => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts connecting, and goes on until `close`. */
  open(): void {
    this.#running ??= this.#run();
  }

  /** Ends the connection for good. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#session?.close(this.#closed());
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#live();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof StopError && !this.#wasUp) return this.#giveUp(error);
        this.#diary.failed(error);
      }
      const wait = this.#options.backoff ?? DEFAULT_BACKOFF;
      await sleep(backoff(++this.#failures, wait, Math.random()), signal);
    }
  }

  /** One session from its beginning to its end, which is always an error. */
  async #live(): Promise<never> {
    const { session, identity } = await this.#begin();
    const since = performance.now();
    const keepAlive = this.#keepAlive(session);
    this.#session = session;
    this.#wasUp = true;
    this.#diary.up(since);
    this.#tell("up");
    const reason = await session.closed;
    clearInterval(keepAlive);
    this.#session = undefined;
    const now = performance.now();
    if (now - since >= STABLE_MS) {
      this.#failures = 0;
      this.#diary.startAnew();
    }
    this.#diary.lost(now);
    if (session.gaveUp) this.#stale = identity;
    this.#tell("lost");
    throw reason;
  }

  async #begin(): Promise<{ session: Session; identity: Identity | undefined }> {
    const { address, password, connectTimeoutMs, requestTimeoutMs, caCerts } = this.#options;
    const { signal } = this.#closing;
    const secret = await password?.();
    const timeoutMs = connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    const connection = await connect(address, { timeoutMs, signal, caCerts: caCerts ?? [] });
    const session = new Session(connection, {
      server: this.server,
      requestTimeoutMs: requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
      push: this.#hooks.push,
    });
    const abandon = () => session.close(this.#closed());
    signal.addEventListener("abort", abandon);
    try {
      if (signal.aborted) throw this.#closed();
      return { session, identity: await this.#prepare(session, secret) };
    } catch (error) {
      session.close(error instanceof Error ? error : new ReconnectError(String(error)));
      throw error;
    } finally {
      signal.removeEventListener("abort", abandon);
    }
  }

  async #prepare(session: Session, password?: string): Promise<Identity | undefined> {
    const { database, username, clientName = "portsync", lineage } = this.#options;
    const family = lineage === undefined ? undefined : `${clientName}:${lineage}:`;
    const identity = await logIn(session, {
      server: this.server,
      database,
      username,
      password,
      clientName: family === undefined ? clientName : family + PROCESS,
    });
    if (family !== undefined && !this.#wasUp) {
      const refusal = await endOrphans(session, family, PROCESS);
      if (refusal !== undefined) this.#diary.staleKept(refusal);
    }
    const stale = this.#stale;
    if (stale && stale.runId === identity?.runId) {
      const refusal = await endStale(session, stale);
      if (refusal !== undefined) this.#diary.staleKept(refusal);
    }
    this.#stale = undefined;
    await this.#hooks.prepare?.(session);
    return identity;
  }

  #keepAlive(session: Session): ReturnType<typeof setInterval> {
    const idle = this.#options.keepAliveMs ?? DEFAULT_KEEP_ALIVE_MS;
    return setInterval(() => {
      if (performance.now() - session.lastUse < idle * 0.9) return;
      // Its failure ends the session, which says so.
      session.send((writer) => writer.command("PING")).catch(() => {});
    }, idle);
  }

  #tell(event: "lost" | "up"): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #giveUp(error: StopError): void {
    if (this.#options.onStop) this.#options.onStop(error);
    else this.#options.log.error(error.message);
  }

  #closed(): ReconnectError {
    return new ReconnectError(`The connection to Redis at ${this.server} was closed`);
  }
}
