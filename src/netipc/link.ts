/**
 * The two ways of a client's messages: over the socket, and through shared memory.
 *
 * @module
 */
import { PS_UDS_CLOSED, PS_UDS_MESSAGE, type UdsEvent } from "../../ffi/records.gen.ts";
import { SHM_MESSAGE_AT, type ShmHub } from "../../ffi/shm.ts";
import type { UdsHub } from "../../ffi/uds.ts";
import { copyOf, type Span, spanOf, Window } from "./codec/span.ts";
import { closedError, NetipcError } from "./errors.ts";

const EAGAIN = 11;
const EEXIST = 17;
const EPROTO = 71;
const EMSGSIZE = 90;
const ENOBUFS = 105;

/** How whole messages go to a server and come from it. */
export interface Link {
  /**
   * Sends one whole message.
   *
   * @returns false when the server reads too slowly: `sleep`, then the same message again
   * @throws {NetipcError} "closed", "overflow", "protocol"
   */
  trySend(message: Uint8Array<ArrayBuffer>, length: number): boolean;
  /**
   * The next message that is there or comes within so many microseconds; its span is good until
   * the next `take`.
   *
   * @throws {NetipcError} "closed", "overflow", "protocol"
   */
  take(spinUs: number): Span | undefined;
  /** A message that an earlier `take` has brought along. */
  takeMore(): Span | undefined;
  /**
   * `trySend`, then `take`.
   *
   * @returns the message that was taken, or what `trySend` would
   */
  exchange(message: Uint8Array<ArrayBuffer>, length: number, spinUs: number): Span | boolean;
  /** Sleeps until `take` or `trySend` may do more, or the server is gone, or so long. */
  sleep(ms: number): Promise<void>;
  /** Ends the sleep. */
  wake(): void;
  close(): Promise<void>;
}

/** Over the socket: up to 200 requests at a time. */
export class SocketLink implements Link {
  readonly #service: string;
  readonly #hub: UdsHub;
  readonly #session: number;
  // Events of the last poll that were not handed out yet, and messages kept from polls before it.
  #next = 0;
  #count = 0;
  #kept: Span[] = [];
  #full = false;
  readonly #window: Window;

  constructor(service: string, hub: UdsHub, session: number) {
    this.#service = service;
    this.#hub = hub;
    this.#session = session;
    this.#window = new Window(hub.data);
  }

  trySend(message: Uint8Array<ArrayBuffer>, length: number): boolean {
    const sent = this.#hub.send(this.#session, message, length);
    if (sent < 0) throw sendError(-sent, this.#service);
    this.#full = sent < length;
    return !this.#full;
  }

  take(spinUs: number): Span | undefined {
    return this.takeMore() ?? (this.#poll(spinUs) > 0 ? this.#takeEvent() : undefined);
  }

  takeMore(): Span | undefined {
    return (this.#kept.length > 0 ? this.#kept.shift() : undefined) ?? this.#takeEvent();
  }

  exchange(message: Uint8Array<ArrayBuffer>, length: number, spinUs: number): Span | boolean {
    const more = this.takeMore();
    if (more !== undefined) {
      let sent = false;
      try {
        sent = this.trySend(message, length);
      } finally {
        if (!sent) this.#kept.unshift(spanOf(copyOf(more)));
      }
      return sent && more;
    }
    const count = this.#hub.exchange(this.#session, message, length, spinUs);
    this.#full = count === -EAGAIN;
    if (this.#full) return false;
    if (count < 0) throw sendError(-count, this.#service);
    this.#next = 0;
    this.#count = count;
    return this.#takeEvent() ?? true;
  }

  async sleep(ms: number): Promise<void> {
    await this.#hub.wait(ms);
    // Only a poll says that the server reads again; what else it gives must not be lost.
    if (!this.#full) return;
    for (let span = this.#takeEvent(); span !== undefined; span = this.#takeEvent()) {
      this.#kept.push(spanOf(copyOf(span)));
    }
    this.#poll(0);
  }

  wake(): void {
    this.#hub.wake();
  }

  close(): Promise<void> {
    return this.#hub.close();
  }

  #poll(spinUs: number): number {
    this.#next = 0;
    this.#count = this.#hub.poll(spinUs);
    return this.#count;
  }

  #takeEvent(): Span | undefined {
    while (this.#next < this.#count) {
      const i = this.#next++;
      const type = this.#hub.typeOf(i);
      if (type === PS_UDS_MESSAGE) {
        return this.#window.over(this.#hub.data, this.#hub.offsetOf(i), this.#hub.lengthOf(i));
      }
      if (type === PS_UDS_CLOSED) throw closedError(this.#hub.event(i).status, this.#service);
    }
    return undefined;
  }
}

/** Through shared memory: one request at a time, and the socket only tells who lives. */
export class SharedLink implements Link {
  readonly #service: string;
  readonly #socket: UdsHub;
  readonly #hub: ShmHub;
  readonly #session: number;
  readonly #window: Window;

  constructor(service: string, socket: UdsHub, hub: ShmHub, session: number) {
    this.#service = service;
    this.#socket = socket;
    this.#hub = hub;
    this.#session = session;
    this.#window = new Window(hub.data);
  }

  trySend(message: Uint8Array<ArrayBuffer>, length: number): boolean {
    const result = this.#hub.send(this.#session, message, length);
    if (result < 0) throw sendError(-result, this.#service);
    return true;
  }

  /** One request is on its way at most, so one response. */
  takeMore(): undefined {
    return undefined;
  }

  take(spinUs: number): Span | undefined {
    return this.#hub.poll(spinUs) > 0 ? this.#takeRecord() : undefined;
  }

  exchange(message: Uint8Array<ArrayBuffer>, length: number, spinUs: number): Span | boolean {
    const used = this.#hub.exchange(this.#session, message, length, spinUs);
    if (used < 0) throw sendError(-used, this.#service);
    return used === 0 || this.#takeRecord();
  }

  async sleep(ms: number): Promise<void> {
    if (await this.#hub.wait(ms) || this.#socket.poll() === 0) return;
    throw closedError(this.#socket.event(0).status, this.#service);
  }

  wake(): void {
    this.#hub.wake();
  }

  async close(): Promise<void> {
    await this.#hub.close();
    await this.#socket.close();
  }

  #takeRecord(): Span {
    const status = this.#hub.statusAt(0);
    if (status < 0) {
      throw closedError(status === -EMSGSIZE ? status : -EPROTO, this.#service);
    }
    return this.#window.over(this.#hub.data, SHM_MESSAGE_AT, this.#hub.lengthAt(0));
  }
}

function sendError(errno: number, service: string): NetipcError {
  const to = `A request to the netipc service ${service}`;
  switch (errno) {
    case EMSGSIZE:
      return new NetipcError("overflow", `${to} is larger than was agreed`);
    case ENOBUFS:
    case EAGAIN:
      return new NetipcError("overflow", `${to} must wait until earlier ones are answered`);
    case EEXIST:
      return new NetipcError("protocol", `${to} has the number of another one`);
    default:
      return new NetipcError("closed", `The netipc service ${service} is gone`);
  }
}

/** Everything that was agreed in a handshake. */
export type Agreed = Pick<
  UdsEvent,
  | "profile"
  | "requestBytes"
  | "requestItems"
  | "responseBytes"
  | "responseItems"
  | "packetSize"
  | "sessionId"
>;
