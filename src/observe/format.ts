/**
 * Log records as lines of text.
 *
 * @module
 */
import { escapeControls } from "../core/escape.ts";
import type { Level, LogRecord } from "./record.ts";

/** Colours a piece of a line; the identity where there is no colour. */
export type Tint = (level: Level | "dim", text: string) => string;

const LEVEL_WORDS = {
  debug: "DEBUG",
  info: "INFO ",
  warn: "WARN ",
  error: "ERROR",
} as const satisfies Record<Level, string>;

/**
 * One record for people, without the end of the line. Control characters from outside are escaped.
 *
 * @example `2025-11-21T08:00:00.000Z WARN  port-sync: Redis is away (attempt=3)`
 */
export function formatText(record: LogRecord, tint: Tint = (_, text) => text): string {
  const { time, level, pipeline, message, properties = {}, suppressed } = record;
  const speaker = pipeline === undefined ? "" : `${pipeline}: `;
  const details = Object.entries(properties).map(([key, value]) => `${key}=${valueText(value)}`);
  if (suppressed !== undefined) details.push(`${suppressed} more like this`);
  const tail = details.length === 0 ? "" : tint("dim", escapeControls(` (${details.join(", ")})`));
  return `${tint("dim", new Date(time).toISOString())} ${tint(level, LEVEL_WORDS[level])} ` +
    escapeControls(speaker + message) + tail;
}

function valueText(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value) ?? "";
  return /^[^\s",=()]+$/.test(value) ? value : JSON.stringify(value);
}
