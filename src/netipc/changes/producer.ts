/**
 * Producers of changes: for pipelines with a `uds` or `shm` source.
 *
 * @module
 */
import type { Batch, Receipt } from "../../core/change.ts";
import { RejectError, StopError } from "../../core/errors.ts";
import { RingProducer } from "../../../ffi/ring.ts";
import { FRAME_HEAD_BYTES, type RingOptions } from "../../../ffi/ring.ts";
import type { RingStat } from "../../../ffi/records.gen.ts";
import { Client, type ClientOptions } from "../client.ts";
import { CodecError } from "../codec/errors.ts";
import { Status } from "../codec/header.ts";
import { align8, spanOf } from "../codec/span.ts";
import { NetipcError } from "../errors.ts";
import { PUBLISH } from "./codec.ts";
import { encodePart } from "./parts.ts";
import { decodeReceipts } from "./receipts.ts";

/** What a producer is made with. */
export interface ProducerOptions extends ClientOptions {
  /** Longest pause between two tries to reach the pipeline; default 1,000 ms. */
  readonly maxRetryMs?: number;
  /** Told of each try that failed, and how long it is until the next, in milliseconds. */
  readonly onRetry?: (error: NetipcError, pauseMs: number) => void;
}

/** Limits of one publish. */
export interface PublishOptions {
  /** Gives up; what was not answered may have been taken or not. */
  readonly signal?: AbortSignal;
}

const FIRST_RETRY_MS = 10;
const REQUEST_BYTES = 1 << 18;

/**
 * Sends changes to a pipeline's `uds` source, or `shm` source with netipc, and hears what became
 * of them. While the pipeline is away it tries again, so a change arrives at least once, in its
 * order.
 *
 * @example
 * ```ts
 * import { ChangeProducer } from "./producer.ts";
 * const library = "/usr/lib/portsync/libportsync.so";
 * await using producer = new ChangeProducer({ library, runDir: "/run/portsync", service: "ports" });
 * const up = { op: "set" as const, table: "PORT_TABLE", key: "Ethernet0", fields: { state: "ok" } };
 * const [receipt] = await producer.publish({ changes: [{ ...up, time: Date.now() }] });
 * console.log(receipt?.outcome);
 * ```
 */
export class ChangeProducer implements AsyncDisposable {
  readonly #client: Client;
  readonly #maxRetryMs: number;
  readonly #onRetry: ProducerOptions["onRetry"];
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: ProducerOptions) {
    this.#client = new Client({ maxRequestBytes: REQUEST_BYTES, ...options });
    this.#maxRetryMs = options.maxRetryMs ?? 1000;
    this.#onRetry = options.onRetry;
  }

  /**
   * Sends a batch, after those that were given before it.
   *
   * @returns one receipt for each change
   * @throws {StopError} when the pipeline does not want this producer
   * @throws {RejectError} for a batch that no pipeline would take
   */
  publish(batch: Batch, options: PublishOptions = {}): Promise<Receipt[]> {
    const turn = this.#last.then(() => this.#publish(batch, options.signal));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Ends the session; what was not sent yet fails. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }

  /** As {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #publish(batch: Batch, signal: AbortSignal | undefined): Promise<Receipt[]> {
    const receipts: Receipt[] = [];
    do {
      const part = await this.#publishPart(batch, receipts.length, signal);
      receipts.push(...part);
    } while (receipts.length < batch.changes.length);
    return receipts;
  }

  async #publishPart(
    batch: Batch,
    from: number,
    signal: AbortSignal | undefined,
  ): Promise<Receipt[]> {
    for (let pauseMs = FIRST_RETRY_MS;; pauseMs = Math.min(pauseMs * 2, this.#maxRetryMs)) {
      signal?.throwIfAborted();
      if (this.#closed) throw new StopError("The producer was closed");
      try {
        await this.#client.refresh();
        return await this.#call(batch, from, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const { state } = this.#client;
        if (state === "auth failed" || state === "incompatible") throw refusedError(error);
        if (isHopeless(error)) throw rejectError(error);
        if (!(error instanceof NetipcError)) throw error;
        this.#onRetry?.(error, pauseMs);
      }
      await pause(pauseMs, signal);
    }
  }

  #call(batch: Batch, from: number, signal: AbortSignal | undefined): Promise<Receipt[]> {
    let sent = 0;
    return this.#client.call({
      method: PUBLISH,
      write: (target) => {
        const { length, next } = encodePart(target, batch, from);
        sent = next - from;
        return length;
      },
      read: (payload) => {
        const receipts = decodeReceipts(payload);
        if (receipts.length === sent) return receipts;
        throw new CodecError("bad item count", "receipts");
      },
    }, signal === undefined ? {} : { signal });
  }
}

/** Whether sending the same again cannot help. */
function isHopeless(error: unknown): error is NetipcError {
  if (!(error instanceof NetipcError)) return false;
  // Its cause is a message that cannot be written, or an answer that cannot be read.
  return error.cause instanceof CodecError || error.fault === "overflow" ||
    error.status === Status.badEnvelope || error.status === Status.unsupported;
}

function rejectError(cause: NetipcError): RejectError {
  return new RejectError(`The pipeline cannot take these changes: ${cause.message}`, { cause });
}

function refusedError(cause: unknown): StopError {
  return new StopError(
    "The pipeline refuses this producer; check the token, allow_uids and the profile",
    {
      cause,
    },
  );
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => resolve();
  signal?.addEventListener("abort", stop, { once: true });
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
}

/**
 * Writes changes into a ring, for a pipeline's `shm` source with `protocol: ring`. They stay in
 * its file until a pipeline has dealt with them, whoever restarts.
 *
 * @example
 * ```ts
 * import { RingChangeProducer } from "./producer.ts";
 * const library = "/usr/lib/portsync/libportsync.so";
 * await using ring = new RingChangeProducer({ library, path: "/run/portsync/ports.ring" });
 * const gone = { op: "delete" as const, table: "PORT_TABLE", key: "Ethernet0", fields: {} };
 * await ring.publish({ changes: [{ ...gone, time: Date.now() }] });
 * ```
 */
export class RingChangeProducer implements AsyncDisposable {
  readonly #ring: RingProducer;
  readonly #frame: Uint8Array<ArrayBuffer>;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws {StopError} when another producer has the ring */
  constructor(options: RingOptions) {
    this.#ring = new RingProducer(options);
    const most = this.#ring.stat().capacity / 4;
    this.#frame = new Uint8Array(Math.min(most, REQUEST_BYTES));
  }

  /**
   * Writes a batch behind those that were given before it; waits while the ring is full.
   *
   * @throws {CodecError} for a change larger than a quarter of the ring
   */
  publish(batch: Batch, options: PublishOptions = {}): Promise<void> {
    const turn = this.#last.then(() => this.#publish(batch, options.signal));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Figures of the ring. */
  stat(): RingStat {
    return this.#ring.stat();
  }

  /** Lets the ring go; its file stays. */
  close(): Promise<void> {
    return this.#ring.close();
  }

  /** As {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #publish(batch: Batch, signal: AbortSignal | undefined): Promise<void> {
    const bytes = this.#frame;
    const { view } = spanOf(bytes);
    const target = {
      view,
      bytes,
      start: FRAME_HEAD_BYTES,
      length: bytes.length - FRAME_HEAD_BYTES,
    };
    let from = 0;
    do {
      const { length, next } = encodePart(target, batch, from);
      const end = align8(FRAME_HEAD_BYTES + length);
      view.setUint32(0, length, true);
      bytes.fill(0, FRAME_HEAD_BYTES + length, end);
      while (this.#ring.push(bytes, end) === 0) await this.#waitForRoom(signal);
      from = next;
    } while (from < batch.changes.length);
  }

  async #waitForRoom(signal: AbortSignal | undefined): Promise<void> {
    const wake = () => this.#ring.wake();
    signal?.throwIfAborted();
    signal?.addEventListener("abort", wake, { once: true });
    try {
      await this.#ring.wait();
    } finally {
      signal?.removeEventListener("abort", wake);
    }
  }
}
