/**
 * Rows in a file of SQLite, with the meaning that hashes have in Redis.
 *
 * A field is a record of its own, so that setting some fields leaves the others alone, and a row
 * without fields does not exist. WAL lets others read the file while it is written.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { RejectError } from "../../core/errors.ts";
import type { Operation, Row } from "../../core/stage.ts";
import { setField } from "../../sonic/fields.ts";

/** Rows that one step of a scan reads. */
const PAGE_ROWS = 500;

/** How long a write waits for another process that writes, milliseconds. It blocks the process. */
const BUSY_MS = 50;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS fields (
    tbl TEXT NOT NULL, key TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (tbl, key, field)
  ) WITHOUT ROWID`;

/** An open file. Every method throws what SQLite throws. */
export class SqliteStore {
  readonly #database: DatabaseSync;
  // Statements and not `exec`: only their errors carry a result code.
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  readonly #set: StatementSync;
  readonly #remove: StatementSync;
  readonly #delete: StatementSync;
  readonly #page: StatementSync;
  readonly #version: StatementSync;

  /** @param file absolute; made when it is not there, unless `readOnly` */
  constructor(file: string, options: { readonly readOnly: boolean }) {
    this.#database = new DatabaseSync(file, { readOnly: options.readOnly, timeout: BUSY_MS });
    try {
      if (!options.readOnly) {
        this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
        this.#database.exec(SCHEMA);
      }
      this.#begin = this.#database.prepare("BEGIN IMMEDIATE");
      this.#commit = this.#database.prepare("COMMIT");
      this.#rollback = this.#database.prepare("ROLLBACK");
      this.#set = this.#database.prepare(
        "INSERT INTO fields VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      );
      this.#remove = this.#database.prepare(
        "DELETE FROM fields WHERE tbl = ? AND key = ? AND field = ?",
      );
      this.#delete = this.#database.prepare("DELETE FROM fields WHERE tbl = ? AND key = ?");
      this.#page = this.#database.prepare(
        "SELECT key, field, value FROM fields WHERE tbl = ?1 AND key IN (SELECT DISTINCT key " +
          `FROM fields WHERE tbl = ?1 AND key > ?2 ORDER BY key LIMIT ${PAGE_ROWS}) ORDER BY key`,
      );
      this.#version = this.#database.prepare("PRAGMA data_version");
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Carries out all operations in one transaction, or none. */
  write(operations: readonly Operation[], tableOf: (table: string) => string): void {
    this.#begin.run();
    try {
      for (const operation of operations) this.#apply(operation, tableOf(operation.table));
      this.#commit.run();
    } catch (error) {
      if (this.#database.isTransaction) this.#rollback.run();
      throw error;
    }
  }

  /** Every row of a table, in the order of their keys, some at a time. */
  *rows(table: string): Generator<Row> {
    for (let after = "";;) {
      const rows = this.#readPage(table, after);
      const last = rows.at(-1);
      if (!last) return;
      yield* rows;
      after = last.key;
    }
  }

  /** A number that changes whenever somebody else has written. */
  version(): number {
    return Number(this.#version.get()?.["data_version"] ?? 0);
  }

  /** Lets go of the file. */
  close(): void {
    this.#database.close();
  }

  #readPage(table: string, after: string): Row[] {
    const rows = new Map<string, Record<string, string>>();
    for (const { key, field, value } of this.#page.all(table, after)) {
      const name = String(key);
      const fields = rows.get(name) ?? {};
      setField(fields, String(field), String(value));
      rows.set(name, fields);
    }
    return Array.from(rows, ([key, fields]) => ({ key, fields }));
  }

  #apply(operation: Operation, table: string): void {
    const key = storable(operation.key);
    if (operation.op === "delete") {
      this.#delete.run(table, key);
      return;
    }
    for (const [field, value] of Object.entries(operation.fields)) {
      this.#set.run(table, key, storable(field), storable(value));
    }
    for (const field of operation.removed) this.#remove.run(table, key, field);
  }
}

/**
 * The text itself.
 *
 * @throws {RejectError} when SQLite would cut it at a NUL or change half of a surrogate pair
 */
function storable(text: string): string {
  if (!text.includes("\0") && text.isWellFormed()) return text;
  throw new RejectError("A text holds a NUL or bytes that are no UTF-8, which SQLite cannot keep");
}
