/**
 * The rows of a table as a stream, for whoever takes them one turn after the other.
 *
 * @module
 */
import type { Fields } from "../core/change.ts";
import type { RowChange } from "../core/stage.ts";
import { TableWatch, type TableWatchOptions } from "./table_watch.ts";

/**
 * All rows of a table, then what changes, several rows at a time, until the signal. What changes
 * again before it was taken is told once, so a slow reader costs no more memory than the table.
 */
export async function* watchRows(
  options: Omit<TableWatchOptions, "onRows" | "scope">,
  signal: AbortSignal,
): AsyncGenerator<readonly RowChange[]> {
  const waiting = new Map<string, Fields | undefined>();
  let news = Promise.withResolvers<void>();
  let isFirst = true;
  const watch = new TableWatch({
    ...options,
    scope: "table",
    onRows: (changes) => {
      for (const { key, fields } of changes) waiting.set(key, fields);
      // An empty table is news too, once.
      if (changes.length > 0 || isFirst) news.resolve();
      isFirst = false;
    },
  });
  const stop = () => news.resolve();
  signal.addEventListener("abort", stop);
  watch.open();
  try {
    for (;;) {
      if (signal.aborted) return;
      await news.promise;
      if (signal.aborted) return;
      news = Promise.withResolvers<void>();
      const changes = Array.from(waiting, ([key, fields]) => ({ key, fields }));
      waiting.clear();
      yield changes;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await watch.close();
  }
}
