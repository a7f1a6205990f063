/**
 * The rows that a source's batches amount to, as a sink with mark and sweep would hold them.
 *
 * @module
 */
import type { Batch, Change, Fields } from "../../src/core/change.ts";
import type { Source } from "../../src/core/stage.ts";

/** Follows a source and keeps its rows. Dispose of it to stop and close the source. */
export class Rows implements AsyncDisposable {
  readonly rows = new Map<string, Fields>();
  readonly changes: Change[] = [];
  /** Every mark, and `-` for a batch without one. */
  readonly marks: string[] = [];
  /** Resolves when the source's batches have ended, with their error if there was one. */
  readonly ended: Promise<void>;
  readonly #source: Source;
  readonly #stop = new AbortController();
  readonly #unnamed = new Set<string>();
  #wake = () => {};
  #pause: Promise<void> | undefined;

  constructor(source: Source) {
    this.#source = source;
    this.ended = this.#run();
    // A test that does not look at `ended` still sees the error in `until`.
    this.ended.catch(() => {});
  }

  /** Takes no further batch until the function that it returns is called: a slow sink. */
  pause(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pause = promise;
    return () => {
      this.#pause = undefined;
      resolve();
    };
  }

  /** Waits until `check` holds after some batch; fails after `ms` with what the rows are. */
  async until(check: (rows: Rows) => boolean, what: string, ms = 10_000): Promise<void> {
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const rows = JSON.stringify([...this.rows], null, 1);
      timeout.reject(new Error(`Not within ${ms} ms: ${what}; the rows are ${rows}`));
    }, ms);
    const failed = this.ended.then(() => {
      if (!check(this)) throw new Error(`The source ended before: ${what}`);
    });
    try {
      while (!check(this)) {
        const turn = new Promise<void>((resolve) => this.#wake = resolve);
        await Promise.race([turn, timeout.promise, failed]);
      }
    } finally {
      clearTimeout(timer);
      failed.catch(() => {});
    }
  }

  /** How many batches had this mark. */
  count(mark: string): number {
    return this.marks.filter((other) => other === mark).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    try {
      await this.ended;
    } finally {
      await this.#source.close();
    }
  }

  async #run(): Promise<void> {
    for await (const batch of this.#source.batches(this.#stop.signal)) {
      await this.#pause;
      this.#take(batch);
      this.#wake();
    }
  }

  #take({ changes, mark }: Batch): void {
    this.marks.push(mark ?? "-");
    if (mark === "dump-begin") {
      this.#unnamed.clear();
      for (const key of this.rows.keys()) this.#unnamed.add(key);
    }
    for (const change of changes) {
      this.changes.push(change);
      this.#unnamed.delete(change.key);
      if (change.op === "set") this.rows.set(change.key, change.fields);
      else this.rows.delete(change.key);
    }
    if (mark === "dump-end") {
      for (const key of this.#unnamed) this.rows.delete(key);
      this.#unnamed.clear();
    }
  }
}
