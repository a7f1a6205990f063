/**
 * When to take records from the link socket, and on which thread.
 *
 * A wait sleeps on a thread of Deno's pool, and going there and back costs more than anything else
 * that happens to a few events. So it is for events that come alone. A backlog is taken at once, and
 * a stream of events by a timer of this thread, which also lets them gather: measured, a paced load
 * takes 30 % less CPU time so.
 *
 * @module
 */
import { BATCH_RECORDS, type LinkSocket } from "../../../ffi/netlink.ts";

/** Events closer than this are a stream, milliseconds. */
const STREAM_GAP_MS = 2;

/** How many must follow each other so: an event and its echo are never delayed. */
const STREAM_AFTER = 2;

/** How to wait. */
export interface IntakeOptions {
  /** The longest wait; for ever when left out. */
  readonly timeoutMs?: number;
  /** Nothing may gather: what comes is waited for. */
  readonly isUrgent?: boolean;
}

/** Takes records from one socket. */
export class Intake {
  readonly #socket: Pick<LinkSocket, "poll" | "wait">;
  readonly #lingerMs: number;
  /** When the last records came, as `performance.now()`. */
  #lastAt = -Infinity;
  /** How many times records came close after others. */
  #stream = 0;
  #hasBacklog = false;

  /** @param lingerMs how long the events of a stream may gather; 0 for not at all */
  constructor(socket: Pick<LinkSocket, "poll" | "wait">, lingerMs: number) {
    this.#socket = socket;
    this.#lingerMs = lingerMs;
  }

  /**
   * Waits until there is something and takes it.
   *
   * @returns the number of records in the socket's view; 0 after the timeout or a wake
   */
  async next({ isUrgent = false, ...limit }: IntakeOptions = {}): Promise<number> {
    if (this.#hasBacklog) {
      const count = this.#take(this.#socket.poll());
      if (count > 0) return count;
    }
    if (this.#stream >= STREAM_AFTER && this.#lingerMs > 0 && !isUrgent) {
      await new Promise((resolve) => setTimeout(resolve, this.#lingerMs));
      const count = this.#take(this.#socket.poll());
      if (count > 0) return count;
      this.#stream = 0;
    }
    const before = this.#lastAt;
    const count = this.#take(await this.#socket.wait(limit));
    this.#stream = this.#lastAt - before < STREAM_GAP_MS ? this.#stream + 1 : 0;
    return count;
  }

  #take(count: number): number {
    this.#hasBacklog = count === BATCH_RECORDS;
    if (count > 0) this.#lastAt = performance.now();
    return count;
  }
}
