/**
 * A netipc service that takes changes: producers connect, send, and hear what became of them.
 *
 * @module
 */
import type { Batch, Receipt } from "../../core/change.ts";
import type { Context } from "../../core/component.ts";
import type { Source } from "../../core/stage.ts";
import { decodeChanges, PUBLISH, type ReceivedChanges } from "../../netipc/changes/codec.ts";
import { encodeReceipts } from "../../netipc/changes/receipts.ts";
import { WireTexts } from "../../netipc/changes/texts.ts";
import type { Span } from "../../netipc/codec/span.ts";
import { Server } from "../../netipc/server.ts";
import type { Peer, TransportSession } from "../../netipc/transport.ts";
import { Intake } from "./intake.ts";
import { isGivenUp, receiptsFor, Reception } from "./received.ts";
import { type NetipcSettings, readToken } from "./settings.ts";

/** One byte and one reason for each change of a message have room. */
const RESPONSE_BYTES = 1 << 16;
const ITEMS = 1;
/**
 * Messages of so many bytes may wait for their answers. The server reads nobody any more at a
 * quarter of that, so only producers get there that hang up and send again while a sink is away.
 */
const MOST_WAITING_BYTES = 64 << 20;

/** What a message waits for. */
interface Waiting {
  readonly received: ReceivedChanges;
  readonly bytes: number;
  readonly room: number;
  readonly answer: (payload: Uint8Array) => void;
}

/** Makes the service; it listens from the first look at `batches` on. */
export async function createServeSource(
  settings: NetipcSettings,
  context: Context,
): Promise<Source> {
  return new ServeSource(settings, context, await readToken(settings.auth_token));
}

class ServeSource implements Source {
  readonly #context: Context;
  readonly #server: Server;
  readonly #texts = new WireTexts();
  readonly #intake = new Intake();
  readonly #reception: Reception;
  readonly #waiting = new Map<Batch, Waiting>();
  #waitingBytes = 0;
  #signal: AbortSignal | undefined;

  constructor(settings: NetipcSettings, context: Context, token: bigint) {
    const { telemetry, library } = context;
    const { type, allow_uids: uids } = settings;
    this.#context = context;
    this.#reception = new Reception(type, context);
    const refused = telemetry.counter(`${type}_refused_clients_total`);
    this.#server = new Server({
      ...{ library, runDir: settings.run_dir, service: settings.service },
      ...{ profile: settings.profile, authToken: token },
      ...{ maxRequestBytes: settings.max_request_bytes, maxRequestItems: ITEMS },
      ...{ maxResponseBytes: RESPONSE_BYTES, maxSessions: settings.max_clients },
      ...{ handshakeMs: settings.handshake_ms, mode: parseInt(settings.socket_mode, 8) },
      allow: ({ uid }) => uids === undefined || uids.includes(uid),
      onRefused: (peer, status) => {
        refused.value++;
        this.#sayRefused(peer, status);
      },
    }, {
      method: PUBLISH,
      handleLater: (request, session) => this.#take(request, session),
    });
    telemetry.gauge(`${type}_clients`, () => this.#server.status().sessions);
    telemetry.gauge(`${type}_failed_messages_total`, () => this.#server.status().failures);
    telemetry.gauge(`${type}_unanswered_messages`, () => this.#waiting.size);
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
    this.#signal = signal;
    this.#server.start().catch((error) => {
      if (!signal.aborted) this.#context.fail(error);
    });
    yield* this.#intake.read(signal);
  }

  settle(batch: Batch, receipts: readonly Receipt[]): void {
    const waiting = this.#waiting.get(batch);
    if (waiting === undefined) return;
    this.#waiting.delete(batch);
    this.#waitingBytes -= waiting.bytes;
    if (this.#signal !== undefined && isGivenUp(receipts, this.#signal)) return;
    const all = receiptsFor(waiting.received, receipts);
    waiting.answer(encodeReceipts(all, waiting.room));
  }

  /** Producers whose changes were not answered will send them again. */
  close(): Promise<void> {
    return this.#server.close();
  }

  #take(request: Span, session: TransportSession): Promise<Uint8Array> {
    if (this.#waitingBytes + request.length > MOST_WAITING_BYTES) {
      const what = "Producers send faster than the sinks take; one is told to try again";
      this.#reception.warn("full", what, { ...session.peer });
      return Promise.reject(new Error("Too much waits for the sinks"));
    }
    let received: ReceivedChanges;
    try {
      received = decodeChanges(request, this.#texts);
    } catch (error) {
      const { pid, uid } = session.peer;
      if (error instanceof Error) {
        const what = `Process ${pid} of user ${uid} sent what are no changes; it is disconnected`;
        this.#reception.malformed(what, error);
      }
      return Promise.reject(error);
    }
    const batch = this.#reception.batchOf(received);
    const { promise, resolve: answer } = Promise.withResolvers<Uint8Array>();
    const { length: bytes } = request;
    this.#waiting.set(batch, { received, bytes, room: session.responseBytes, answer });
    this.#waitingBytes += bytes;
    if (batch.changes.length > 0 || batch.mark !== undefined) this.#intake.push(batch);
    else this.settle(batch, []);
    return promise;
  }

  #sayRefused({ uid, pid }: Peer, status: number): void {
    const why = status === 0
      ? `user ${uid} is not in allow_uids; name it there if it may send`
      : REASONS[-status] ?? `errno ${-status}`;
    const what = `Process ${pid} of user ${uid} was turned away: ${why}`;
    // Each user has a limit of its own, so that one that keeps trying hides no other.
    this.#reception.warn(`refused ${uid} ${status}`, what, { uid, pid });
  }
}

/** Why a client has no session, by errno. */
const REASONS: Readonly<Record<number, string>> = {
  13: "its token is another one; compare the secrets of both sides",
  23: "this machine has too many open files",
  24: "this process has too many open files",
  71: "it does not speak netipc",
  87: "there are as many as max_clients allows",
  90: "it wants to send more than max_request_bytes at once",
  92: "it speaks another version of netipc",
  93: "it has no profile in common; a uds source with profile: auto takes every one",
  110: "it did not say hello within handshake_ms",
};
