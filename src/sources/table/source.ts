/**
 * The `table` source: rows of a database as they are, never wrong for long.
 *
 * The table is read as a whole at the start and after every reconnect, which is told as a dump;
 * in between keyspace notifications say what to read again. Where the server sends none the table
 * is read every now and then, and the log says so.
 *
 * @module
 */
import type { ComponentConfig, Context } from "../../core/component.ts";
import type { Batch } from "../../core/change.ts";
import { escapeControls } from "../../core/escape.ts";
import { compileGlobs } from "../../core/glob.ts";
import { LogRate } from "../../core/log_rate.ts";
import type { RowChange, Source } from "../../core/stage.ts";
import type { Counter } from "../../core/telemetry.ts";
import { linkOptions } from "../../sonic/link_options.ts";
import { TableWatch } from "../../sonic/table_watch.ts";
import { readSettings, type TableSettings } from "./settings.ts";
import { shaper } from "./shape.ts";
import { TableRows } from "./table_rows.ts";

/** Between two log lines of one kind, milliseconds. */
const LOG_INTERVAL_MS = 30_000;

/** Starts with `batches`. */
export default function createTableSource(config: ComponentConfig, context: Context): Source {
  return new TableSource(readSettings(config), context);
}

class TableSource implements Source {
  readonly #settings: TableSettings;
  readonly #context: Context;
  readonly #rows: TableRows;
  readonly #watch: TableWatch;
  readonly #matches: (key: string) => boolean;
  readonly #rate = new LogRate(LOG_INTERVAL_MS);
  readonly #changes: Counter;
  readonly #dumps: Counter;
  readonly #losses: Counter;
  readonly #rejected: Counter;
  #wake = () => {};

  constructor(settings: TableSettings, context: Context) {
    const { telemetry } = context;
    this.#settings = settings;
    this.#context = context;
    this.#matches = settings.keys === undefined ? () => true : compileGlobs(settings.keys);
    this.#changes = telemetry.counter("table_changes_total");
    this.#dumps = telemetry.counter("table_dumps_total");
    this.#losses = telemetry.counter("table_lost_total");
    this.#rejected = telemetry.counter("table_rejected_keys_total");
    this.#rows = new TableRows(settings.table, (key) => this.#takes(key), shaper(settings));
    telemetry.gauge("table_rows", () => this.#rows.size);
    this.#watch = new TableWatch({
      link: linkOptions(settings.server, context),
      table: settings.table,
      separator: settings.server.separator,
      scope: "table",
      pollMs: settings.pollMs,
      onRows: (changes, complete) => this.#read(changes, complete),
      onLost: () => this.#lost(),
    });
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop);
    this.#watch.open();
    try {
      while (!signal.aborted) {
        if (!this.#rows.hasNews) await new Promise<void>((resolve) => this.#wake = resolve);
        for (const { changes, mark } of this.#rows.take()) {
          const time = performance.timeOrigin + performance.now();
          this.#changes.value += changes.length;
          if (mark === "dump-end") this.#dumps.value++;
          yield { changes: changes.map((change) => ({ ...change, time })), ...(mark && { mark }) };
          if (signal.aborted) return;
        }
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** A row is the same whoever has it, so nobody waits for receipts. */
  settle(): void {}

  resync(): void {
    this.#rows.wantDump();
    this.#watch.readAgain();
  }

  async close(): Promise<void> {
    await this.#watch.close();
  }

  #read(changes: readonly RowChange[], complete: boolean): void {
    this.#rows.note(changes, complete);
    if (this.#rows.hasNews) this.#wake();
  }

  #lost(): void {
    this.#losses.value++;
    this.#rows.lose();
    if (this.#rows.hasNews) this.#wake();
  }

  #takes(key: string): boolean {
    // Nobody can say such a key to a kernel, a terminal or another table.
    if (key !== "" && escapeControls(key) === key) return this.#matches(key);
    this.#rejected.value++;
    if (this.#rate.pass("key", performance.now()) !== undefined) {
      const { table, server } = this.#settings;
      this.#context.telemetry.log.warn(
        `A row of ${table} in ${server.name} has an empty key or one with control characters, and ` +
          "is left out; delete it",
        { key: escapeControls(key) },
      );
    }
    return false;
  }
}
