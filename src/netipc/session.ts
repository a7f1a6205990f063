/**
 * One session of a client: the handshake, then whole messages in both directions.
 *
 * @module
 */
import { NativeError } from "../../ffi/errors.ts";
import { PS_UDS_READY, type UdsEvent } from "../../ffi/records.gen.ts";
import { SHM_MESSAGE_AT, ShmHub } from "../../ffi/shm.ts";
import { UdsHub } from "../../ffi/uds.ts";
import { HEADER_BYTES } from "./codec/header.ts";
import { align8, type Span, spanOf } from "./codec/span.ts";
import { type Endpoint, isShared, regionPath, socketPath } from "./endpoint.ts";
import { abortedError, closedError, NetipcError, timeoutError } from "./errors.ts";
import { type Agreed, type Link, SharedLink, SocketLink } from "./link.ts";

/** What a client offers in its handshake. */
export interface SessionOptions extends Endpoint {
  /** Absolute path of the native library. */
  readonly library: string;
  /** Profile bits. */
  readonly profiles: number;
  readonly authToken: bigint;
  readonly maxRequestBytes: number;
  readonly maxRequestItems: number;
  /** A hint; the server decides. */
  readonly maxResponseBytes: number;
  /** How long the handshake may take, and then the attaching to shared memory, milliseconds. */
  readonly handshakeMs: number;
}

/** Says that someone gave up; looked at in every slice of a wait. */
export interface Abort {
  readonly aborted: boolean;
}

/** A server may allow immense messages; room is only kept for this much. */
const MOST_ROOM = 64 << 20;
/** Room for another packet behind the longest message: a poll takes several where it can. */
const SPARE_ROOM = 65536;
const SPIN_US = 50;
/** So often an answer is looked for before sleeping, if the last ones came that fast. */
const MOST_SPINS = 4;
/** How often a wait looks whether the peer still lives, or the caller gave up. */
const SLICE_MS = 100;
const RETRY_MS = 5;
const ENOENT = 2;
const EAGAIN = 11;
const ENOMEM = 12;
const ENFILE = 23;
const EMFILE = 24;
const ENODATA = 61;
const EBADMSG = 74;
const EMSGSIZE = 90;
/** The region is not there or not ready, or there is no room for it at the moment. */
const NOT_YET: readonly number[] = [ENOENT, ENODATA, EBADMSG, ENOMEM, ENFILE, EMFILE];

/** A session with a server. Not for several callers at a time. */
export class Session implements AsyncDisposable {
  /** What was agreed. */
  readonly agreed: Agreed;
  /** Where the next message is written: room for the longest request. */
  readonly out: Span & { readonly bytes: Uint8Array<ArrayBuffer> };
  /** The part of `out` for the payload: as much as was agreed. */
  readonly payload: Span;
  readonly #service: string;
  readonly #link: Link;
  #spins = MOST_SPINS;

  constructor(service: string, agreed: Agreed, link: Link) {
    this.#service = service;
    this.agreed = agreed;
    this.#link = link;
    const room = align8(HEADER_BYTES + Math.min(agreed.requestBytes, MOST_ROOM));
    const bytes = new Uint8Array(room);
    this.out = { ...spanOf(bytes), bytes };
    const length = Math.min(agreed.requestBytes, room - HEADER_BYTES);
    this.payload = { ...this.out, start: HEADER_BYTES, length };
  }

  /**
   * Sends the message of `length` bytes that stands in `out`. Over the socket up to 200 may wait
   * for their answers, through shared memory one.
   *
   * @param deadline as `performance.now()`
   * @throws {NetipcError} "closed", "overflow", "protocol", "timeout", "aborted"
   */
  async send(length: number, deadline: number, abort: Abort): Promise<void> {
    while (!this.#link.trySend(this.out.bytes, length)) await this.#sleep(deadline, abort);
  }

  /**
   * The next message; its span is good until the next receive or send.
   *
   * @param deadline as `performance.now()`
   * @throws {NetipcError} "closed", "overflow", "protocol", "timeout", "aborted"
   */
  async receive(deadline: number, abort: Abort): Promise<Span> {
    for (;;) {
      const span = this.tryReceive();
      if (span !== undefined) return span;
      await this.#sleep(deadline, abort);
    }
  }

  /**
   * A message that is there, or comes within a moment.
   *
   * @throws {NetipcError} "closed", "overflow", "protocol"
   */
  tryReceive(): Span | undefined {
    for (let turn = 0; turn < this.#spins; turn++) {
      const span = this.#link.take(SPIN_US);
      if (span !== undefined) return this.#hurry(span);
    }
    // Answers take longer: do not burn time for the next one, until they are fast again.
    this.#spins = Math.max(1, this.#spins - 1);
    return this.#link.take(0);
  }

  /** A message that was taken together with the last one. */
  takeMore(): Span | undefined {
    return this.#link.takeMore();
  }

  /**
   * Sends the message of `length` bytes in `out` and gives the next message: at once if it comes
   * at once.
   *
   * @param timeoutMs for all of it
   * @throws {NetipcError} "closed", "overflow", "protocol", "timeout", "aborted"
   */
  exchange(length: number, timeoutMs: number, abort: Abort): Span | Promise<Span> {
    const result = this.#link.exchange(this.out.bytes, length, SPIN_US);
    if (typeof result === "object") return this.#hurry(result);
    const deadline = performance.now() + timeoutMs;
    return result
      ? this.receive(deadline, abort)
      : this.send(length, deadline, abort).then(() => this.receive(deadline, abort));
  }

  /** Ends the wait that goes on, so that it looks at its `abort`. */
  wake(): void {
    this.#link.wake();
  }

  /** Ends the session. */
  close(): Promise<void> {
    return this.#link.close();
  }

  /** As {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #hurry(span: Span): Span {
    if (this.#spins < MOST_SPINS) this.#spins++;
    return span;
  }

  async #sleep(deadline: number, abort: Abort): Promise<void> {
    const left = deadline - performance.now();
    if (abort.aborted) throw abortedError(this.#service);
    if (left <= 0) throw timeoutError(this.#service);
    await this.#link.sleep(Math.min(Math.ceil(left), SLICE_MS));
  }
}

/**
 * Connects to a service and agrees with it.
 *
 * @param abort looked at while waiting
 * @throws {AttachError} when shared memory was agreed on and cannot be had
 * @throws {NetipcError} "not found", "auth failed", "incompatible", "refused", "timeout",
 * "protocol", "closed", "aborted"
 */
export async function connectSession(options: SessionOptions, abort: Abort): Promise<Session> {
  // The least room there is: messages come later, and through shared memory never.
  const hub = new UdsHub(options.library, 0);
  try {
    const ready = await shakeHands(hub, options, abort);
    const room = HEADER_BYTES + Math.min(ready.responseBytes, MOST_ROOM);
    if (isShared(ready.profile)) return await connectShared(hub, options, ready, room, abort);
    hub.grow(align8(room) + SPARE_ROOM);
    return new Session(options.service, ready, new SocketLink(options.service, hub, ready.session));
  } catch (error) {
    await hub.close();
    throw error;
  }
}

async function connectShared(
  socket: UdsHub,
  options: SessionOptions,
  ready: UdsEvent,
  room: number,
  abort: Abort,
): Promise<Session> {
  const hub = new ShmHub(options.library, align8(SHM_MESSAGE_AT + room));
  try {
    const number = await attach(socket, hub, options, ready, abort);
    return new Session(
      options.service,
      ready,
      new SharedLink(options.service, socket, hub, number),
    );
  } catch (error) {
    await hub.close();
    throw error;
  }
}

/** Sends HELLO and waits for the answer. */
async function shakeHands(hub: UdsHub, options: SessionOptions, abort: Abort): Promise<UdsEvent> {
  const { service } = options;
  await begin(hub, options, abort);
  while (hub.poll(SPIN_US) === 0) {
    if (abort.aborted) throw abortedError(service);
    await hub.wait(SLICE_MS);
  }
  const event = hub.event(0);
  if (event.type === PS_UDS_READY) return event;
  if (event.status === -EMSGSIZE) {
    const bytes = options.maxRequestBytes;
    throw new NetipcError("refused", `The service ${service} allows no requests of ${bytes} bytes`);
  }
  throw closedError(event.status, service);
}

/** Connects and sends HELLO; a server with a full backlog gets some time. */
async function begin(hub: UdsHub, options: SessionOptions, abort: Abort): Promise<void> {
  const path = socketPath(options);
  const end = performance.now() + options.handshakeMs;
  for (;;) {
    const number = hub.connect(path, {
      authToken: options.authToken,
      profiles: options.profiles,
      requestBytes: options.maxRequestBytes,
      requestItems: options.maxRequestItems,
      responseBytes: options.maxResponseBytes,
      handshakeMs: options.handshakeMs,
    });
    if (number > 0) return;
    if (abort.aborted) throw abortedError(options.service);
    if (number !== -EAGAIN || performance.now() > end) {
      const cause = new NativeError(-number);
      const message = `No netipc service can be reached at ${path}: ${cause.message}`;
      throw new NetipcError("not found", message, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/**
 * Maps the region, which the server has made before it answered, or is about to. A server without
 * a free place may agree first and then hang up: nothing is wrong with shared memory if its region
 * is gone by then.
 */
async function attach(
  socket: UdsHub,
  hub: ShmHub,
  options: SessionOptions,
  agreed: Agreed,
  abort: Abort,
): Promise<number> {
  const path = regionPath(options, agreed.sessionId);
  const end = performance.now() + options.handshakeMs;
  for (;;) {
    const number = hub.attach(path, agreed);
    if (number > 0) return number;
    if (abort.aborted) throw abortedError(options.service);
    if (socket.poll() > 0) throw closedError(socket.event(0).status, options.service);
    const again = NOT_YET.includes(-number);
    if (!again || performance.now() > end) throw new AttachError(path, -number);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Shared memory was agreed on and cannot be had. */
export class AttachError extends NetipcError {
  constructor(path: string, errno: number) {
    super("closed", `The shared memory ${path} cannot be mapped (errno ${errno})`);
  }
}
