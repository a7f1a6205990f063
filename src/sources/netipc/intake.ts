/**
 * Batches that come from outside and wait until the pipeline asks for them.
 *
 * @module
 */
import type { Batch } from "../../core/change.ts";

/** A queue whose reader sleeps while it is empty. */
export class Intake {
  readonly #batches: Batch[] = [];
  #wake = () => {};

  /** Adds a batch at the end. */
  push(batch: Batch): void {
    this.#batches.push(batch);
    this.#wake();
  }

  /** Batches as they come, until `signal` aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<Batch> {
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        const batch = this.#batches.shift();
        if (batch === undefined) await new Promise<void>((resolve) => this.#wake = resolve);
        else yield batch;
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}
