/**
 * What a table's rows are, and what of them is still to be told: no clock, no connection.
 *
 * What changes again before it was told is told once, so a slow pipeline costs no more memory than
 * the table.
 *
 * @module
 */
import type { Change, Fields, Mark } from "../../core/change.ts";
import type { RowChange } from "../../core/stage.ts";
import { sameFields } from "../../sonic/fields.ts";

/** Most changes in one batch. */
const MOST_CHANGES = 1024;

const NO_FIELDS: Fields = Object.freeze({});

/** What `take` gives: a batch, with changes that have no time yet. */
export interface Told {
  /** In order. */
  readonly changes: readonly Omit<Change, "time">[];
  /** As in a batch. */
  readonly mark?: Mark;
}

/** The rows of one table. */
export class TableRows {
  readonly #table: string;
  readonly #takes: (key: string) => boolean;
  readonly #shape: (stored: Fields) => Fields;
  readonly #rows = new Map<string, Fields>();
  /** Keys to tell of. */
  readonly #news = new Set<string>();
  /** Whether a dump was told, and no loss since. */
  #isFollowed = false;
  /** Whether any dump was told: before it nothing is, so that all of it stands inside of one. */
  #isBegun = false;
  /** Whether a loss is to be told. */
  #isLost = false;
  /** `wanted` until the table was read as a whole, `ready` until that is told. */
  #dump: "none" | "wanted" | "ready" = "wanted";

  /**
   * Knows nothing yet.
   *
   * @param takes whether a row is followed, by its key
   * @param shape what a pipeline sees of a stored row
   */
  constructor(
    table: string,
    takes: (key: string) => boolean,
    shape: (stored: Fields) => Fields,
  ) {
    this.#table = table;
    this.#takes = takes;
    this.#shape = shape;
  }

  /** How many rows are followed. */
  get size(): number {
    return this.#rows.size;
  }

  /** Whether `take` has something to give. */
  get hasNews(): boolean {
    return this.#isLost || this.#dump === "ready" || (this.#isBegun && this.#news.size > 0);
  }

  /**
   * Notes what was read.
   *
   * @param complete whether every row has been read since the last loss
   */
  note(changes: readonly RowChange[], complete: boolean): void {
    for (const { key, fields } of changes) {
      if (!this.#takes(key)) continue;
      const shaped = fields && this.#shape(fields);
      if (sameFields(this.#rows.get(key), shaped)) continue;
      if (shaped) this.#rows.set(key, shaped);
      else this.#rows.delete(key);
      this.#news.add(key);
    }
    if (complete && this.#dump === "wanted") this.#dump = "ready";
  }

  /** From now on changes may be missed, until the table has been read again. */
  lose(): void {
    // Before the first dump there is nothing that could be missed.
    if (this.#isFollowed) this.#isLost = true;
    this.#isFollowed = false;
    this.#dump = "wanted";
  }

  /** Everything is wanted once more, as soon as it was read. */
  wantDump(): void {
    this.#dump = "wanted";
  }

  /** All that is to be told now, in order; nothing of it is told again. */
  *take(): Generator<Told> {
    const isReady = this.#dump === "ready";
    // What was read before a loss is worth telling before it: the dump may be long in coming.
    if (!isReady && this.#isBegun) yield* this.#tellNews();
    if (this.#isLost) {
      this.#isLost = false;
      yield { changes: [], mark: "lost" };
    }
    if (isReady && this.#dump === "ready") yield* this.#tellAll();
  }

  *#tellNews(): Generator<Told> {
    const keys = [...this.#news];
    this.#news.clear();
    for (let at = 0; at < keys.length; at += MOST_CHANGES) {
      yield { changes: keys.slice(at, at + MOST_CHANGES).map((key) => this.#changeOf(key)) };
    }
  }

  *#tellAll(): Generator<Told> {
    const gone = [...this.#news].filter((key) => !this.#rows.has(key));
    const changes = [...gone, ...this.#rows.keys()].map((key) => this.#changeOf(key));
    this.#news.clear();
    this.#dump = "none";
    this.#isFollowed = this.#isBegun = true;
    for (let at = 0; at === 0 || at < changes.length; at += MOST_CHANGES) {
      const part = changes.slice(at, at + MOST_CHANGES);
      yield at === 0 ? { changes: part, mark: "dump-begin" } : { changes: part };
    }
    yield { changes: [], mark: "dump-end" };
  }

  #changeOf(key: string): Omit<Change, "time"> {
    const fields = this.#rows.get(key);
    return fields === undefined
      ? { op: "delete", table: this.#table, key, fields: NO_FIELDS }
      : { op: "set", table: this.#table, key, fields };
  }
}
