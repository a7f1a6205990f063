/**
 * The contracts between the parts of a pipeline.
 *
 * @module
 */
import type { Batch, Fields, Receipt } from "./change.ts";

/** A transform or an event sink. A transform is given the next stage when it is made. */
export interface Stage {
  /**
   * Takes a batch over. Calls never overlap out of order: the order of the calls is the order of
   * the changes, and a stage hands the batch on before it first awaits anything.
   *
   * @returns one receipt for each change, in the order of the changes, once all have settled
   */
  handle(batch: Batch, signal: AbortSignal): Promise<Receipt[]>;
  /** Finishes what it holds, at the latest at `deadline` (as `performance.now()`), then lets go. */
  close(deadline: number): Promise<void>;
}

/** One write for a state sink. */
export type Operation =
  | {
    readonly op: "set";
    readonly table: string;
    readonly key: string;
    /** Only the fields to write. */
    readonly fields: Fields;
    /** Names of fields to take away. */
    readonly removed: readonly string[];
  }
  | { readonly op: "delete"; readonly table: string; readonly key: string };

/** What became of one operation; `error` is one of the classes in `errors.ts`. */
export type Outcome =
  | {
    readonly ok: true;
    /** Of a set: how many of the fields the row did not have before, where the sink can tell. */
    readonly added?: number;
  }
  | { readonly ok: false; readonly error: Error };

/** A row as a sink holds it. */
export interface Row {
  /** The key inside its table. */
  readonly key: string;
  /** All its fields, those of others too. */
  readonly fields: Fields;
}

/** A row that is new or different, or that is gone. */
export interface RowChange {
  /** The key inside its table. */
  readonly key: string;
  /** All its fields; `undefined` when there is no such row any more. */
  readonly fields: Fields | undefined;
}

/** A row that is not as it was written, or that is worth another attempt. */
export interface RowEvent extends RowChange {
  /** Whether a write that failed may succeed now: what it needs has appeared. */
  readonly mended: boolean;
}

/** Tells when the other side of a state sink was lost and when it is back. */
export interface ConnectionEvents {
  /** Whether the sink can be written to now. */
  readonly up: boolean;
  /** Calls `listener` at every turn; returns a function that stops it. */
  subscribe(listener: (event: "lost" | "up") => void): () => void;
}

/** What ksync drives: no retries of its own, one outcome for each operation. */
export interface StateSink {
  /** Writes in order. Resolves, never rejects: a lost connection is an outcome of each operation. */
  write(operations: readonly Operation[]): Promise<Outcome[]>;
  /** Every row of a table. Throws an error of `errors.ts` when the sink is lost on the way. */
  scan(table: string): AsyncIterable<Row>;
  /**
   * Every row of a table and then what changes, several rows at a time, until `signal` aborts.
   * For people who look on, so it needs no `open` and waits for a sink that is away.
   */
  watch?(table: string, signal: AbortSignal): AsyncIterable<readonly RowChange[]>;
  /**
   * Tells of rows that somebody else has changed, whatever their table is called. Only a sink that
   * sees them has it. Of a key with a write outstanding nothing is told until its outcome is known,
   * and what is told then is no older than that outcome. The listener may write at once.
   *
   * @returns a function that stops it
   */
  observe?(listener: (events: readonly RowEvent[]) => void): () => void;
  /** Whether the other side is there. */
  readonly connection: ConnectionEvents;
  /** Starts connecting and goes on until closed; never throws for a server that is away. */
  open(): void;
  /** Lets go of the other side; what is not answered by then is lost. */
  close(): Promise<void>;
}

/** Where changes come from. */
export interface Source {
  /** Batches until `signal` aborts, then a clean end. */
  batches(signal: AbortSignal): AsyncIterable<Batch>;
  /** Tells the source what became of a batch: reply to the peer, XACK, checkpoint. */
  settle(batch: Batch, receipts: readonly Receipt[]): void | Promise<void>;
  /** Asks for a complete dump, as after a loss; a no-op where the source has none. */
  resync?(): void;
  /** Lets go of sockets and files. */
  close(): Promise<void>;
}
