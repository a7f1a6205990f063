/**
 * A sink that only says what it would write.
 *
 * @module
 */
import { escapeControls } from "../../core/escape.ts";
import type { Operation, StateSink } from "../../core/stage.ts";
import type { Logger } from "../../core/telemetry.ts";

/** Reads through to the real sink, and prints instead of writing. */
export function dryRun(sink: StateSink, log: Logger): StateSink {
  const { watch } = sink;
  return {
    connection: sink.connection,
    open: () => sink.open(),
    close: () => sink.close(),
    scan: (table) => sink.scan(table),
    ...(watch ? { watch: (table, signal) => watch.call(sink, table, signal) } : {}),
    write: (operations) =>
      Promise.resolve(operations.map((operation) => {
        log.info(`Would ${describeOperation(operation)}`, { port: operation.key });
        return { ok: true };
      })),
  };
}

/** An operation in words: `set Ethernet0 of PORT_TABLE: mtu=9100`. */
export function describeOperation(operation: Operation): string {
  const row = escapeControls(`${operation.key} of ${operation.table}`);
  if (operation.op === "delete") return `delete ${row}`;
  const set = Object.entries(operation.fields).map(([name, value]) => `${name}=${value}`);
  const removed = operation.removed.map((name) => `without ${name}`);
  return `set ${row}: ${escapeControls([...set, ...removed].join(" "))}`;
}
