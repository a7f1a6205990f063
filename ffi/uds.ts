/**
 * netipc sessions over sockets: many of them, listening or connecting, in one hub.
 *
 * @module
 */
import { StopError } from "../src/core/errors.ts";
import { NativeError, nativeError, unwrap } from "./errors.ts";
import { Hub } from "./hub.ts";
import { openNative } from "./load.ts";
import {
  PS_UDS_MIN_DATA,
  readUdsEvent,
  UDS_CONFIG_BYTES,
  UDS_CONFIG_WORD,
  UDS_EVENT_WORD,
  UDS_EVENT_WORDS,
  type UdsEvent,
} from "./records.gen.ts";
import { udsSymbols } from "./symbols_uds.ts";

/** Events that one poll gives at most. */
const CAPACITY = 256;
const DEFAULT_DATA = 1 << 20;

/** What one side of a handshake offers; what is left out has the protocol's default. */
export interface UdsOffer {
  readonly authToken?: bigint;
  /** Profile bits that are supported and preferred. */
  readonly profiles?: number;
  readonly requestBytes?: number;
  readonly requestItems?: number;
  readonly responseBytes?: number;
  readonly responseItems?: number;
  readonly packetSize?: number;
  /** How long a handshake may take, and a pause inside a message. */
  readonly handshakeMs?: number;
}

/** What a server sets beside its offer. */
export interface UdsListenOffer extends UdsOffer {
  readonly maxSessions?: number;
  readonly backlog?: number;
  /** Permissions of the socket's node; default 0600. */
  readonly mode?: number;
}

/** Why nobody can listen at a path, where more is known than an errno says. */
function listenError(errno: number, path: string): Error {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const why = errno === EADDRINUSE
    ? "another process listens there; give one of the two another name"
    : errno === ENOENT
    ? `the folder ${folder} is not there; make it, for nobody else to write to`
    : errno === EPERM
    ? `the folder ${folder} must be this user's or root's, and closed to others: chmod go-w`
    : undefined;
  if (why === undefined) return nativeError(errno, `listen at ${path}`);
  return new StopError(`Cannot listen at ${path}: ${why}`, { cause: new NativeError(errno) });
}

const EPERM = 1;
const ENOENT = 2;
const EADDRINUSE = 98;

/** A hub of sessions over sockets. */
export class UdsHub extends Hub {
  /** Where the last poll put messages: anew at each poll. */
  data: { readonly bytes: Uint8Array<ArrayBuffer>; readonly view: DataView<ArrayBuffer> };
  readonly #symbols: Deno.DynamicLibrary<typeof udsSymbols>["symbols"];
  readonly #handle: number;
  readonly #events = new Uint32Array(CAPACITY * UDS_EVENT_WORDS);
  readonly #eventBytes = new Uint8Array(this.#events.buffer);

  /**
   * @param library absolute path of the native library
   * @param dataBytes room for the messages of one poll, and the longest message
   */
  constructor(library: string, dataBytes = DEFAULT_DATA) {
    const native = openNative(library, udsSymbols);
    const { symbols } = native;
    const handle = symbols.ps_uds_open();
    if (handle < 0) {
      native.close();
      throw nativeError(-handle, "open a hub of sockets");
    }
    super({
      wait: (timeoutMs) => symbols.ps_uds_wait(handle, timeoutMs),
      wake: () => symbols.ps_uds_wake(handle),
      free: () => symbols.ps_uds_free(handle),
      unload: () => native.close(),
    });
    this.#symbols = symbols;
    this.#handle = handle;
    this.data = buffer(dataBytes);
  }

  /** Makes room for messages of so many bytes; what the last poll gave is gone. */
  grow(bytes: number): void {
    if (bytes > this.data.bytes.length) this.data = buffer(bytes);
  }

  /**
   * Listens at a sealed path.
   *
   * @throws {StopError} when somebody listens there, or the path is not allowed
   */
  listen(path: string, offer: UdsListenOffer): void {
    const bytes = new TextEncoder().encode(path);
    const config = configOf(offer);
    const result = this.#symbols.ps_uds_listen(this.#handle, bytes, bytes.length, config);
    if (result < 0) throw listenError(-result, path);
  }

  /** New limits of a listener, for the handshakes to come. */
  setLimits(requestBytes: number, responseBytes: number): void {
    this.#symbols.ps_uds_set_limits(this.#handle, requestBytes, responseBytes);
  }

  /** Connects to a sealed path: a session whose READY or CLOSED follows, or a negative errno. */
  connect(path: string, offer: UdsOffer): number {
    const bytes = new TextEncoder().encode(path);
    const config = configOf(offer);
    const result = this.#symbols.ps_uds_connect(this.#handle, bytes, bytes.length, config);
    this.wakeWait();
    return result;
  }

  /** Answers a HELLO with a profile, or refuses it with a status; 0 or a negative errno. */
  admit(session: number, profile: number, status = 0): number {
    return this.#symbols.ps_uds_admit(this.#handle, session, profile, status);
  }

  /** Closes a session without an event. */
  closeSession(session: number): void {
    if (!this.closed) this.#symbols.ps_uds_close(this.#handle, session);
  }

  /** Stops reading from a session, so that its peer waits; or goes on. */
  pause(session: number, paused: boolean): void {
    if (!this.closed) this.#symbols.ps_uds_pause(this.#handle, session, Number(paused));
  }

  /** Sends whole messages, each at a multiple of 8: the bytes that went, or a negative errno. */
  send(session: number, messages: Uint8Array<ArrayBuffer>, length: number): number {
    return this.#symbols.ps_uds_send(this.#handle, session, messages, length);
  }

  /**
   * Takes what is there, or comes within `spinUs` (at most 50) microseconds.
   *
   * @returns the number of events
   * @throws {StopError | RetryLaterError} when the hub cannot be read
   */
  poll(spinUs = 0): number {
    const { bytes } = this.data;
    const count = this.#symbols.ps_uds_poll(
      this.#handle,
      this.#eventBytes,
      CAPACITY,
      bytes,
      bytes.length,
      spinUs,
    );
    return count < 0 ? unwrap(count, "read from sockets") : count;
  }

  /**
   * `send` of one message, then `poll`, in one call.
   *
   * @returns the number of events, or a negative errno: -11 when the message was not sent whole
   */
  exchange(
    session: number,
    message: Uint8Array<ArrayBuffer>,
    length: number,
    spinUs: number,
  ): number {
    const { bytes } = this.data;
    return this.#symbols.ps_uds_exchange(
      this.#handle,
      session,
      message,
      length,
      this.#eventBytes,
      CAPACITY,
      bytes,
      bytes.length,
      spinUs,
    );
  }

  /** What event `i` is. */
  typeOf(i: number): number {
    return this.#events[i * UDS_EVENT_WORDS + UDS_EVENT_WORD.type] ?? 0;
  }

  /** Whose event `i` is. */
  sessionOf(i: number): number {
    return this.#events[i * UDS_EVENT_WORDS + UDS_EVENT_WORD.session] ?? 0;
  }

  /** Where the message of event `i` stands in `data`. */
  offsetOf(i: number): number {
    return this.#events[i * UDS_EVENT_WORDS + UDS_EVENT_WORD.offset] ?? 0;
  }

  /** How long the message of event `i` is, with its outer header. */
  lengthOf(i: number): number {
    return this.#events[i * UDS_EVENT_WORDS + UDS_EVENT_WORD.length] ?? 0;
  }

  /** All of event `i`. */
  event(i: number): UdsEvent {
    const view = { words: this.#events, bytes: this.#eventBytes };
    return readUdsEvent(view, i * UDS_EVENT_WORDS);
  }

  /** A wait that began before a session did does not know its deadline. */
  wakeWait(): void {
    if (this.waiting) this.wake();
  }
}

function buffer(size: number): UdsHub["data"] {
  const bytes = new Uint8Array(Math.max(size, PS_UDS_MIN_DATA));
  return { bytes, view: new DataView(bytes.buffer) };
}

function configOf(offer: UdsListenOffer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(UDS_CONFIG_BYTES);
  const words = new Uint32Array(bytes.buffer);
  const at = UDS_CONFIG_WORD;
  new DataView(bytes.buffer).setBigUint64(at.authToken * 4, offer.authToken ?? 0n, true);
  words[at.supported] = offer.profiles ?? 0;
  words[at.preferred] = offer.profiles ?? 0;
  words[at.requestBytes] = offer.requestBytes ?? 0;
  words[at.requestItems] = offer.requestItems ?? 0;
  words[at.responseBytes] = offer.responseBytes ?? 0;
  words[at.responseItems] = offer.responseItems ?? 0;
  words[at.packetSize] = offer.packetSize ?? 0;
  words[at.handshakeMs] = offer.handshakeMs ?? 0;
  words[at.maxSessions] = offer.maxSessions ?? 0;
  words[at.backlog] = offer.backlog ?? 0;
  words[at.mode] = offer.mode ?? 0;
  return bytes;
}
