/**
 * The server's side of sockets and shared memory: who comes in, what they say, who goes.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import {
  PS_UDS_CLOSED,
  PS_UDS_HELLO,
  PS_UDS_MESSAGE,
  PS_UDS_REFUSED,
  PS_UDS_WRITABLE,
  type UdsEvent,
} from "../../ffi/records.gen.ts";
import { SHM_MESSAGE_AT, ShmHub } from "../../ffi/shm.ts";
import { UdsHub } from "../../ffi/uds.ts";
import { Status } from "./codec/header.ts";
import { Profile } from "./codec/hello.ts";
import { align8, type Span, Window } from "./codec/span.ts";
import { type Endpoint, isShared, regionPath, regionPrefix, socketPath } from "./endpoint.ts";

/** What a listening endpoint is made with. */
export interface TransportOptions extends Endpoint {
  /** Absolute path of the native library. */
  readonly library: string;
  /** Profile bits. */
  readonly profiles: number;
  readonly authToken: bigint;
  readonly requestBytes: number;
  readonly requestItems: number;
  readonly responseBytes: number;
  readonly maxSessions: number;
  readonly handshakeMs: number;
  readonly mode: number;
}

/** Who a client is, as the kernel knows it. */
export interface Peer {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/** A client's session. */
export interface TransportSession {
  readonly peer: Peer;
  /** The session's number in its hub; not the one of the handshake. */
  readonly number: number;
  /** The number in the hub of shared memory; 0 over the socket. */
  readonly shared: number;
  readonly responseBytes: number;
}

/** What the owner of a transport is told. */
export interface TransportEvents {
  /** Whether this client may come in. */
  admit(peer: Peer): boolean;
  /** A client was turned away; `status` is a negative errno. */
  refused(peer: Peer, status: number): void;
  /** A session begins. */
  opened(session: TransportSession): void;
  /** A request, in place: its span is good until this returns. */
  message(session: TransportSession, request: Span): void;
  /** A request that could not be taken; only its header is there. */
  tooLarge(session: TransportSession, header: Span): void;
  /** A session is gone; not told for those that `end` ended. */
  closed(session: TransportSession): void;
}

interface State extends TransportSession {
  /** Responses that the client did not take yet. */
  readonly waiting: Uint8Array<ArrayBuffer>[];
  /** Requests without a response so far. */
  open: number;
  ending: boolean;
}

const SPIN_US = 50;
/** Looks for the next request so often before it sleeps. */
const IDLE_SPINS = 4;
/** The rest of the program gets its turn after so long; looked at every so many turns. */
const TURN_MS = 2;
const TURNS = 32;
/** While shared memory is busy, sockets are looked at only so often. */
const SOCKET_TURNS = 64;
/** Clients that connect while the program does something else. */
const BACKLOG = 256;
const NO_DESCRIPTOR_MS = 50;
const ENFILE = 23;
const EMFILE = 24;
const EMSGSIZE = 90;

/** Listens, and carries messages of many sessions. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #events: TransportEvents;
  readonly #uds: UdsHub;
  readonly #shm: ShmHub | undefined;
  readonly #sessions = new Map<number, State>();
  readonly #byShared = new Map<number, State>();
  readonly #window: Window;
  #running: Promise<void> | undefined;
  #closing = false;
  #deaf = false;
  #pauseMs = 0;
  /**
   * A response through shared memory that goes out in one call with the next look; of session 0
   * there is none.
   */
  readonly #owed = { session: 0, bytes: new Uint8Array(), length: 0 };
  #taking = false;
  /** A region of a session that is gone may still be mapped, until a poll when nobody waits. */
  #burying = false;
  /** Requests of all sessions that somebody else works on, who wants his turn. */
  #open = 0;
  #rouse: () => void = () => {};

  constructor(options: TransportOptions, events: TransportEvents) {
    this.#options = options;
    this.#events = events;
    const room = 2 * align8(SHM_MESSAGE_AT + 32 + options.requestBytes) + 65536;
    this.#uds = new UdsHub(options.library, room);
    this.#window = new Window(this.#uds.data);
    this.#shm = isShared(options.profiles) ? new ShmHub(options.library, room) : undefined;
  }

  /** Sessions there are. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /**
   * Listens, removes what a dead predecessor left, and serves until it is closed.
   *
   * @returns settles when it is closed, or fails
   * @throws {StopError} when it cannot listen
   */
  start(): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    this.#uds.listen(socketPath(this.#options), {
      ...this.#options,
      responseItems: this.#options.requestItems,
      backlog: BACKLOG,
    });
    // Only who has the name may tidy up behind it; regions are made from the first look on.
    this.#shm?.reap(regionPrefix(this.#options));
    this.#running = this.#run();
    return this.#running;
  }

  /** A new limit of responses, for the handshakes to come. */
  setResponseBytes(bytes: number): void {
    this.#uds.setLimits(this.#options.requestBytes, bytes);
  }

  /** Sends a response, or keeps it until the client takes it; forgotten when the client is gone. */
  send(session: TransportSession, response: Uint8Array<ArrayBuffer>, length: number): void {
    const state = this.#sessions.get(session.number);
    if (state === undefined || state.ending) return;
    state.open--;
    this.#open--;
    if (state.shared !== 0) {
      this.#sendShared(state.shared, response, length);
    } else if (state.waiting.length > 0) {
      state.waiting.push(response.slice(0, length));
    } else {
      const sent = this.#uds.send(state.number, response, length);
      if (sent >= 0 && sent < length) state.waiting.push(response.slice(0, length));
    }
  }

  #sendShared(session: number, bytes: Uint8Array<ArrayBuffer>, length: number): void {
    // Only one request is on its way, so there is room; an error means that the client is gone.
    if (!this.#taking) return void this.#shm?.send(session, bytes, length);
    this.#owed.session = session;
    this.#owed.bytes = bytes;
    this.#owed.length = length;
  }

  #pay(): void {
    const { session, bytes, length } = this.#owed;
    this.#owed.session = 0;
    if (session !== 0) this.#shm?.send(session, bytes, length);
  }

  /** Ends a session once its client has taken what was sent. */
  end(session: TransportSession): void {
    const state = this.#sessions.get(session.number);
    if (state === undefined) return;
    this.#pay();
    state.ending = true;
    if (state.waiting.length === 0) this.#drop(state);
  }

  /** Whether a client has not taken all of its answers yet. */
  get isOwing(): boolean {
    return this.#sessions.values().some(({ waiting }) => waiting.length > 0);
  }

  /** Takes no more clients and no more requests. */
  stopTaking(): void {
    this.#deaf = true;
  }

  /** Stops reading a session's requests, or goes on. */
  pause(session: TransportSession, paused: boolean): void {
    if (session.shared === 0) this.#uds.pause(session.number, paused);
  }

  /** Ends every session and the listening. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#rouse();
    await this.#running?.catch(() => {});
    this.#sessions.clear();
    await this.#shm?.close();
    await this.#uds.close();
  }

  async #run(): Promise<void> {
    let idle = 0;
    let turn = 0;
    let turnEnd = performance.now() + TURN_MS;
    while (!this.#closing) {
      if (this.#turn(++turn)) {
        idle = 0;
        if (turn % TURNS !== 0 || performance.now() < turnEnd) continue;
        this.#pay();
        await new Promise<void>((resolve) => setImmediate(resolve));
      } else if (this.#open > 0 || ++idle > IDLE_SPINS) {
        idle = 0;
        await this.#sleep();
      }
      turnEnd = performance.now() + TURN_MS;
    }
  }

  /** Looks once at everything; whether there was anything. */
  #turn(turn: number): boolean {
    if (this.#burying && this.#shm?.waiting === false) this.#bury(this.#shm);
    const shm = this.#byShared.size > 0 ? this.#shm : undefined;
    const used = shm === undefined ? 0 : this.#takeShared(shm, this.#pollShared(shm));
    if (used > 0 && turn % SOCKET_TURNS !== 0) return true;
    this.#pay();
    const count = this.#uds.poll(shm === undefined ? this.#spinUs : 0);
    for (let i = 0; i < count; i++) this.#takeEvent(i);
    return used + count > 0;
  }

  /** Looking out for the next request must not hold up the answer to the last. */
  get #spinUs(): number {
    return this.#open > 0 ? 0 : SPIN_US;
  }

  #bury(shm: ShmHub): void {
    this.#burying = false;
    this.#takeShared(shm, shm.poll());
  }

  async #sleep(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#rouse = resolve;
    if (this.#pauseMs > 0) {
      // Out of descriptors, the listener would wake us at once.
      setTimeout(resolve, this.#pauseMs);
      this.#pauseMs = 0;
    } else {
      this.#park(this.#uds, reject);
    }
    if (this.#shm !== undefined && this.#byShared.size > 0) this.#park(this.#shm, reject);
    await promise;
  }

  #park(hub: UdsHub | ShmHub, reject: (error: unknown) => void): void {
    if (!hub.waiting) hub.wait().then(() => this.#rouse(), reject);
  }

  #pollShared(shm: ShmHub): number {
    const { session, bytes, length } = this.#owed;
    if (session === 0) return shm.poll(this.#spinUs);
    this.#owed.session = 0;
    const used = shm.exchange(session, bytes, length, this.#spinUs);
    return used < 0 ? shm.poll(this.#spinUs) : used;
  }

  #takeShared(shm: ShmHub, used: number): number {
    for (let at = 0; at < used;) {
      const length = shm.lengthAt(at);
      const status = shm.statusAt(at);
      const state = this.#byShared.get(shm.sessionAt(at));
      const span = this.#window.over(shm.data, at + SHM_MESSAGE_AT, length);
      at += align8(SHM_MESSAGE_AT + length);
      if (state === undefined || this.#deaf) continue;
      // The next response is written where the last one stands.
      if (this.#owed.session !== 0) this.#pay();
      this.#taking = true;
      if (status === 0) this.#hand(state, span);
      else if (status === -EMSGSIZE && length > 0) {
        this.#begin(state);
        this.#events.tooLarge(state, span);
      } else this.#lose(state);
      this.#taking = false;
    }
    return used;
  }

  #hand(state: State, request: Span): void {
    this.#begin(state);
    this.#events.message(state, request);
  }

  #begin(state: State): void {
    state.open++;
    this.#open++;
  }

  #takeEvent(i: number): void {
    const type = this.#uds.typeOf(i);
    if (type === PS_UDS_HELLO) return this.#admit(this.#uds.event(i));
    if (type === PS_UDS_REFUSED) return this.#refuse(this.#uds.event(i));
    const state = this.#sessions.get(this.#uds.sessionOf(i));
    if (state === undefined) return;
    if (type === PS_UDS_MESSAGE) {
      if (state.ending || this.#deaf) return;
      const span = this.#window.over(this.#uds.data, this.#uds.offsetOf(i), this.#uds.lengthOf(i));
      this.#hand(state, span);
    } else if (type === PS_UDS_WRITABLE) {
      this.#sendWaiting(state);
    } else if (type === PS_UDS_CLOSED) {
      this.#lose(state);
    }
  }

  #admit(event: UdsEvent): void {
    const { uid, gid, pid } = event;
    const peer = { uid, gid, pid };
    if (this.#deaf) return this.#uds.closeSession(event.session);
    if (!this.#events.admit(peer)) {
      this.#uds.admit(event.session, 0, Status.authFailed);
      return this.#events.refused(peer, 0);
    }
    const shm = isShared(event.profile) ? this.#shm : undefined;
    const shared = shm?.create(regionPath(this.#options, event.sessionId), event) ?? 0;
    // Without a region this one client is offered the socket alone.
    const profile = shared < 0 ? Profile.uds : event.profile;
    const result = this.#uds.admit(event.session, profile);
    if (result < 0) {
      if (shared > 0) shm?.closeSession(shared);
      this.#uds.closeSession(event.session);
      return this.#events.refused(peer, result);
    }
    const state = {
      ...{ peer, number: event.session, shared: Math.max(0, shared) },
      ...{ responseBytes: event.responseBytes, waiting: [], open: 0, ending: false },
    };
    this.#sessions.set(state.number, state);
    if (shared > 0) this.#byShared.set(shared, state);
    this.#events.opened(state);
  }

  #refuse({ uid, gid, pid, status }: UdsEvent): void {
    if (status === -EMFILE || status === -ENFILE) this.#pauseMs = NO_DESCRIPTOR_MS;
    this.#events.refused({ uid, gid, pid }, status);
  }

  #sendWaiting(state: State): void {
    for (let first = state.waiting[0]; first !== undefined; first = state.waiting[0]) {
      const sent = this.#uds.send(state.number, first, first.length);
      if (sent >= 0 && sent < first.length) return;
      state.waiting.shift();
    }
    if (state.ending) this.#drop(state);
  }

  /** The peer ended the session, or said what cannot be. */
  #lose(state: State): void {
    this.#drop(state);
    if (!state.ending) this.#events.closed(state);
  }

  #drop(state: State): void {
    this.#open -= state.open;
    state.open = 0;
    this.#sessions.delete(state.number);
    this.#byShared.delete(state.shared);
    this.#uds.closeSession(state.number);
    if (state.shared === 0) return;
    this.#shm?.closeSession(state.shared);
    this.#burying = true;
  }
}
