/**
 * What the hubs of sockets and of shared memory have in common: a handle, a sleep that may go on
 * beside other calls, and an end that waits for it.
 *
 * @module
 */
import { nativeError, unwrap } from "./errors.ts";

const EBUSY = 16;
const FOREVER = 0xffff_ffff;

/** The native calls of a hub. */
export interface HubCalls {
  wait(timeoutMs: number): Promise<number>;
  wake(): number;
  free(): number;
  /** Closes the library, after everything else. */
  unload(): void;
}

/** Ends hubs that were forgotten. */
const forgotten = new FinalizationRegistry<HubCalls>((calls) => {
  calls.free();
  calls.unload();
});

/** A native hub; whoever made it closes it. */
export abstract class Hub implements AsyncDisposable {
  readonly #calls: HubCalls;
  #waiting: Promise<number> | undefined;
  #closed = false;

  protected constructor(calls: HubCalls) {
    this.#calls = calls;
    forgotten.register(this, calls, this);
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether a wait goes on. */
  get waiting(): boolean {
    return this.#waiting !== undefined;
  }

  /**
   * Sleeps until a poll has something to do.
   *
   * @param timeoutMs longest sleep; default for ever
   * @returns false after the timeout
   * @throws {RetryLaterError} when a wait goes on already
   */
  async wait(timeoutMs = FOREVER): Promise<boolean> {
    if (this.#waiting !== undefined || this.#closed) throw nativeError(EBUSY, "wait for messages");
    const waiting = this.#calls.wait(timeoutMs);
    this.#waiting = waiting;
    try {
      return unwrap(await waiting, "wait for messages") > 0;
    } finally {
      this.#waiting = undefined;
    }
  }

  /** Ends the wait that goes on, or else the next one. */
  wake(): void {
    if (!this.#closed) this.#calls.wake();
  }

  /** Ends a wait that goes on, then closes every session. A second time does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.wake();
    this.#closed = true;
    await this.#waiting?.catch(() => {});
    forgotten.unregister(this);
    try {
      unwrap(this.#calls.free(), "close the sessions");
    } finally {
      this.#calls.unload();
    }
  }

  /** As {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
