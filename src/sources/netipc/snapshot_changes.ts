/**
 * What has changed between two snapshots.
 *
 * @module
 */
import type { Change, Fields } from "../../core/change.ts";
import type { Snapshot, SnapshotItem } from "../../netipc/codec/cgroups_snapshot.ts";

/** The rows of the last snapshot, to tell what is different in the next. */
export class SnapshotRows {
  readonly #table: string;
  #rows: ReadonlyMap<string, Fields> = new Map();

  constructor(table: string) {
    this.#table = table;
  }

  /** Every row, as sets. */
  all(time: number): Change[] {
    return [...this.#rows].map(([key, fields]) => this.#set(key, fields, time));
  }

  /**
   * Takes a new snapshot.
   *
   * @param onRejected told of items whose names cannot be keys, or come twice
   * @returns what is different
   */
  take(snapshot: Snapshot, time: number, onRejected: (item: SnapshotItem) => void): Change[] {
    const rows = new Map<string, Fields>();
    const changes: Change[] = [];
    for (const item of snapshot.items) {
      const { name } = item;
      if (rows.has(name) || name === "" || !FIT.test(name) || !item.path.isWellFormed()) {
        onRejected(item);
        continue;
      }
      const fields = fieldsOf(item);
      rows.set(name, fields);
      if (!isSame(this.#rows.get(name), fields)) changes.push(this.#set(name, fields, time));
    }
    for (const key of this.#rows.keys()) {
      if (!rows.has(key)) changes.push({ op: "delete", table: this.#table, key, fields: {}, time });
    }
    this.#rows = rows;
    return changes;
  }

  #set(key: string, fields: Fields, time: number): Change {
    return { op: "set", table: this.#table, key, fields, time };
  }
}

/** Names that can stand in a key and on a terminal; lone surrogates stand for bytes of no text. */
const FIT = /^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029|]+$/u;

function fieldsOf({ hash, options, enabled, path }: SnapshotItem): Fields {
  return { hash: `${hash}`, options: `${options}`, enabled: `${enabled}`, path };
}

function isSame(a: Fields | undefined, b: Fields): boolean {
  return a !== undefined && a["hash"] === b["hash"] && a["path"] === b["path"] &&
    a["options"] === b["options"] && a["enabled"] === b["enabled"];
}
