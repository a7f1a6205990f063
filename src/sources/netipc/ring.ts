/**
 * A ring of changes in a mapped file.
 *
 * @module
 */
import type { Batch } from "../../core/change.ts";
import type { Context } from "../../core/component.ts";
import type { Source } from "../../core/stage.ts";
import { FRAME_HEAD_BYTES, RingConsumer } from "../../../ffi/ring.ts";
import { decodeChanges } from "../../netipc/changes/codec.ts";
import { WireTexts } from "../../netipc/changes/texts.ts";
import { CodecError } from "../../netipc/codec/errors.ts";
import { align8 } from "../../netipc/codec/span.ts";
import { Reception } from "./received.ts";

/** Frames without a mark travel together up to so many changes. */
const MOST_TOGETHER = 1024;
const SPIN_US = 20;
const RETRY_MS = 1000;

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
      return new RingSource(new RingConsumer(options), context);
    } catch (error) {
      if (attempts === 0) throw error;
      context.telemetry.log.warn(`${messageOf(error)}; it is tried again`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

class RingSource implements Source {
  readonly #ring: RingConsumer;
  readonly #texts = new WireTexts();
  readonly #reception: Reception;
  /** Oldest first; what is settled at the front is given back to the producer. */
  readonly #taken: Taken[] = [];
  readonly #byBatch = new Map<Batch, Taken>();

  constructor(ring: RingConsumer, context: Context) {
    this.#ring = ring;
    this.#reception = new Reception("ring", context);
    const { telemetry } = context;
    telemetry.gauge("ring_capacity_bytes", () => ring.closed ? 0 : ring.stat().capacity);
    telemetry.gauge("ring_used_bytes", () => {
      if (ring.closed) return 0;
      const { producedBytes, consumedBytes } = ring.stat();
      return producedBytes - consumedBytes;
    });
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
    const wake = () => this.#ring.wake();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        const length = this.#ring.poll(SPIN_US);
        if (length > 0) yield* this.#read(length, signal);
        else await this.#ring.wait();
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  settle(batch: Batch): void {
    const taken = this.#byBatch.get(batch);
    if (taken === undefined) return;
    this.#byBatch.delete(batch);
    taken.settled = true;
    this.#commit();
  }

  /** What was not settled is there again when the ring is opened the next time. */
  close(): Promise<void> {
    return this.#ring.close();
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
