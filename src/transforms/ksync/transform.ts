/**
 * The `ksync` transform: a thin driver between a pipeline and the engine. It gives the engine the
 * clock, hands its requests to the sink in batches, reads the sink's tables after every reconnect,
 * and turns what became of each change into receipts.
 *
 * It opens the sink when it is made, and closes it when it is closed.
 *
 * @module
 */
import type { KsyncConfig } from "../../../schemas/ksync.ts";
import {
  ACCEPTED,
  type Batch,
  type Change,
  deferred,
  type Receipt,
  rejected,
} from "../../core/change.ts";
import type { Context, CreateReconciler } from "../../core/component.ts";
import { RejectError, StopError } from "../../core/errors.ts";
import type { Inspectable } from "../../core/introspection.ts";
import type { Outcome, RowEvent, Stage, StateSink } from "../../core/stage.ts";
import { backoffDelay } from "./backoff.ts";
import type { Container } from "./container.ts";
import { Engine } from "./engine.ts";
import type { Entry, Ticket } from "./entry.ts";
import { numbers, publish } from "./figures.ts";
import { itemAt } from "./item_at.ts";
import { type OperationBatch, Outbox } from "./outbox.ts";
import { answerOf } from "./outcomes.ts";
import { OpenReceipts, type PendingBatch } from "./receipts.ts";
import { reporter } from "./reports.ts";
import { engineOptions, tableOptions } from "./settings.ts";
import { explain, waitsForSink, why } from "./why.ts";

/** A table whose scan failed, and when it is read again. */
interface Rescan {
  readonly container: Container;
  readonly at: number;
  readonly attempt: number;
}

/** Keeps one sink equal to what the pipeline's source says. */
class Reconciler implements Stage, Inspectable {
  readonly #config: KsyncConfig;
  readonly #context: Context;
  readonly #sink: StateSink;
  readonly #engine: Engine;
  readonly #outbox: Outbox;
  readonly #publish: () => void;
  /** Stops listening to the sink. */
  readonly #listening = new DisposableStack();
  readonly #receipts: OpenReceipts;
  /** Tables that are being read. */
  readonly #scanning = new Set<Container>();
  #rescans: Rescan[] = [];
  /** Tables that only a dependency names: as long as the source does not, no row of them is ours. */
  readonly #unowned = new Set<string>();
  /** Grows with every loss of the sink, so that a scan from before can tell. */
  #connection = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #isClosed = false;
  #onTurn: (() => void) | undefined;
  /** The table of the last change: most pipelines have one. */
  #lastTable: Container | undefined;

  constructor(config: KsyncConfig, context: Context, sink: StateSink) {
    this.#config = config;
    this.#context = context;
    this.#sink = sink;
    this.#receipts = new OpenReceipts(config.settle_ms);
    this.#outbox = new Outbox(config.batch_operations, config.batch_bytes);
    this.#engine = new Engine(
      {
        send: (operation, slot, number) => {
          this.#outbox.add(operation, slot, number);
          return false;
        },
        report: reporter(context.telemetry.log),
        openTable: (name) => {
          // The engine makes the container after this; it is read once the turn is over.
          queueMicrotask(() => this.#readUnread());
          this.#unowned.add(name);
          return { ...tableOptions(config, name), owns: undefined };
        },
      },
      engineOptions(config),
      performance.now(),
    );
    this.#publish = publish(this.#engine, context.telemetry);
    this.#listening.defer(sink.connection.subscribe((event) => {
      if (event === "up") this.#readUnread();
      else this.#lost();
    }));
    if (sink.observe) this.#listening.defer(sink.observe((events) => this.#observed(events)));
    for (const table of config.tables ?? []) this.#table(table);
    sink.open();
    if (sink.connection.up) this.#readUnread();
  }

  handle(batch: Batch, signal: AbortSignal): Promise<Receipt[]> {
    const { changes, mark } = batch;
    const engine = this.#engine;
    engine.now = performance.now();
    if (mark === "dump-begin") engine.dumpBegins();
    else if (mark === "lost") engine.eventsLost();
    const receipts = this.#isClosed
      ? Promise.resolve(changes.map(() => deferred("the pipeline stops")))
      : this.#context.acknowledge === "accepted"
      ? this.#accept(changes)
      : this.#follow(batch, signal);
    if (mark === "dump-end") engine.dumpEnds();
    this.#endTurn();
    return receipts;
  }

  async close(deadline: number): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#engine.now = performance.now();
    this.#engine.hurry();
    this.#endTurn();
    await this.#drained(deadline);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = -Infinity; // nothing is timed any more
    this.#listening.dispose();
    this.#connection++;
    this.#receipts.deferAll("the pipeline stops");
    await this.#sink.close();
  }

  explainKey(key: string): string[] {
    this.#engine.now = performance.now();
    return this.#named(key).flatMap((e) => explain(this.#engine, e));
  }

  retry(key: string): boolean {
    this.#engine.now = performance.now();
    const retried = this.#named(key).filter((e) => this.#engine.retry(e.container, e.key));
    this.#endTurn();
    return retried.length > 0;
  }

  counts(): Record<string, number> {
    this.#engine.now = performance.now();
    return numbers(this.#engine);
  }

  /** The entries that an operator means: `TABLE|key`, or a key of any table. */
  #named(key: string): Entry[] {
    const found: Entry[] = [];
    for (const container of this.#engine.containers.values()) {
      const prefix = `${container.name}|`;
      const e = key.startsWith(prefix)
        ? container.find(key.slice(prefix.length))
        : container.find(key);
      if (e !== undefined) found.push(e);
    }
    return found;
  }

  /** Answers at once; the source is never held up by the sink. */
  #accept(changes: readonly Change[]): Promise<Receipt[]> {
    const receipts = new Array<Receipt>(changes.length).fill(ACCEPTED);
    this.#apply(changes, undefined, receipts);
    return Promise.resolve(receipts);
  }

  /**
   * Answers when the sink has each change. One that waits for anything else is deferred after
   * `settle_ms`; a sink that is away or slow answers nothing, so it slows the source.
   */
  #follow(batch: Batch, signal: AbortSignal): Promise<Receipt[]> {
    const { changes } = batch;
    if (changes.length === 0) return Promise.resolve([]);
    const receipts = this.#receipts.begin(batch, this.#engine.now);
    this.#apply(changes, receipts, undefined);
    if (receipts.isSettled) return receipts.promise;
    this.#receipts.add(batch, receipts);
    const stop = () => receipts.defer(() => "the pipeline stops");
    if (signal.aborted) stop();
    else {
      signal.addEventListener("abort", stop, { once: true });
      receipts.promise.then(() => signal.removeEventListener("abort", stop));
    }
    return receipts.promise;
  }

  #apply(
    changes: readonly Change[],
    pending: PendingBatch | undefined,
    receipts: Receipt[] | undefined,
  ): void {
    const engine = this.#engine;
    const isOne = changes.length === 1;
    if (!isOne) engine.cork();
    for (const [at, change] of changes.entries()) {
      const container = this.#table(change.table);
      const ticket: Ticket | undefined = pending?.ticket(at);
      if (container === undefined) {
        const receipt = rejected(new RejectError(`${change.table} is no table of this pipeline`));
        pending?.settle(at, receipt);
        if (receipts !== undefined) receipts[at] = receipt;
      } else if (change.op === "set") {
        engine.set(container, change.key, change.fields, change.removed, ticket);
      } else {
        engine.delete(container, change.key, ticket);
      }
    }
    if (!isOne) engine.uncork();
  }

  /** The container of a table; undefined for one that the spec does not name. */
  #table(name: string): Container | undefined {
    if (this.#lastTable?.name === name) return this.#lastTable;
    let container = this.#engine.containers.get(name);
    const { tables } = this.#config;
    if (tables !== undefined && !tables.includes(name)) return undefined;
    if (container === undefined) {
      container = this.#engine.container(name, tableOptions(this.#config, name));
      this.#readUnread();
    } else if (this.#unowned.delete(name)) {
      const { owns } = tableOptions(this.#config, name);
      if (owns !== undefined && this.#engine.own(container, owns)) {
        this.#engine.sinkLost(container);
        this.#readUnread();
      }
    }
    this.#lastTable = container;
    return container;
  }

  #lost(): void {
    this.#connection++;
    this.#scanning.clear();
    this.#rescans = [];
    this.#engine.now = performance.now();
    for (const container of this.#engine.containers.values()) this.#engine.sinkLost(container);
    this.#endTurn();
  }

  #observed(events: readonly RowEvent[]): void {
    const engine = this.#engine;
    engine.now = performance.now();
    for (const container of engine.containers.values()) {
      for (const { key, fields, mended } of events) {
        engine.observed(container, key, fields, mended);
      }
    }
    this.#endTurn();
  }

  /** Begins to read every table that is not known, if the sink is there. */
  #readUnread(): void {
    if (!this.#sink.connection.up) return;
    for (const container of this.#engine.containers.values()) {
      const isPlanned = this.#rescans.some((rescan) => rescan.container === container);
      if (!container.open && !this.#scanning.has(container) && !isPlanned) {
        this.#scan(container, 0);
      }
    }
  }

  async #scan(container: Container, attempt: number): Promise<void> {
    const connection = this.#connection;
    const engine = this.#engine;
    this.#scanning.add(container);
    engine.beginScan(container);
    try {
      for await (const { key, fields } of this.#sink.scan(container.name)) {
        if (connection !== this.#connection) return;
        engine.now = performance.now();
        engine.found(container, key, fields);
      }
    } catch (error) {
      if (connection === this.#connection) this.#scanFailed(container, attempt, error);
      return;
    }
    if (connection !== this.#connection) return;
    this.#scanning.delete(container);
    engine.now = performance.now();
    engine.endScan(container);
    this.#endTurn();
  }

  #scanFailed(container: Container, attempt: number, error: unknown): void {
    this.#scanning.delete(container);
    if (error instanceof StopError) {
      this.#context.fail(error);
      return;
    }
    const wait = backoffDelay(engineOptions(this.#config).retry, attempt, Math.random());
    this.#rescans.push({ container, at: performance.now() + wait, attempt: attempt + 1 });
    this.#context.telemetry.log.warn("The sink's rows could not be read; they are read again", {
      table: container.name,
      wait_ms: Math.round(wait),
      error,
    });
    this.#endTurn();
  }

  /** Everything that a turn leads to: requests, receipts, the next time. */
  #endTurn(): void {
    if (!this.#outbox.isEmpty) {
      for (const batch of this.#outbox.take()) void this.#write(batch);
    }
    this.#receipts.tidy();
    this.#publish();
    this.#arm();
    this.#onTurn?.();
  }

  async #write(batch: OperationBatch): Promise<void> {
    let outcomes: readonly Outcome[];
    try {
      outcomes = await this.#sink.write(batch.operations);
    } catch (error) {
      // A sink must not reject; one that does has failed every operation, for all we know.
      const cause = error instanceof Error ? error : new Error(String(error));
      outcomes = batch.operations.map(() => ({ ok: false, error: cause }));
    }
    const engine = this.#engine;
    engine.now = performance.now();
    for (const [at, slot] of batch.slots.entries()) {
      engine.answer(slot, itemAt(batch.numbers, at), answerOf(outcomes[at], this.#context));
    }
    // What was ready goes out before the rows are read, so that the reading sees it.
    this.#endTurn();
    this.#readRobbed();
  }

  /** Reads tables again of which somebody else has taken rows or fields away. */
  #readRobbed(): void {
    for (const container of this.#engine.containers.values()) {
      if (!container.robbed) continue;
      container.robbed = false;
      this.#engine.sinkLost(container);
      this.#readUnread();
    }
  }

  /** Sets the one timer. A timer that is early enough stays: waking for nothing is cheap. */
  #arm(): void {
    let due = Math.min(this.#engine.nextDeadline(), this.#receipts.nextDue);
    for (const rescan of this.#rescans) due = Math.min(due, rescan.at);
    if (due >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = due;
    const wait = Math.max(0, Math.ceil(due - performance.now()));
    this.#timer = setTimeout(() => this.#tick(), Math.min(wait, 2 ** 31 - 1));
  }

  #tick(): void {
    this.#timerAt = Infinity;
    const now = performance.now();
    this.#engine.tick(now);
    this.#receipts.defer(now, (change) => this.#reasonOf(change));
    const due = this.#rescans.filter((rescan) => rescan.at <= now);
    this.#rescans = this.#rescans.filter((rescan) => rescan.at > now);
    for (const { container, attempt } of due) void this.#scan(container, attempt);
    this.#endTurn();
  }

  /** Why a change is deferred; undefined for one that only the sink holds up. */
  #reasonOf({ table, key }: Change): string | undefined {
    const entries = this.#named(`${table}|${key}`);
    if (entries.some(waitsForSink)) return undefined;
    return entries.map((e) => why(this.#engine, e)).join();
  }

  /** Waits until nothing that the sink can take now is left, or until the deadline. */
  async #drained(deadline: number): Promise<void> {
    const isDrained = () =>
      !this.#sink.connection.up ||
      (this.#engine.inFlight === 0 && this.#engine.waiting === 0 && this.#scanning.size === 0);
    const wait = deadline - performance.now();
    if (isDrained() || wait <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onTurn = () => {
      if (isDrained()) resolve();
    };
    const timer = setTimeout(resolve, Math.min(wait, 2 ** 31 - 1));
    await promise;
    clearTimeout(timer);
    this.#onTurn = undefined;
  }
}

/** Makes the reconciler of one sink. */
const create: CreateReconciler<KsyncConfig> = (config, context, sink) =>
  new Reconciler(config, context, sink);

export default create;
