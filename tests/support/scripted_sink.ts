/**
 * A state sink in memory that does what a test says.
 *
 * @module
 */
import type { Fields } from "../../src/core/change.ts";
import type { ConnectionEvents, Operation, Outcome, Row, StateSink } from "../../src/core/stage.ts";

const OK: Outcome = { ok: true };

/** A call of `write` that the test has not answered. */
export interface PendingWrite {
  readonly operations: readonly Operation[];
  /** Answers each operation; ok for those that are left out, and applies these. */
  answer(outcomes?: readonly Outcome[]): void;
  /** Breaks the contract: the call rejects. */
  reject(error: unknown): void;
}

/** Rows by table, and everything that was asked. */
export class ScriptedSink implements StateSink {
  readonly tables = new Map<string, Map<string, Fields>>();
  /** Every call of `write`. */
  readonly writes: (readonly Operation[])[] = [];
  /** Calls that wait for the test, when `isManual`. */
  readonly pending: PendingWrite[] = [];
  readonly scanned: string[] = [];
  isManual = false;
  isUp = true;
  isOpen = false;
  /** Thrown by the next scans, one each. */
  readonly scanErrors: Error[] = [];
  /** Holds scans up after their first row until it resolves. */
  scanGate: Promise<void> | undefined;
  readonly #listeners = new Set<(event: "lost" | "up") => void>();
  #waiting: (() => void)[] = [];

  readonly connection: ConnectionEvents = Object.defineProperty(
    {
      up: true,
      subscribe: (listener: (event: "lost" | "up") => void) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
    },
    "up",
    { get: () => this.isUp },
  );

  /** How many listen for turns of the connection. */
  get listeners(): number {
    return this.#listeners.size;
  }

  open(): void {
    this.isOpen = true;
  }

  close(): Promise<void> {
    this.isOpen = false;
    return Promise.resolve();
  }

  /** Puts a row in without being asked. */
  put(table: string, key: string, fields: Fields): void {
    this.#rows(table).set(key, fields);
  }

  /** A row as it stands. */
  row(table: string, key: string): Fields | undefined {
    return this.#rows(table).get(key);
  }

  /** The connection is gone. */
  lose(): void {
    this.isUp = false;
    for (const listener of this.#listeners) listener("lost");
  }

  /** The connection is back. */
  comeBack(): void {
    this.isUp = true;
    for (const listener of this.#listeners) listener("up");
  }

  write(operations: readonly Operation[]): Promise<Outcome[]> {
    this.writes.push(operations);
    const waiting = this.#waiting;
    this.#waiting = [];
    queueMicrotask(() => waiting.forEach((wake) => wake()));
    if (!this.isManual) {
      operations.forEach((operation) => this.#apply(operation));
      return Promise.resolve(operations.map(() => OK));
    }
    return new Promise((resolve, reject) => {
      this.pending.push({
        operations,
        reject,
        answer: (outcomes = []) => {
          resolve(operations.map((operation, at) => {
            const outcome = outcomes[at] ?? OK;
            if (outcome.ok) this.#apply(operation);
            return outcome;
          }));
        },
      });
    });
  }

  /** Waits until there were so many calls of `write`. */
  async written(calls: number): Promise<void> {
    while (this.writes.length < calls) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async *scan(table: string): AsyncIterable<Row> {
    this.scanned.push(table);
    const error = this.scanErrors.shift();
    if (error !== undefined) throw error;
    for (const [key, fields] of [...this.#rows(table)]) {
      yield { key, fields };
      await this.scanGate;
    }
  }

  #rows(table: string): Map<string, Fields> {
    const rows = this.tables.get(table) ?? new Map<string, Fields>();
    this.tables.set(table, rows);
    return rows;
  }

  #apply(operation: Operation): void {
    const rows = this.#rows(operation.table);
    if (operation.op === "delete") {
      rows.delete(operation.key);
      return;
    }
    const row: Record<string, string> = { ...rows.get(operation.key), ...operation.fields };
    for (const name of operation.removed) delete row[name];
    rows.set(operation.key, row);
  }
}
