/**
 * One running pipeline: batches forward, receipts back, in order and bounded.
 *
 * @module
 */
import { ACCEPTED, type Batch, type Receipt } from "../core/change.ts";
import type { ConnectionEvents, Source, Stage } from "../core/stage.ts";
import type { Counter, Telemetry } from "../core/telemetry.ts";
import { inTime, nextTurn } from "./turn.ts";

/** How many batches may wait for their receipts before the source is not asked for more. */
const MOST_OUTSTANDING = 64;

/** How long a busy source may go on before everything else has its turn, milliseconds. */
const LONGEST_TURN_MS = 5;

/** What each step of closing gets beyond the deadline, milliseconds. */
const GRACE_MS = 50;

/** How a pipeline came to its end. */
export type Ending =
  | { readonly how: "finished" }
  | { readonly how: "stopped" }
  | { readonly how: "failed"; readonly error: Error };

/** What a pipeline is made of. */
export interface Parts {
  /** Where the batches come from. */
  readonly source: Source;
  /** In the order of the data; each was given the next when it was made. At least one. */
  readonly stages: readonly Stage[];
  /** Of the sinks that must have what the source said before the pipeline ends by itself. */
  readonly connections?: readonly ConnectionEvents[];
}

/**
 * Runs from `start()` until the source ends, a part fails, or `stop()`. It never starts again.
 */
export class Pipeline {
  /** Resolves when nothing moves any more and everything is closed. Never rejects. */
  readonly ended: Promise<Ending>;
  readonly #parts: Parts;
  readonly #head: Stage;
  readonly #telemetry: Telemetry;
  readonly #drainMs: number;
  readonly #end: (ending: Ending) => void;
  /** Ends the source. */
  readonly #intake = new AbortController();
  /** Tells the stages that nobody waits for receipts any more. */
  readonly #work = new AbortController();
  readonly #outcomes: Readonly<Record<Receipt["outcome"], Counter>>;
  readonly #accepted: Counter;
  readonly #batches: Counter;
  readonly #changes: Counter;
  #outstanding = 0;
  #wake: (() => void) | undefined;
  #error: Error | undefined;
  #isExhausted = false;
  #pump: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** `drainMs` is how long the rest may take when the source ends by itself or a part fails. */
  constructor(parts: Parts, telemetry: Telemetry, drainMs: number) {
    const [head] = parts.stages;
    if (head === undefined) throw new TypeError("A pipeline has at least one stage");
    this.#parts = parts;
    this.#head = head;
    this.#telemetry = telemetry;
    this.#drainMs = drainMs;
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#end = resolve;
    this.#batches = telemetry.counter("batches_total");
    this.#changes = telemetry.counter("changes_total");
    this.#accepted = telemetry.counter("accepted_total");
    this.#outcomes = {
      applied: telemetry.counter("applied_total"),
      superseded: telemetry.counter("superseded_total"),
      deferred: telemetry.counter("deferred_total"),
      rejected: telemetry.counter("rejected_total"),
    };
    telemetry.gauge("batches_outstanding", () => this.#outstanding);
  }

  /** Starts moving. */
  start(): void {
    this.#pump ??= this.#move();
  }

  /** Ends the pipeline because a part cannot go on. The first failure is the one that counts. */
  fail(error: Error): void {
    this.#error ??= error;
    void this.stop(performance.now() + this.#drainMs);
  }

  /**
   * Stops the source, lets what is on its way arrive, and closes everything.
   *
   * @param deadline as `performance.now()`; what has not arrived by then is given up
   */
  async stop(deadline: number): Promise<void> {
    this.#closing ??= this.#close(deadline);
    await this.#closing;
  }

  async #move(): Promise<void> {
    const { source } = this.#parts;
    const { signal } = this.#intake;
    let turnEnds = performance.now() + LONGEST_TURN_MS;
    try {
      for await (const batch of source.batches(signal)) {
        this.#forward(batch);
        while (this.#outstanding >= MOST_OUTSTANDING && !signal.aborted) await this.#woken();
        if (performance.now() < turnEnds) continue;
        await nextTurn();
        turnEnds = performance.now() + LONGEST_TURN_MS;
      }
      this.#isExhausted = !signal.aborted;
    } catch (error) {
      this.#error ??= asError(error);
    }
    const deadline = performance.now() + this.#drainMs;
    if (this.#isExhausted) await this.#sinksReached(signal, deadline);
    void this.stop(deadline);
  }

  /**
   * Waits for the sinks that are away. A short source is at its end before they are reached for the
   * first time, and a stage that closes does not wait for a sink that it cannot write to.
   */
  async #sinksReached(signal: AbortSignal, deadline: number): Promise<void> {
    const away = (this.#parts.connections ?? []).filter(({ up }) => !up);
    if (away.length === 0 || signal.aborted) return;
    using listening = new DisposableStack();
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const reached = away.map((connection) =>
      new Promise<void>((resolve) => {
        listening.defer(connection.subscribe((event) => {
          if (event === "up") resolve();
        }));
      })
    );
    if (await inTime(Promise.race([Promise.all(reached), aborted]), deadline)) return;
    this.#telemetry.log.warn(
      "The source has ended and a sink is still away; what that has not taken is given up",
    );
  }

  #forward(batch: Batch): void {
    this.#batches.value++;
    this.#changes.value += batch.changes.length;
    this.#outstanding++;
    // Not awaited: the next batch follows at once, and each is settled when its receipts come.
    void this.#settle(batch);
  }

  async #settle(batch: Batch): Promise<void> {
    try {
      const receipts = await this.#head.handle(batch, this.#work.signal);
      for (const receipt of receipts) this.#counterOf(receipt).value++;
      await this.#parts.source.settle(batch, receipts);
    } catch (error) {
      this.fail(asError(error));
    }
    this.#outstanding--;
    this.#wake?.();
  }

  #counterOf(receipt: Receipt): Counter {
    return receipt === ACCEPTED ? this.#accepted : this.#outcomes[receipt.outcome];
  }

  async #close(deadline: number): Promise<void> {
    this.#intake.abort();
    this.#wake?.();
    const { source, stages } = this.#parts;
    if (this.#pump !== undefined) await this.#attempt("stop the source", this.#pump, deadline);
    for (const stage of stages) {
      await this.#attempt("finish a stage", stage.close(deadline), deadline);
    }
    await this.#attempt("settle what was on its way", this.#settled(), deadline);
    this.#work.abort();
    await this.#attempt("close the source", source.close(), deadline);
    if (this.#error !== undefined) this.#end({ how: "failed", error: this.#error });
    else this.#end({ how: this.#isExhausted ? "finished" : "stopped" });
  }

  /** Does one step of closing. What fails or comes late must not keep the others from closing. */
  async #attempt(what: string, step: Promise<void>, deadline: number): Promise<void> {
    const { log } = this.#telemetry;
    try {
      // Every step gets a moment, also when an earlier one has used up the time.
      const isDone = await inTime(step, Math.max(deadline, performance.now() + GRACE_MS));
      if (!isDone) log.warn(`There was no time to ${what}, which is given up`);
    } catch (error) {
      log.warn(`Could not ${what}`, { error });
    }
  }

  async #settled(): Promise<void> {
    while (this.#outstanding > 0) await this.#woken();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
