/**
 * A server of one method for many clients, over sockets and shared memory.
 *
 * @module
 */
import { BatchBuilder, BatchView } from "./codec/batch.ts";
import { CodecError } from "./codec/errors.ts";
import { FLAG_BATCH, HEADER_BYTES, Kind, Status, writeHeader } from "./codec/header.ts";
import { align8, copyOf, type Span, spanOf, Window } from "./codec/span.ts";
import { type Endpoint, type ProfileChoice, profilesOf } from "./endpoint.ts";
import { type Peer, Transport, type TransportSession } from "./transport.ts";

/** What a server is made with. */
export interface ServerOptions extends Endpoint {
  /** Absolute path of the native library, sealed with the service's folder. */
  readonly library: string;
  /** How messages travel; default `auto`: as each client wishes. */
  readonly profile?: ProfileChoice;
  /** The number that clients must know; default 0. */
  readonly authToken?: bigint;
  /** Longest request; default a mebibyte. */
  readonly maxRequestBytes?: number;
  /** Most items of a batch; default 4096. */
  readonly maxRequestItems?: number;
  /**
   * Longest response. Without it 65536, and that grows up to a mebibyte when a response was too
   * long: for the handshakes to come.
   */
  readonly maxResponseBytes?: number;
  /** Most clients at a time; default 64, over shared memory at most 127. */
  readonly maxSessions?: number;
  /** How long a handshake may take; default 5,000 ms. */
  readonly handshakeMs?: number;
  /** Permissions of the socket's node; default 0600. */
  readonly mode?: number;
  /** Whether a client may come in; default everyone who can open the socket. */
  readonly allow?: (peer: Peer) => boolean;
  /** Told about clients that were turned away; `status` is a negative errno. */
  readonly onRefused?: (peer: Peer, status: number) => void;
}

/** A service that answers at once. */
export interface SyncService {
  /** The method's number. */
  readonly method: number;
  /** Reads a request in place, writes the response's payload and returns its length. */
  handle(request: Span, response: Span, session: TransportSession): number;
  /**
   * Answers a batch as a whole, for items so small that a call for each costs more than they do:
   * reads and writes payloads with their directories. Without it `handle` has one item at a time.
   */
  handleBatch?(request: Span, items: number, response: Span, session: TransportSession): number;
}

/** A service that answers later. */
export interface LaterService {
  /** The method's number. */
  readonly method: number;
  /** Reads a copy of a request, and promises the response's payload. */
  handleLater(request: Span, session: TransportSession): Promise<Uint8Array>;
}

/**
 * What a server does. A CodecError means that the request is malformed, or with the fault
 * `overflow` that the response has no room; any other error is answered with INTERNAL_ERROR.
 */
export type Service = SyncService | LaterService;

/** What a server has done so far. */
export interface ServerStatus {
  /** Clients there are now. */
  readonly sessions: number;
  readonly accepted: number;
  readonly refused: number;
  readonly requests: number;
  /** Requests that were answered with an error. */
  readonly failures: number;
}

const DEFAULT_RESPONSE = 65536;
const GROWTH_CAP = 1 << 20;
/** A session that owes so many answers is not read until half of them are given. */
const MOST_OWED = 64;
/** Nobody is read any more while requests of so many bytes wait for their answers. */
const MOST_OWED_BYTES = 16 << 20;
/** How often a server that ends looks whether all is answered. */
const DRAIN_LOOK_MS = 5;

/**
 * A server of one method. Requests of other methods are answered UNSUPPORTED; after any other
 * error the session ends.
 *
 * @example
 * ```ts ignore
 * await using server = new Server({ library, runDir: "/run/mine", service: "sums" }, {
 *   method: Method.increment,
 *   handle: (request, response) => encodeIncrement(response, decodeIncrement(request) + 1n),
 * });
 * await server.start();
 * ```
 */
export class Server implements AsyncDisposable {
  readonly #service: Service;
  readonly #transport: Transport;
  readonly #mayGrow: boolean;
  /** Answers that sessions wait for, by their numbers. */
  readonly #owed = new Map<number, number>();
  readonly #paused = new Set<TransportSession>();
  #owedBytes = 0;
  readonly #payload: Window;
  readonly #response: Window;
  #responseBytes: number;
  #out: Span & { readonly bytes: Uint8Array<ArrayBuffer> };
  #accepted = 0;
  #refused = 0;
  #requests = 0;
  #failures = 0;

  constructor(options: ServerOptions, service: Service) {
    const { profile = "auto", allow = () => true, onRefused = () => {} } = options;
    this.#service = service;
    // As everywhere in the protocol, a limit of 0 is the default.
    this.#mayGrow = !options.maxResponseBytes;
    this.#responseBytes = options.maxResponseBytes || DEFAULT_RESPONSE;
    this.#out = outOf(this.#responseBytes);
    this.#payload = new Window(this.#out);
    this.#response = new Window(this.#out);
    this.#transport = new Transport({
      ...{ runDir: options.runDir, service: options.service, library: options.library },
      profiles: profilesOf(profile),
      authToken: options.authToken ?? 0n,
      requestBytes: options.maxRequestBytes ?? 1 << 20,
      requestItems: options.maxRequestItems ?? 4096,
      responseBytes: this.#responseBytes,
      maxSessions: options.maxSessions ?? 64,
      handshakeMs: options.handshakeMs ?? 5000,
      mode: options.mode ?? 0o600,
    }, {
      admit: allow,
      refused: (peer, status) => {
        this.#refused++;
        onRefused(peer, status);
      },
      opened: () => void this.#accepted++,
      message: (session, request) => this.#serve(session, request),
      tooLarge: (session, header) => this.#fail(session, header, Status.limitExceeded),
      closed: (session) => {
        this.#owed.delete(session.number);
        this.#paused.delete(session);
      },
    });
  }

  /**
   * Listens and serves.
   *
   * @returns settles when the server is closed, or fails
   * @throws {StopError} when it cannot listen
   */
  start(): Promise<void> {
    return this.#transport.start();
  }

  /** What the server has done so far. */
  status(): ServerStatus {
    return {
      sessions: this.#transport.sessions,
      accepted: this.#accepted,
      refused: this.#refused,
      requests: this.#requests,
      failures: this.#failures,
    };
  }

  /**
   * Takes no more clients and requests, and closes once those that came are answered and their
   * clients have the answers, or after `ms` milliseconds.
   */
  async drain(ms: number): Promise<void> {
    const end = performance.now() + ms;
    this.#transport.stopTaking();
    while ((this.#owed.size > 0 || this.#transport.isOwing) && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
    await this.close();
  }

  /** Ends every session and the listening. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** As {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #serve(session: TransportSession, request: Span): void {
    this.#requests++;
    const { view, start } = request;
    if (view.getUint16(start + 12, true) !== this.#service.method) {
      return this.#fail(session, request, Status.unsupported);
    }
    // A batch of nothing is a plain message, as for the peers.
    const isBatch = (view.getUint16(start + 10, true) & FLAG_BATCH) !== 0;
    const items = isBatch ? view.getUint32(start + 20, true) : 0;
    const length = request.length - HEADER_BYTES;
    const payload = this.#payload.over(request, start + HEADER_BYTES, length);
    if ("handleLater" in this.#service) {
      return this.#serveLater(this.#service, session, request, payload, items);
    }
    try {
      const response = this.#response.over(this.#out, HEADER_BYTES, session.responseBytes);
      const used = items > 0
        ? handleBatch(this.#service, payload, items, response, session)
        : this.#service.handle(payload, response, session);
      if (!(used <= session.responseBytes)) throw new CodecError("overflow", "response");
      this.#answer(session, request, this.#out, used, items);
    } catch (error) {
      this.#fail(session, request, this.#statusOf(error));
    }
  }

  #serveLater(
    service: LaterService,
    session: TransportSession,
    request: Span,
    payload: Span,
    items: number,
  ): void {
    const head = spanOf(request.bytes.slice(request.start, request.start + HEADER_BYTES));
    const bytes = payload.length;
    this.#owe(session, 1, bytes);
    answerLater(service, payload, items, session).then((answer) => {
      if (answer.length > session.responseBytes) throw new CodecError("overflow", "response");
      const out = outOf(answer.length);
      out.bytes.set(answer, HEADER_BYTES);
      this.#answer(session, head, out, answer.length, items);
    }).catch((error) => this.#fail(session, head, this.#statusOf(error)))
      .finally(() => this.#owe(session, -1, -bytes));
  }

  /** Counts what a session waits for, and keeps it from asking for too much. */
  #owe(session: TransportSession, answers: 1 | -1, bytes: number): void {
    const owed = (this.#owed.get(session.number) ?? 0) + answers;
    if (owed <= 0) this.#owed.delete(session.number);
    else this.#owed.set(session.number, owed);
    this.#owedBytes += bytes;
    if (owed >= MOST_OWED || this.#owedBytes >= MOST_OWED_BYTES) {
      this.#paused.add(session);
      this.#transport.pause(session, true);
    } else if (this.#owedBytes <= MOST_OWED_BYTES / 2) {
      for (const paused of this.#paused) this.#resume(paused);
    }
  }

  #resume(session: TransportSession): void {
    if ((this.#owed.get(session.number) ?? 0) > MOST_OWED / 2) return;
    this.#paused.delete(session);
    this.#transport.pause(session, false);
  }

  /** Sends a response whose payload stands in `out` behind the header. */
  #answer(
    session: TransportSession,
    request: Span,
    out: Span & { readonly bytes: Uint8Array<ArrayBuffer> },
    length: number,
    items: number,
  ): void {
    const { view } = out;
    writeHeader(view, 0, Kind.response, request.view.getUint16(request.start + 12, true), length);
    copyId(request, view);
    if (items > 0) {
      view.setUint16(10, FLAG_BATCH, true);
      view.setUint32(20, items, true);
    }
    this.#transport.send(session, out.bytes, HEADER_BYTES + length);
  }

  /** Answers that the request failed; but for a foreign method the session ends. */
  #fail(session: TransportSession, request: Span, status: number): void {
    this.#failures++;
    const { view, bytes } = outOf(0);
    writeHeader(view, 0, Kind.response, request.view.getUint16(request.start + 12, true), 0);
    view.setUint16(14, status, true);
    copyId(request, view);
    this.#transport.send(session, bytes, HEADER_BYTES);
    if (status !== Status.unsupported) this.#transport.end(session);
  }

  /** What to answer to a request that could not be; no room for the response makes it grow. */
  #statusOf(error: unknown): number {
    if (!(error instanceof CodecError)) return Status.internalError;
    if (error.fault !== "overflow") return Status.badEnvelope;
    this.#grow();
    return Status.limitExceeded;
  }

  /** Allows longer responses in the handshakes to come. */
  #grow(): void {
    if (!this.#mayGrow || this.#responseBytes >= GROWTH_CAP) return;
    this.#responseBytes = Math.min(GROWTH_CAP, this.#responseBytes * 2);
    this.#out = outOf(this.#responseBytes);
    this.#transport.setResponseBytes(this.#responseBytes);
  }
}

/** Room for a response with so long a payload. */
function outOf(length: number): Span & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const bytes = new Uint8Array(align8(HEADER_BYTES + length));
  return { ...spanOf(bytes), bytes };
}

function copyId(request: Span, view: DataView): void {
  view.setUint32(24, request.view.getUint32(request.start + 24, true), true);
  view.setUint32(28, request.view.getUint32(request.start + 28, true), true);
}

/** Splits a batch, and puts the answers together in its order; one that fails, fails all. */
function handleBatch(
  service: SyncService,
  payload: Span,
  count: number,
  response: Span,
  session: TransportSession,
): number {
  if (service.handleBatch) return service.handleBatch(payload, count, response, session);
  const batch = new BatchView(payload, count);
  const builder = new BatchBuilder(response, count);
  for (let i = 0; i < count; i++) {
    builder.commit(service.handle(batch.move(i), builder.room(), session));
  }
  return builder.finish();
}

async function answerLater(
  service: LaterService,
  payload: Span,
  items: number,
  session: TransportSession,
): Promise<Uint8Array> {
  if (items === 0) return await service.handleLater(spanOf(copyOf(payload)), session);
  const copies = new BatchView(payload, items).materialize();
  const answers = await Promise.all(
    copies.map((item) => service.handleLater(spanOf(item), session)),
  );
  const size = answers.reduce((sum, { length }) => align8(sum + length), items * 8);
  const out = spanOf(new Uint8Array(size));
  const builder = new BatchBuilder(out, items);
  for (const answer of answers) builder.add(answer);
  return out.bytes.subarray(0, builder.finish());
}
