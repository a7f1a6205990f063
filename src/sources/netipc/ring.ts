/**
 * A ring of changes in a mapped file.
 *
 * @module
 */
import type { Batch, Receipt } from "../../core/change.ts";
import type { Context } from "../../core/component.ts";
import type { Source } from "../../core/stage.ts";
import { errnoOf } from "../../../ffi/errors.ts";
import { FRAME_HEAD_BYTES, RingConsumer, RingLook, type RingOptions } from "../../../ffi/ring.ts";
import { decodeChanges } from "../../netipc/changes/codec.ts";
import { WireTexts } from "../../netipc/changes/texts.ts";
import { CodecError } from "../../netipc/codec/errors.ts";
import { align8 } from "../../netipc/codec/span.ts";
import { isGivenUp, Reception } from "./received.ts";

/** Frames without a mark travel together up to so many changes. */
const MOST_TOGETHER = 1024;
const SPIN_US = 20;
const RETRY_MS = 1000;
const EADDRINUSE = 98;
/** While nothing comes, so often is the file's name looked at. */
const LOOK_MS = 1000;

/** Frames that became one batch. */
interface Taken {
  bytes: number;
  frames: number;
  settled: boolean;
}

/** What the ring needs of the settings. */
export interface RingSettings {
  readonly file: string;
  readonly capacity_bytes: number;
}

/**
 * Opens the ring as its consumer. A predecessor may still be ending, so a ring that is taken is
 * tried again.
 */
export async function createRingSource(settings: RingSettings, context: Context): Promise<Source> {
  const options = {
    library: context.library,
    path: settings.file,
    capacity: settings.capacity_bytes,
  };
  for (let attempts = 3;; attempts--) {
    try {
      return new RingSource(options, context);
    } catch (error) {
      if (attempts === 0 || errnoOf(error) !== EADDRINUSE) throw error;
      context.telemetry.log.warn(`${messageOf(error)}; it is tried again`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

class RingSource implements Source {
  readonly #options: RingOptions;
  #ring: RingConsumer;
  readonly #log: Context["telemetry"]["log"];
  readonly #texts = new WireTexts();
  readonly #reception: Reception;
  /** Oldest first; what is settled at the front is given back to the producer. */
  readonly #taken: Taken[] = [];
  readonly #byBatch = new Map<Batch, Taken>();
  #signal: AbortSignal | undefined;

  constructor(options: RingOptions, context: Context) {
    this.#options = options;
    this.#ring = new RingConsumer(options);
    this.#reception = new Reception("ring", context);
    const { telemetry } = context;
    this.#log = telemetry.log;
    const stat = () => this.#ring.closed ? undefined : this.#ring.stat();
    telemetry.gauge("ring_capacity_bytes", () => stat()?.capacity ?? 0);
    telemetry.gauge("ring_used_bytes", () => {
      const { producedBytes = 0, consumedBytes = 0 } = stat() ?? {};
      return producedBytes - consumedBytes;
    });
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
    this.#signal = signal;
    const wake = () => this.#ring.wake();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        const length = this.#ring.poll(SPIN_US);
        if (length > 0) yield* this.#read(length, signal);
        else if (!await this.#ring.wait(LOOK_MS) && !signal.aborted) await this.#follow();
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  settle(batch: Batch, receipts: readonly Receipt[]): void {
    const taken = this.#byBatch.get(batch);
    if (taken === undefined) return;
    this.#byBatch.delete(batch);
    if (this.#signal !== undefined && isGivenUp(receipts, this.#signal)) return;
    taken.settled = true;
    this.#commit();
  }

  /** What was not settled is there again when the ring is opened the next time. */
  close(): Promise<void> {
    return this.#ring.close();
  }

  /**
   * Goes over to a new file of the ring's name. The old one is read as long as somebody writes into
   * it, or anything of it is on its way.
   */
  async #follow(): Promise<void> {
    if (this.#isInPlace()) return;
    const { path } = this.#options;
    const { producerPid, producedBytes, consumedBytes } = this.#ring.stat();
    if (producerPid !== 0) {
      this.#reception.warn(
        "replaced",
        `The file ${path} was removed or replaced, and process ${producerPid} still writes into ` +
          "the old one, which is read on; start that process again",
        {},
      );
    } else if (producedBytes === consumedBytes) {
      await this.#ring.close();
      this.#ring = new RingConsumer(this.#options);
      this.#log.warn(`The file ${path} was removed or replaced; the new one is read`);
    }
  }

  /** Whether the file of the ring's name is the one that is read: then its reader is this process. */
  #isInPlace(): boolean {
    try {
      const look = new RingLook(this.#options);
      const { consumerPid } = look.stat();
      void look.close();
      return consumerPid === Deno.pid;
    } catch {
      return false;
    }
  }

  /** The frames of one poll as batches: alone with a mark, together without. */
  *#read(length: number, signal: AbortSignal): Generator<Batch> {
    let changes: Batch["changes"][number][] = [];
    let taken: Taken = { bytes: 0, frames: 0, settled: false };
    for (let at = 0; at < length;) {
      const size = this.#ring.data.view.getUint32(at, true);
      const batch = this.#decode(at, size);
      const bytes = align8(FRAME_HEAD_BYTES + size);
      at += bytes;
      const alone = batch.mark !== undefined;
      if (changes.length > 0 && (alone || changes.length + batch.changes.length > MOST_TOGETHER)) {
        yield this.#hand({ changes }, taken);
        if (signal.aborted) return;
        [changes, taken] = [[], { bytes: 0, frames: 0, settled: false }];
      }
      taken.bytes += bytes;
      taken.frames++;
      for (const change of batch.changes) changes.push(change);
      if (!alone) continue;
      yield this.#hand({ changes, mark: batch.mark }, taken);
      if (signal.aborted) return;
      [changes, taken] = [[], { bytes: 0, frames: 0, settled: false }];
    }
    if (changes.length > 0) yield this.#hand({ changes }, taken);
    else if (taken.frames > 0) this.#skip(taken);
  }

  #hand(batch: Batch, taken: Taken): Batch {
    this.#taken.push(taken);
    this.#byBatch.set(batch, taken);
    return batch;
  }

  /** Frames that held nothing, or nothing that can be read. */
  #skip(taken: Taken): void {
    taken.settled = true;
    this.#taken.push(taken);
    this.#commit();
  }

  #decode(at: number, size: number): Batch {
    const { bytes, view } = this.#ring.data;
    try {
      const span = { bytes, view, start: at + FRAME_HEAD_BYTES, length: size };
      return this.#reception.batchOf(decodeChanges(span, this.#texts));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#reception.malformed("A frame of the ring holds no changes; it is left out", error);
      return { changes: [] };
    }
  }

  #commit(): void {
    let bytes = 0;
    let frames = 0;
    for (let first = this.#taken[0]; first?.settled; first = this.#taken[0]) {
      bytes += first.bytes;
      frames += first.frames;
      this.#taken.shift();
    }
    if (bytes > 0 && !this.#ring.closed) this.#ring.commit(bytes, frames);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
