/**
 * What the engine reports, as lines of the log. The logger bounds their rate.
 *
 * @module
 */
import type { Logger } from "../../core/telemetry.ts";
import { type Entry, nameOf } from "./entry.ts";
import type { Host, ReportKind } from "./machine.ts";

interface Line {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
}

const LINES: Readonly<Record<ReportKind, Line>> = {
  stray: { level: "warn", message: "An event came that means nothing here; it is left out" },
  cycle: {
    level: "warn",
    message: "Rows depend on each other in a circle; they wait until one of them changes",
  },
  failed: {
    level: "error",
    message: "A row cannot be written; it is set aside until its value changes or it is retried",
  },
  // The sink says itself, at its own rate, what it could not write.
  retry: { level: "debug", message: "A row could not be written; it is tried again" },
  held: { level: "warn", message: "A row cannot be deleted while others need it; it waits" },
  index: { level: "error", message: "No number is free for a row; it waits for one" },
  misuse: { level: "error", message: "A change makes no sense here; it is refused" },
  damped: {
    level: "warn",
    message: "A row changes too often; its writes are held back until it is quiet",
  },
  drift: { level: "warn", message: "Somebody else has changed a row; it is put right" },
  unswept: { level: "warn", message: "The source has not named all of its rows in time" },
};

/** Writes reports to a log. */
export function reporter(log: Logger): NonNullable<Host["report"]> {
  return (kind: ReportKind, entry: Entry | undefined, describe: () => string) => {
    const { level, message } = LINES[kind];
    const detail = describe();
    log[level](message, entry === undefined ? { detail } : { key: nameOf(entry), detail });
  };
}
