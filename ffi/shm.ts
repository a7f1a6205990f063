/**
 * netipc sessions over shared memory: many of them, of servers or clients, in one hub.
 *
 * @module
 */
import { nativeError, unwrap } from "./errors.ts";
import { Hub } from "./hub.ts";
import { openNative } from "./load.ts";
import { SHM_RECORD_BYTES, SHM_RECORD_WORD } from "./records.gen.ts";
import { shmSymbols } from "./symbols_shm.ts";

const DEFAULT_DATA = 1 << 20;

/** Agreed limits of a session, and the sizes of a region that is made for it. */
export interface ShmLimits {
  readonly requestBytes: number;
  readonly requestItems: number;
  readonly responseBytes: number;
  readonly responseItems: number;
}

/** A hub of sessions over shared memory. */
export class ShmHub extends Hub {
  /** Where the last poll put records and messages: anew at each poll. */
  data: { readonly bytes: Uint8Array<ArrayBuffer>; readonly view: DataView<ArrayBuffer> };
  readonly #symbols: Deno.DynamicLibrary<typeof shmSymbols>["symbols"];
  readonly #handle: number;

  /**
   * @param library absolute path of the native library
   * @param dataBytes room for the messages of one poll
   */
  constructor(library: string, dataBytes = DEFAULT_DATA) {
    const native = openNative(library, shmSymbols);
    const { symbols } = native;
    const handle = symbols.ps_shm_open();
    if (handle < 0) {
      native.close();
      throw nativeError(-handle, "open a hub of shared memory");
    }
    super({
      wait: (timeoutMs) => symbols.ps_shm_wait(handle, timeoutMs),
      wake: () => symbols.ps_shm_wake(handle),
      free: () => symbols.ps_shm_free(handle),
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

  /** Makes a region as a server: a session, or a negative errno. */
  create(path: string, limits: ShmLimits): number {
    const bytes = new TextEncoder().encode(path);
    return this.#symbols.ps_shm_create(this.#handle, bytes, bytes.length, limitsOf(limits));
  }

  /** Maps a server's region as a client: a session, or a negative errno. */
  attach(path: string, limits: ShmLimits): number {
    const bytes = new TextEncoder().encode(path);
    return this.#symbols.ps_shm_attach(this.#handle, bytes, bytes.length, limitsOf(limits));
  }

  /** Removes regions of dead servers whose paths begin like this; how many there were. */
  reap(prefix: string): number {
    const bytes = new TextEncoder().encode(prefix);
    const result = this.#symbols.ps_shm_reap(bytes, bytes.length);
    return unwrap(result, `look for stale files ${prefix}*`);
  }

  /** Closes a session; of a server it removes the file. */
  closeSession(session: number): void {
    if (!this.closed) this.#symbols.ps_shm_close(this.#handle, session);
  }

  /** Sends one whole message; 0 or a negative errno. */
  send(session: number, message: Uint8Array<ArrayBuffer>, length: number): number {
    return this.#symbols.ps_shm_send(this.#handle, session, message, length);
  }

  /**
   * Takes what is there, or comes within `spinUs` (at most 50) microseconds.
   *
   * @returns the bytes used in `data`: records, each with its message behind it
   */
  poll(spinUs = 0): number {
    const { bytes } = this.data;
    const used = this.#symbols.ps_shm_poll(this.#handle, bytes, bytes.length, spinUs);
    return used < 0 ? unwrap(used, "read from shared memory") : used;
  }

  /** `send`, then `poll`, in one call: the bytes used in `data`, or a negative errno of `send`. */
  exchange(
    session: number,
    message: Uint8Array<ArrayBuffer>,
    length: number,
    spinUs: number,
  ): number {
    const { bytes } = this.data;
    return this.#symbols.ps_shm_exchange(
      this.#handle,
      session,
      message,
      length,
      bytes,
      bytes.length,
      spinUs,
    );
  }

  /** Whose the record at byte `at` of `data` is. */
  sessionAt(at: number): number {
    return this.data.view.getUint32(at + 4 * SHM_RECORD_WORD.session, true);
  }

  /** Whether its message is good: 0, or a negative errno. */
  statusAt(at: number): number {
    return this.data.view.getInt32(at + 4 * SHM_RECORD_WORD.status, true);
  }

  /** How long its message is, with its outer header. */
  lengthAt(at: number): number {
    return this.data.view.getUint32(at + 4 * SHM_RECORD_WORD.length, true);
  }
}

/** Bytes before each message in a hub's data. */
export const SHM_MESSAGE_AT: number = SHM_RECORD_BYTES;

function buffer(size: number): ShmHub["data"] {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

function limitsOf(limits: ShmLimits): Uint8Array<ArrayBuffer> {
  const { requestBytes, requestItems, responseBytes, responseItems } = limits;
  const words = Uint32Array.of(requestBytes, requestItems, responseBytes, responseItems);
  return new Uint8Array(words.buffer);
}
