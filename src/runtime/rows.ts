/**
 * Looking at the rows of state sinks.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";
import type { StateSink } from "../core/stage.ts";
import type { Logger } from "../core/telemetry.ts";
import type { RowReport } from "./protocol.ts";

/** Somebody who looks on. */
export interface Following {
  /** Resolves when nobody looks any more. */
  stop(): Promise<void>;
}

/** Says why nothing will be seen where only the changes name the tables, as producers' do. */
export function sayUnknownTables(
  sinks: readonly StateSink[],
  tables: readonly string[],
  log: Logger,
): void {
  if (sinks.length === 0 || tables.length > 0) return;
  log.warn("The spec does not say which tables are kept, so none is shown; see tables of ksync");
}

/** Follows tables of sinks: every row, then what changes. A sink that cannot be watched is left. */
export function follow(
  sinks: readonly StateSink[],
  tables: readonly string[],
  onRows: (rows: readonly RowReport[]) => void,
  log: Logger,
): Following {
  sayUnknownTables(sinks, tables, log);
  const end = new AbortController();
  const following = sinks.flatMap((sink) =>
    tables.map(async (table) => {
      try {
        for await (const changes of sink.watch?.(table, end.signal) ?? []) {
          onRows(changes.map(({ key, fields }) => ({ table, key, ...(fields && { fields }) })));
        }
      } catch (error) {
        // Looking on is a courtesy: its failure must not become the pipeline's.
        log.warn("The rows cannot be watched any more", { table, error });
      }
    })
  );
  return {
    stop: async () => {
      end.abort();
      await Promise.all(following);
    },
  };
}

/**
 * Reads tables of a sink once.
 *
 * @param pipeline whose sink it is, for the error
 * @param patience how long to wait for the sink, milliseconds
 * @throws {StopError} when the sink is not there in time
 */
export async function readRows(
  sink: StateSink,
  pipeline: string,
  tables: readonly string[],
  patience: number,
): Promise<RowReport[]> {
  const rows: RowReport[] = [];
  sink.open();
  try {
    if (!await isUp(sink, patience)) {
      throw new StopError(
        `A sink of pipeline ${pipeline} did not answer within ${patience / 1000} s, so its rows ` +
          "cannot be shown; the lines above say why",
      );
    }
    for (const table of tables) {
      for await (const { key, fields } of sink.scan(table)) rows.push({ table, key, fields });
    }
  } finally {
    await sink.close();
  }
  return rows;
}

async function isUp({ connection }: StateSink, patience: number): Promise<boolean> {
  if (connection.up) return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const stop = connection.subscribe((event) => {
    if (event === "up") resolve(true);
  });
  const timer = setTimeout(() => resolve(false), patience);
  const result = await promise;
  clearTimeout(timer);
  stop();
  return result;
}
