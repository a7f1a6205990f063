/**
 * Links of the kernel as records: the sockets, and the same decoder without them.
 *
 * @module
 */
import { nativeError, unwrap } from "./errors.ts";
import { type NativeLibrary, openNative } from "./load.ts";
import {
  LINK_BYTES,
  LINK_STATS_BYTES,
  type LinkStats,
  PS_OPEN_FRAMES,
  readLinkStats,
} from "./records.gen.ts";
import { netlinkSymbols } from "./symbols_netlink.ts";
import { readText, type RecordView } from "./texts.ts";

/** Records that one poll or wait gives at most; more makes nothing faster. */
export const BATCH_RECORDS = 256;

/** Bytes of the buffer for frames: four datagrams of the largest size. */
const FRAMES_BYTES = 4 * 65536;
const ERROR_BYTES = 128;
const FOREVER = 0xffff_ffff;
const EBADF = 9;
const EBUSY = 16;

type Library = NativeLibrary<typeof netlinkSymbols>;

/** Where the sockets are opened and how. */
export interface LinkSocketOptions {
  /** Absolute path of the native library. */
  readonly library: string;
  /** Sealed path of a network namespace, `/run/netns/NAME`; default the process's own. */
  readonly namespace?: string | undefined;
  /** Wish for the receive buffer; `stats()` says what was achieved. Default 16 MiB. */
  readonly receiveBytes?: number;
  /** Give frames for a recording and not links; default false. */
  readonly frames?: boolean;
}

/** Closes the handles of sockets and decoders that were forgotten. */
const forgotten = new FinalizationRegistry<{ library: Library; handle: number }>(
  ({ library, handle }) => {
    library.symbols.ps_nl_close(handle);
    library.close();
  },
);

/** What sockets and decoders have in common. */
abstract class LinkHandle {
  /** The buffer that `poll` and `wait` fill, anew at each call. */
  readonly view: RecordView;
  protected readonly library: Library;
  protected readonly handle: number;
  protected closed = false;
  readonly #stats = new Uint32Array(LINK_STATS_BYTES / 4);
  #lastStats: LinkStats | undefined;

  protected constructor(path: string, bytes: number, open: (library: Library) => number) {
    const library = openNative(path, netlinkSymbols);
    try {
      this.handle = open(library);
    } catch (error) {
      library.close();
      throw error;
    }
    const buffer = new ArrayBuffer(bytes);
    this.view = { words: new Uint32Array(buffer), bytes: new Uint8Array(buffer) };
    this.library = library;
    forgotten.register(this, { library, handle: this.handle }, this);
  }

  /** What the handle has seen so far; after `close`, what it had seen by then. */
  stats(): LinkStats {
    if (!this.closed && this.library.symbols.ps_nl_stats(this.handle, this.#stats) === 0) {
      this.#lastStats = readLinkStats(
        { words: this.#stats, bytes: new Uint8Array(this.#stats.buffer) },
        0,
      );
    }
    return this.#lastStats ??
      readLinkStats({ words: new Uint32Array(32), bytes: new Uint8Array() }, 0);
  }

  /** The kernel's own words about the last failed dump, made safe to print; often empty. */
  kernelError(): string {
    const bytes = new Uint8Array(ERROR_BYTES);
    const size = this.library.symbols.ps_nl_error(this.handle, bytes, bytes.length);
    return size > 0 ? readText(bytes.subarray(0, size)).text : "";
  }

  protected free(): void {
    if (this.closed) return;
    this.stats();
    this.closed = true;
    forgotten.unregister(this);
    unwrap(this.library.symbols.ps_nl_close(this.handle), "close a link socket");
    this.library.close();
  }
}

function openSockets({ symbols }: Library, options: LinkSocketOptions): number {
  const { namespace = "", receiveBytes = 16 * 2 ** 20, frames = false } = options;
  const path = new TextEncoder().encode(namespace);
  const flags = frames ? PS_OPEN_FRAMES : 0;
  const where = namespace === "" ? "" : ` in ${namespace}`;
  return unwrap(
    symbols.ps_nl_open(path, path.length, receiveBytes, flags),
    `open the link socket${where}`,
  );
}

/**
 * The event socket and the dump socket of one network namespace. The event socket listens from the
 * moment this is opened; a dump comes when it is asked for.
 *
 * @example
 * ```ts ignore
 * await using socket = new LinkSocket({ library: "/usr/lib/portsync/libportsync.so" });
 * socket.dump();
 * const records = await socket.wait({ timeoutMs: 1000 });
 * ```
 */
export class LinkSocket extends LinkHandle implements Disposable, AsyncDisposable {
  readonly #capacity: number;
  #waiting: Promise<unknown> | undefined;

  /**
   * Opens the sockets and joins the group of link events.
   *
   * @throws {StopError | RetryLaterError} also when the namespace is not in the sealed list
   */
  constructor(options: LinkSocketOptions) {
    const frames = options.frames ?? false;
    const bytes = frames ? FRAMES_BYTES : BATCH_RECORDS * LINK_BYTES;
    super(options.library, bytes, (library) => openSockets(library, options));
    this.#capacity = frames ? FRAMES_BYTES : BATCH_RECORDS;
  }

  /**
   * Takes what is there now, or comes within `spinUs` (at most 50) microseconds.
   *
   * @returns the number of records in `view`, or of bytes of frames
   */
  poll(spinUs = 0): number {
    return unwrap(
      this.library.symbols.ps_nl_poll(this.handle, this.view.bytes, this.#capacity, spinUs),
      "read link events",
    );
  }

  /**
   * Sleeps until there is something and takes it.
   *
   * @param options.timeoutMs longest sleep; default for ever
   * @param options.lingerUs how long a stream of events may gather; default not at all
   * @returns as `poll`; 0 after the timeout or a `wake`
   */
  async wait(options: { timeoutMs?: number; lingerUs?: number } = {}): Promise<number> {
    const { timeoutMs = FOREVER, lingerUs = 0 } = options;
    if (this.closed) throw nativeError(EBADF, "wait for links");
    if (this.#waiting !== undefined) throw nativeError(EBUSY, "wait for links");
    // The thread that waits for this one sleeps on the same CPU, which halves the way back.
    this.library.symbols.ps_near();
    const waiting = this.library.symbols.ps_nl_wait(
      this.handle,
      this.view.bytes,
      this.#capacity,
      timeoutMs,
      lingerUs,
    );
    this.#waiting = waiting;
    try {
      return unwrap(await waiting, "read link events");
    } finally {
      this.#waiting = undefined;
    }
  }

  /** Ends the wait that goes on, or else the next one. */
  wake(): void {
    if (!this.closed) this.library.symbols.ps_nl_wake(this.handle);
  }

  /**
   * Throws away the events that are queued and asks for every link. No wait may go on.
   *
   * @throws {RetryLaterError} when a dump has not ended yet
   */
  dump(): void {
    unwrap(this.library.symbols.ps_nl_dump(this.handle), "ask for a dump of links");
  }

  /** Ends a wait that goes on, then closes. */
  async close(): Promise<void> {
    this.wake();
    await this.#waiting?.catch(() => {});
    this.free();
  }

  /** As {@linkcode close}; a wait that goes on closes the socket when it ends. */
  [Symbol.dispose](): void {
    if (this.#waiting === undefined) this.free();
    else void this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The decoder without sockets: feed it frames, poll until 0, and again. Needs no privilege. */
export class LinkDecoder extends LinkHandle implements Disposable {
  /** @param library absolute path of the native library */
  constructor(library: string) {
    super(
      library,
      BATCH_RECORDS * LINK_BYTES,
      ({ symbols }) => unwrap(symbols.ps_nl_replay(), "open the link decoder"),
    );
  }

  /**
   * Gives the decoder frames: `ps_frame`s and the bytes that belong to them, padded to 8. To be
   * called when `poll` has given 0.
   *
   * @returns how many bytes it took: whole frames, at least one
   * @throws {StopError} for a frame that makes no sense
   */
  feed(frames: Uint8Array<ArrayBuffer>): number {
    return unwrap(this.library.symbols.ps_nl_feed(this.handle, frames, frames.length), "decode");
  }

  /** Takes records of the frames that were fed: the number of those in `view`. */
  poll(): number {
    return unwrap(
      this.library.symbols.ps_nl_poll(this.handle, this.view.bytes, BATCH_RECORDS, 0),
      "decode a frame",
    );
  }

  /** Closes the decoder; a second time does nothing. */
  close(): void {
    this.free();
  }

  [Symbol.dispose](): void {
    this.free();
  }
}
