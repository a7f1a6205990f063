/**
 * A log line as plain data: what a pipeline's process sends to its supervisor, which prints it.
 *
 * @module
 */

/** How important a line is, the least important first. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of `LEVELS`. */
export type Level = typeof LEVELS[number];

/** One line for the operator. It is plain JSON. */
export interface LogRecord {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** How important it is. */
  readonly level: Level;
  /** The pipeline that speaks; none for the supervisor itself. */
  readonly pipeline?: string;
  /** One sentence, as the code has it. */
  readonly message: string;
  /** Values for machines: `port`, `error`, numbers. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /** How many lines like this one were left out since the last. */
  readonly suppressed?: number;
}

/** Whether a word names a level. */
export function isLevel(word: unknown): word is Level {
  return LEVELS.some((level) => level === word);
}

/** Whether a line of `level` is wanted when `least` is the least important. */
export function isWanted(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

const LONGEST_TEXT = 2000;
const MOST_ENTRIES = 50;

/**
 * Values as JSON can carry them, short enough for a log: errors become their message with that of
 * their cause, big integers text, and what is too long or too deep is cut.
 */
export function plain(value: unknown, depth = 3): unknown {
  if (typeof value === "string") {
    return value.length > LONGEST_TEXT ? value.slice(0, LONGEST_TEXT) + "…" : value;
  }
  if (typeof value === "bigint") return value.toString();
  if (value === null || value === undefined) return null;
  if (typeof value !== "object") {
    return typeof value === "number" || typeof value === "boolean" ? value : String(value);
  }
  if (value instanceof Error) return plain(errorText(value));
  if (depth === 0) return "…";
  if (Array.isArray(value)) {
    return value.slice(0, MOST_ENTRIES).map((entry) => plain(entry, depth - 1));
  }
  return plainProperties(value, depth);
}

/** The properties of a line as plain JSON. */
export function plainProperties(value: object, depth = 3): Record<string, unknown> {
  const entries = Object.entries(value).slice(0, MOST_ENTRIES);
  return Object.fromEntries(entries.map(([key, entry]) => [key, plain(entry, depth - 1)]));
}

/** An error and what it came from, as one line without a stack. */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  let next = error;
  for (let depth = 0; depth < 4 && next !== undefined; depth++) {
    const text = next instanceof Error ? next.message || next.name : String(next);
    // A wrapping error often quotes its cause; once is enough.
    if (!parts.some((part) => part.includes(text))) parts.push(text);
    next = next instanceof Error ? next.cause : undefined;
  }
  return parts.join(": ");
}
