/**
 * Rings: queues in mapped files, for one producer and one consumer that may restart.
 *
 * @module
 */
import { StopError } from "../src/core/errors.ts";
import { NativeError, nativeError, unwrap } from "./errors.ts";
import { Hub } from "./hub.ts";
import { openNative } from "./load.ts";
import {
  PS_RING_CONSUMER,
  PS_RING_LOOK,
  PS_RING_PRODUCER,
  readRingStat,
  RING_STAT_BYTES,
  type RingStat,
} from "./records.gen.ts";
import { ringSymbols } from "./symbols_ring.ts";

/** Bytes before each frame's own: its length and a check. */
export const FRAME_HEAD_BYTES = 8;

/** What a side of a ring is opened with. */
export interface RingOptions {
  /** Absolute path of the native library. */
  readonly library: string;
  /** Sealed path of the file. */
  readonly path: string;
  /**
   * Bytes of frames that a new file holds, a power of two from 65536 to 2^30; a file that stands
   * keeps its own.
   */
  readonly capacity?: number;
}

const DEFAULT_CAPACITY = 1 << 20;
const DEFAULT_DATA = 1 << 18;

/** Why a ring does not open, where more is known than an errno says. */
function openError(errno: number, path: string, role: number): Error {
  const why = errno === EADDRINUSE
    ? `another process ${role === PS_RING_PRODUCER ? "writes to" : "reads"} it`
    : errno === ENOENT && role !== PS_RING_LOOK
    ? "its folder is not there"
    : errno === EACCES
    ? "its permissions forbid it, or it is not in the grant"
    : errno === EBADMSG || errno === ENXIO
    ? "the file is no ring, or not whole" +
      (role === PS_RING_LOOK ? "" : "; remove it to begin anew, without what it held")
    : errno === EPERM
    ? "everyone may write to it, and so cut it short under our feet; close it with chmod o-w"
    : undefined;
  const what = `open the ring ${path}`;
  if (why === undefined) return nativeError(errno, what);
  return new StopError(`Cannot ${what}: ${why}`, { cause: new NativeError(errno) });
}

const EPERM = 1;
const ENOENT = 2;
const ENXIO = 6;
const EACCES = 13;
const EBADMSG = 74;
const EADDRINUSE = 98;

/** What the sides have in common. */
abstract class Ring extends Hub {
  protected readonly symbols: Deno.DynamicLibrary<typeof ringSymbols>["symbols"];
  protected readonly handle: number;

  constructor(options: RingOptions, role: number) {
    const { library, path, capacity = DEFAULT_CAPACITY } = options;
    const native = openNative(library, ringSymbols);
    const { symbols } = native;
    const bytes = new TextEncoder().encode(path);
    const handle = symbols.ps_ring_open(bytes, bytes.length, capacity, role);
    if (handle < 0) {
      native.close();
      throw openError(-handle, path, role);
    }
    super({
      wait: (timeoutMs) => symbols.ps_ring_wait(handle, timeoutMs),
      wake: () => symbols.ps_ring_wake(handle),
      free: () => symbols.ps_ring_close(handle),
      unload: () => native.close(),
    });
    this.symbols = symbols;
    this.handle = handle;
  }

  /** Figures of the ring. */
  stat(): RingStat {
    const words = new Uint32Array(RING_STAT_BYTES / 4);
    const bytes = new Uint8Array(words.buffer);
    unwrap(this.symbols.ps_ring_stat(this.handle, bytes), "read a ring's figures");
    return readRingStat({ words, bytes }, 0);
  }
}

/** The side that writes. `wait` sleeps until half of the ring is free. */
export class RingProducer extends Ring {
  /** @throws {StopError} when another process is the producer, or the file is no ring */
  constructor(options: RingOptions) {
    super(options, PS_RING_PRODUCER);
  }

  /**
   * Publishes whole frames that stand one after the other, each padded to 8.
   *
   * @returns the bytes taken; fewer than `length` when the ring is full
   */
  push(frames: Uint8Array<ArrayBuffer>, length: number): number {
    return unwrap(this.symbols.ps_ring_push(this.handle, frames, length), "write to a ring");
  }
}

/** The side that reads. `wait` sleeps until there are frames. */
export class RingConsumer extends Ring {
  /** Where the last poll put frames: anew at each poll. */
  readonly data: {
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly view: DataView<ArrayBuffer>;
  };
  readonly #reading: string;

  /** @throws {StopError} when another process is the consumer, or the file is no ring */
  constructor(options: RingOptions, dataBytes = DEFAULT_DATA) {
    super(options, PS_RING_CONSUMER);
    this.#reading = `read on in the ring ${options.path}, which only removing it can mend`;
    // A frame may be as long as half the ring.
    const bytes = new Uint8Array(Math.max(dataBytes, this.stat().capacity / 2));
    this.data = { bytes, view: new DataView(bytes.buffer) };
  }

  /**
   * Takes whole frames that were not taken yet, now or within `spinUs` (at most 50) microseconds.
   *
   * @returns the bytes of frames in `data`
   * @throws {StopError} when the file is broken
   */
  poll(spinUs = 0): number {
    const { bytes } = this.data;
    const length = this.symbols.ps_ring_poll(this.handle, bytes, bytes.length, spinUs);
    return length < 0 ? unwrap(length, this.#reading) : length;
  }

  /** Lets the producer write over the oldest `bytes` that were taken. */
  commit(bytes: number, frames: number): void {
    unwrap(this.symbols.ps_ring_commit(this.handle, bytes, frames), "commit to a ring");
  }
}

/** Only looks: opens the file for reading, beside both sides. */
export class RingLook extends Ring {
  /** @throws {StopError} when the file is not there, or no ring */
  constructor(options: Omit<RingOptions, "capacity">) {
    super(options, PS_RING_LOOK);
  }
}
