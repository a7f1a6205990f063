/**
 * A table that is redrawn in place, with lines of text above it; or plain lines where nobody looks.
 *
 * @module
 */
import type { RowReport } from "../runtime/protocol.ts";
import type { Output } from "./command.ts";
import { rowLine, RowTable } from "./row_table.ts";

/** The shortest time between two pictures, milliseconds. */
const FRAME_MS = 100;

/** Shows rows as they change. */
export interface Screen extends Disposable {
  /** Takes rows as the sinks of a pipeline hold them now. */
  rows(pipeline: string, rows: readonly RowReport[]): void;
  /** Prints text, with its line ends, so that the table stays whole. */
  text(text: string): void;
}

/**
 * A screen for an output: a live table on a terminal, one line for each change elsewhere.
 *
 * @param log where text goes when there is no terminal, since the rows are the result
 * @param options `json` for one object a line, also on a terminal
 */
export function openScreen(
  out: Output,
  log: Output,
  options: { readonly json?: boolean } = {},
): Screen {
  if (options.json) return new PlainScreen(out, log, JSON.stringify);
  return out.terminal ? new LiveScreen(out, log) : new PlainScreen(out, log, rowLine);
}

class PlainScreen implements Screen {
  readonly #out: Output;
  readonly #log: Output;
  readonly #format: (row: RowReport) => string;

  constructor(out: Output, log: Output, format: (row: RowReport) => string) {
    this.#out = out;
    this.#log = log;
    this.#format = format;
  }

  rows(_pipeline: string, rows: readonly RowReport[]): void {
    this.#out.write(rows.map((row) => this.#format(row) + "\n").join(""));
  }

  text(text: string): void {
    this.#log.write(text);
  }

  [Symbol.dispose](): void {}
}

class LiveScreen implements Screen {
  readonly #out: Output;
  readonly #log: Output;
  readonly #table = new RowTable();
  #text = "";
  /** How many lines of the last picture stand above the cursor. */
  #height = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(out: Output, log: Output) {
    this.#out = out;
    this.#log = log;
  }

  rows(pipeline: string, rows: readonly RowReport[]): void {
    for (const row of rows) this.#table.take(pipeline, row);
    this.#schedule();
  }

  text(text: string): void {
    // A log that goes to a file stays out of the picture.
    if (!this.#log.terminal) return this.#log.write(text);
    this.#text += text;
    this.#schedule();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#draw();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#draw(), FRAME_MS);
  }

  #draw(): void {
    this.#timer = undefined;
    const { columns, rows } = terminalSize();
    const lines = this.#table.lines(this.#out.paint, { columns, rows: rows - 2 });
    const back = this.#height === 0 ? "" : `\x1b[${this.#height}A`;
    this.#out.write(`${back}\r\x1b[J${this.#text}${lines.map((line) => line + "\n").join("")}`);
    this.#text = "";
    this.#height = lines.length;
  }
}

/** A size for terminals that do not tell theirs: a pseudo-terminal without one says 0 by 0. */
const USUAL = { columns: 100, rows: 30 };

/** The size of the terminal; a usual one where it cannot be told. */
export function terminalSize(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    if (columns === 0 || rows === 0) return USUAL;
    return { columns: Math.max(columns, 20), rows: Math.max(rows, 5) };
  } catch {
    return USUAL;
  }
}
