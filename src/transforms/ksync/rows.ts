/**
 * Several claims on one key: rows of a table, or sources, that stand for the same entry (chapter
 * 11). One row is associated and says what the entry holds; the others queue behind it, first come,
 * first served, and take over without a delete.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import type { Container } from "./container.ts";
import type { Engine } from "./engine.ts";
import { type Entry, Flag, isDeleted } from "./entry.ts";
import { sameFields } from "./fields.ts";

/** One row, or one source's claim. */
export interface Row {
  /** What the row is known by; it may differ from the entry's key. */
  readonly id: string;
  /** The key of the entry that the row stands for. */
  readonly key: string;
  readonly fields: Fields;
  readonly deleted?: boolean;
}

/**
 * What a filter makes of a row: take it, leave it out, treat it as deleted, or move it from the
 * entry that it stood for to that of its new key.
 */
export type Verdict = "accept" | "ignore" | "delete" | "delete-add";

/** The rows that stand for one entry. */
interface Claims {
  readonly entry: Entry;
  /** The row that the entry follows. */
  associated: Row;
  /** Those that wait for it to go, first come first. */
  readonly duplicates: Row[];
}

/** Binds a container to rows. A container has one binding at most. */
export class RowBinding {
  readonly #engine: Engine;
  readonly #container: Container;
  readonly #filter: (row: Row) => Verdict;
  readonly #byRow = new Map<string, Claims>();
  readonly #byEntry = new Map<Entry, Claims>();
  #isRegistered = true;

  /** Asks `filter` for every row that is not deleted; takes them all when left out. */
  constructor(
    engine: Engine,
    container: Container,
    filter: (row: Row) => Verdict = () => "accept",
  ) {
    this.#engine = engine;
    this.#container = container;
    this.#filter = filter;
    container.onDetached = (e) => this.#detached(e);
  }

  /** The row that an entry follows. */
  associated(e: Entry): Row | undefined {
    return this.#byEntry.get(e)?.associated;
  }

  /** How many rows stand for an entry of the container. */
  get size(): number {
    return this.#byRow.size;
  }

  /** Listens to no row any more; entries stay as they are. */
  unregister(): void {
    this.#isRegistered = false;
    this.#container.onDetached = undefined;
    this.#byRow.clear();
    this.#byEntry.clear();
  }

  /** A row was added, changed or deleted. */
  notify(row: Row): void {
    if (!this.#isRegistered || this.#container.deleteScheduled) return;
    const verdict = row.deleted ? "delete" : this.#filter(row);
    if (verdict === "delete" || verdict === "delete-add") this.#leave(row, verdict);
    if (verdict === "accept" || verdict === "delete-add") this.#follow(row);
  }

  /** The row lets go of its entry. */
  #leave(row: Row, verdict: Verdict): void {
    const claims = this.#byRow.get(row.id);
    if (claims === undefined) return;
    const { entry, associated, duplicates } = claims;
    if (associated.id !== row.id) {
      this.#byRow.delete(row.id);
      duplicates.splice(duplicates.findIndex(({ id }) => id === row.id), 1);
      return;
    }
    const promoted = duplicates.shift();
    if (promoted !== undefined) {
      this.#byRow.delete(row.id);
      claims.associated = promoted;
      this.#write(entry, promoted, false);
      return;
    }
    // A deleted row stays attached until the entry is gone, so that being told twice is harmless.
    if (verdict === "delete") claims.associated = { ...row, deleted: true };
    else this.#forget(claims);
    if (!isDeleted(entry)) this.#engine.delete(this.#container, entry.key);
  }

  /** The row says what its entry holds, or queues for it. */
  #follow(row: Row): void {
    const known = this.#byRow.get(row.id);
    if (known !== undefined) {
      this.#changed(known, row);
      return;
    }
    const entry = this.#container.find(row.key);
    const claims = entry === undefined ? undefined : this.#byEntry.get(entry);
    if (claims !== undefined && !claims.associated.deleted) {
      claims.duplicates.push(row);
      this.#byRow.set(row.id, claims);
      return;
    }
    if (claims !== undefined) this.#forget(claims);
    const made = this.#engine.set(this.#container, row.key, row.fields);
    if (made === undefined) return; // refused: its dependencies close a circle
    const own: Claims = { entry: made, associated: row, duplicates: [] };
    this.#byRow.set(row.id, own);
    this.#byEntry.set(made, own);
  }

  #changed(claims: Claims, row: Row): void {
    const { entry, associated, duplicates } = claims;
    if (associated.id !== row.id) {
      duplicates[duplicates.findIndex(({ id }) => id === row.id)] = row;
      return;
    }
    claims.associated = row;
    this.#write(entry, row, isDeleted(entry));
  }

  /** Hands a row's fields to the entry, where they differ or where it has to be said again. */
  #write(entry: Entry, row: Row, isNeeded: boolean): void {
    const isStale = (entry.flags & Flag.STALE) !== 0;
    const differs = !sameFields(entry.desired, row.fields, this.#container.numericFields);
    if (isNeeded || isStale || differs) this.#engine.set(this.#container, entry.key, row.fields);
  }

  #detached(entry: Entry): void {
    const claims = this.#byEntry.get(entry);
    if (claims !== undefined) this.#forget(claims);
  }

  #forget(claims: Claims): void {
    this.#byEntry.delete(claims.entry);
    this.#byRow.delete(claims.associated.id);
    for (const { id } of claims.duplicates) this.#byRow.delete(id);
  }
}
