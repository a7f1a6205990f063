/**
 * What is wrong with a spec, and where.
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";

/** One thing that is wrong, with its place. */
export interface Complaint {
  /** The spec's file as the operator named it, or `--set`. */
  readonly file: string;
  /** From 1; for `--set` the number of the argument. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** For example `pipelines.port-sync.sinks[0].url`; empty where the text is no tree yet. */
  readonly path: string;
  /** One sentence without a full stop, for the operator. Never holds a secret. */
  readonly message: string;
  /** The word that was probably meant. */
  readonly suggestion?: string;
  /** The line, safe for a terminal, and where in it the caret belongs; none for an empty file. */
  readonly excerpt?: Excerpt;
}

/** One line of a spec, ready to be printed. */
export interface Excerpt {
  readonly text: string;
  /** How many characters stand before the caret. */
  readonly before: number;
  /** How many carets. */
  readonly width: number;
}

/** How many complaints are printed; the rest is counted. */
export const MOST_PRINTED = 50;

/**
 * Thrown with all that is wrong with a spec. The message is what the operator reads, without a
 * stack trace; the process ends with exit code 78.
 */
export class SpecError extends SyntaxError {
  override readonly name = "SpecError";
  readonly exitCode: number = ExitCode.config;
  /** In the order of the text. At least one. */
  readonly complaints: readonly Complaint[];

  constructor(complaints: readonly Complaint[], options: ErrorOptions = {}) {
    super(render(complaints), options);
    this.complaints = complaints;
  }
}

/** Sorts complaints by their place and leaves out what is said twice of the same place. */
export function inOrder(complaints: readonly Complaint[]): Complaint[] {
  const rank = ({ file }: Complaint) => file === "--set" ? 1 : 0;
  const sorted = complaints.toSorted((a, b) =>
    rank(a) - rank(b) || a.line - b.line || a.column - b.column
  );
  return sorted.filter((complaint, index) => {
    const before = sorted[index - 1];
    return before?.line !== complaint.line || before.column !== complaint.column ||
      before.file !== complaint.file || before.message !== complaint.message;
  });
}

/** All complaints as text. */
function render(complaints: readonly Complaint[]): string {
  const shown = complaints.slice(0, MOST_PRINTED).map(renderComplaint);
  const more = complaints.length - shown.length;
  if (more > 0) shown.push(`… and ${more} more`);
  return shown.join("\n");
}

/** One complaint as text: place and message, then path and excerpt. */
export function renderComplaint(complaint: Complaint): string {
  const { file, line, column, message, suggestion, path, excerpt } = complaint;
  const meant = suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
  const lines = [`${file}:${line}:${column}: ${message}${meant}`];
  if (path !== "") lines.push(`  at ${path}`);
  if (excerpt !== undefined) {
    const number = String(line);
    const margin = " ".repeat(number.length);
    const before = blank(excerpt.text, excerpt.before);
    lines.push(`  ${number} | ${excerpt.text}`);
    lines.push(`  ${margin} | ${before}${"^".repeat(excerpt.width)}`);
  }
  return lines.join("\n");
}

/** White space as wide as the start of the line: tabs stay tabs. */
function blank(text: string, characters: number): string {
  return Array.from(text).slice(0, characters).map((c) => c === "\t" ? c : " ").join("");
}
