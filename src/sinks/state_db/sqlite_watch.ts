/**
 * Looks on while another process writes a file of rows.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import { sleep } from "../../core/sleep.ts";
import type { RowChange } from "../../core/stage.ts";
import { sameFields } from "../../sonic/fields.ts";
import { SqliteStore } from "./sqlite_store.ts";

/** How often to ask whether the file was written, milliseconds. */
const POLL_MS = 250;

/** All rows of a table, then what is different whenever the file was written, until the signal. */
export async function* watchFile(
  file: string,
  table: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RowChange[]> {
  let known: ReadonlyMap<string, Fields> | undefined;
  let version: number | undefined;
  let store: SqliteStore | undefined;
  try {
    while (!signal.aborted) {
      store ??= openIfThere(file);
      const current = store?.version();
      if (store && current !== version) {
        version = current;
        const rows = new Map(Array.from(store.rows(table), ({ key, fields }) => [key, fields]));
        const changes = differences(known ?? new Map(), rows);
        if (changes.length > 0 || known === undefined) yield changes;
        known = rows;
      }
      await sleep(POLL_MS, signal);
    }
  } finally {
    store?.close();
  }
}

/** What turns one table into another. */
export function differences(
  before: ReadonlyMap<string, Fields>,
  after: ReadonlyMap<string, Fields>,
): RowChange[] {
  const changes: RowChange[] = [];
  for (const [key, fields] of after) {
    if (!sameFields(before.get(key), fields)) changes.push({ key, fields });
  }
  for (const key of before.keys()) {
    if (!after.has(key)) changes.push({ key, fields: undefined });
  }
  return changes;
}

/** The store, unless the file or its table is still to be made by whoever writes it. */
function openIfThere(file: string): SqliteStore | undefined {
  try {
    return new SqliteStore(file, { readOnly: true });
  } catch {
    return undefined;
  }
}
