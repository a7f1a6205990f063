/**
 * A client's connection: its state, its limits, and how it comes back.
 *
 * @module
 */
import { RetryLaterError } from "../core/errors.ts";
import { Profile } from "./codec/hello.ts";
import { type ProfileChoice, profilesOf } from "./endpoint.ts";
import { faultOf, NetipcError, type NetipcFault } from "./errors.ts";
import type { Agreed } from "./link.ts";
import { type Abort, AttachError, connectSession, type Session } from "./session.ts";
import type { SessionOptions } from "./session.ts";

/** Where a client stands. */
export type ClientState =
  | "disconnected"
  | "connecting"
  | "ready"
  /** Nobody listens; `refresh()` tries again. */
  | "not found"
  /** The token is wrong; only a new client helps. */
  | "auth failed"
  /** The server speaks something else; only a new client helps. */
  | "incompatible"
  /** A call failed; `refresh()` connects again. */
  | "broken";

/** What a connection is made with. */
export interface ConnectionOptions extends Omit<SessionOptions, "profiles"> {
  readonly profile: ProfileChoice;
}

/** What asks for larger limits: nothing, a request of so many bytes, or the server's response. */
export type Growth = "none" | "response" | { readonly request: number };

/** No limit grows beyond a mebibyte by itself. */
export const GROWTH_CAP: number = 1 << 20;
const RECONNECTS = 20;
const RECONNECT_MS = 5;

/** A connection to a service that can be lost and made again. */
export class Connection {
  /** The session, in the state `ready`. */
  session: Session | undefined;
  /** Where the client stands. */
  state: ClientState = "disconnected";
  readonly #options: ConnectionOptions;
  #profiles: number;
  #maxRequest: number;
  #maxResponse: number;
  #lastFault: NetipcFault | undefined;
  #closes = 0;
  #connecting: Promise<void> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#profiles = profilesOf(options.profile);
    this.#maxRequest = options.maxRequestBytes;
    this.#maxResponse = options.maxResponseBytes;
  }

  /** How often `close` was called: whoever began before the last one is to give up. */
  get closes(): number {
    return this.#closes;
  }

  /**
   * Tries to connect once; the state tells what came of it.
   *
   * @param deadline as `performance.now()`; the handshake may take no longer either
   */
  connect(abort: Abort, deadline = Infinity): Promise<void> {
    const closes = this.#closes;
    const isClosed = () => closes !== this.#closes;
    const given = {
      get aborted(): boolean {
        return abort.aborted || isClosed();
      },
    };
    this.state = "connecting";
    this.#connecting = this.#connect(given, deadline).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(abort: Abort, deadline: number): Promise<void> {
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    const options = {
      ...this.#options,
      profiles: this.#profiles,
      maxRequestBytes: this.#maxRequest,
      maxResponseBytes: this.#maxResponse,
      handshakeMs: Math.min(this.#options.handshakeMs, left),
    };
    try {
      this.session = await connectSession(options, abort);
      this.state = "ready";
    } catch (error) {
      this.#lastFault = faultOf(error);
      this.state = stateAfter(this.#lastFault);
      // Shared memory does not work here: where the socket is an offer too, it is the only one now.
      if (error instanceof AttachError && (this.#profiles & Profile.uds) !== 0) {
        this.#profiles = Profile.uds;
        this.state = "connecting";
        return await this.#connect(abort, deadline);
      }
      if (!(error instanceof NetipcError || error instanceof RetryLaterError)) throw error;
    }
  }

  /** Ends the session, and a try to connect that goes on. */
  async close(): Promise<void> {
    this.#closes++;
    await this.#connecting?.catch(() => {});
    await this.disconnect();
    this.state = "disconnected";
  }

  /** Ends the session. */
  async disconnect(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    await session?.close();
  }

  /**
   * Connects again, several times if necessary.
   *
   * @param before what was agreed the last time
   * @param growth which limit was too small; it is raised first
   * @param deadline as `performance.now()`
   * @returns nothing when there is no session, or one that allows no more than the last
   */
  async reconnect(
    before: Agreed,
    growth: Growth,
    deadline: number,
    abort: Abort,
  ): Promise<Session | undefined> {
    const { request, response } = { request: this.#maxRequest, response: this.#maxResponse };
    const closes = this.#closes;
    await this.disconnect();
    if (typeof growth === "object") this.#maxRequest = grown(growth.request, request);
    if (growth === "response") this.#maxResponse = grown(2 * response, response);
    for (let attempt = 0; attempt < RECONNECTS; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      if (closes !== this.#closes) break;
      await this.connect(abort, deadline);
      const hopeless = this.state === "auth failed" || this.state === "incompatible";
      if (this.state === "ready" || hopeless || this.#lastFault === "refused") break;
      if (abort.aborted || performance.now() >= deadline) break;
    }
    const { session } = this;
    // A server that refuses the larger request would refuse it for ever.
    if (session === undefined) this.#maxRequest = request;
    const isBetter = growth === "none" || this.#maxRequest > request ||
      this.#maxResponse > response;
    return session === undefined || isBetter || allowsMore(session.agreed, before)
      ? session
      : undefined;
  }
}

function allowsMore(after: Agreed, before: Agreed): boolean {
  return after.requestBytes > before.requestBytes || after.responseBytes > before.responseBytes;
}

/** The next power of two, at least 16 and at most a mebibyte, and never less than before. */
function grown(bytes: number, before: number): number {
  const next = Math.max(16, 2 ** Math.ceil(Math.log2(bytes)));
  return Math.max(before, Math.min(GROWTH_CAP, next));
}

function stateAfter(fault: NetipcFault | undefined): ClientState {
  return fault === "not found" || fault === "auth failed" || fault === "incompatible"
    ? fault
    : "disconnected";
}
