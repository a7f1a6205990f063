/**
 * The text of a spec: from bytes, with lines and columns, and excerpts that a terminal can take.
 *
 * @module
 */
import { type Complaint, type Excerpt, SpecError } from "./errors.ts";
import { hideControls, maskSecrets } from "./printable.ts";
import { LIMITS } from "./tree.ts";

/** The two notations. */
export type Notation = "yaml" | "toml";

/** A stretch of the text, in UTF-16 units. */
export interface Spot {
  readonly start: number;
  readonly end: number;
}

/** How wide an excerpt may be, in characters. */
const WIDEST = 110;

/** A text with its name, which turns offsets into complaints. */
export class SourceText {
  /** The name as the operator gave it. */
  readonly file: string;
  readonly text: string;
  #starts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** Line and column of an offset, both from 1; columns count characters. */
  at(offset: number): { readonly line: number; readonly column: number } {
    const starts = this.#lineStarts();
    const bounded = Math.min(Math.max(offset, 0), this.text.length);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= bounded) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: length(this.text.slice(starts[low] ?? 0, bounded)) + 1 };
  }

  /** The offset of a line and column, both from 1; columns count UTF-16 units. */
  offset(line: number, column: number): number {
    return Math.min(
      (this.#lineStarts()[line - 1] ?? this.text.length) + column - 1,
      this.text.length,
    );
  }

  /** A complaint about a stretch of the text. */
  complain(
    spot: Spot,
    message: string,
    options: { readonly path?: string; readonly suggestion?: string | undefined } = {},
  ): Complaint {
    const { line, column } = this.at(spot.start);
    const { path = "", suggestion } = options;
    return {
      file: hideControls(this.file),
      line,
      column,
      path,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(this.text === "" ? {} : { excerpt: this.#excerpt(line, column, spot) }),
    };
  }

  #excerpt(line: number, column: number, spot: Spot): Excerpt {
    const starts = this.#lineStarts();
    const start = starts[line - 1] ?? 0;
    const end = (starts[line] ?? this.text.length + 1) - 1;
    const whole = maskSecrets(this.text.slice(start, end).replace(/\r$/, ""));
    const characters = Array.from(whole);
    const rest = Math.max(characters.length - (column - 1), 1);
    const width = Math.min(Math.max(length(this.text.slice(spot.start, spot.end)), 1), rest);
    if (characters.length <= WIDEST) {
      return { text: hideControls(whole), before: column - 1, width };
    }
    const from = Math.max(0, Math.min(column - 1 - 30, characters.length - WIDEST + 2));
    const shown = characters.slice(from, from + WIDEST - 2).join("");
    const lead = from > 0 ? "…" : "";
    return {
      text: hideControls(`${lead}${shown}…`),
      before: column - 1 - from + lead.length,
      width: Math.min(width, WIDEST - 2 - (column - 1 - from)),
    };
  }

  #lineStarts(): number[] {
    if (this.#starts === undefined) {
      const starts = [0];
      for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) {
        starts.push(at + 1);
      }
      this.#starts = starts;
    }
    return this.#starts;
  }
}

/**
 * Takes the bytes of a spec as text.
 *
 * @throws {SpecError} when they are too many, no UTF-8, or hold control characters
 */
export function decodeSpec(file: string, bytes: Uint8Array): SourceText {
  if (bytes.length > LIMITS.bytes) throw tooLarge(file, bytes.length);
  const text = decodeUtf8(file, bytes);
  const source = new SourceText(file, text);
  // deno-lint-ignore no-control-regex -- these are what is looked for
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    throw single(
      source,
      control.index,
      `The file holds the control character U+${code}; is it text?`,
    );
  }
  return source;
}

/** The error of a file that has more bytes than a spec may have. */
export function tooLarge(file: string, bytes: number): SpecError {
  const kib = Math.ceil(bytes / 1024);
  const message = `The file has ${kib} KiB, and a spec has at most ${LIMITS.bytes / 1024}`;
  return single(new SourceText(file, ""), 0, message);
}

function decodeUtf8(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const good = validPrefix(bytes);
    const head = new TextDecoder().decode(bytes.subarray(0, good));
    const source = new SourceText(file, head + "\ufffd");
    const marked = (bytes[0] === 0xff && bytes[1] === 0xfe) ||
      (bytes[0] === 0xfe && bytes[1] === 0xff);
    const hex = (bytes[good] ?? 0).toString(16).padStart(2, "0");
    throw single(
      source,
      head.length,
      marked
        ? "The file is UTF-16; save it as UTF-8"
        : `The file is not UTF-8: byte 0x${hex} belongs to no character`,
    );
  }
}

/** How many bytes from the start are UTF-8, by halving: a prefix that ends within a character is. */
function validPrefix(bytes: Uint8Array): number {
  const fine = (end: number) => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (fine(middle)) low = middle;
    else high = middle - 1;
  }
  // The bytes before the bad one may have begun a character that it broke off.
  while (low > 0 && !whole(bytes.subarray(0, low))) low--;
  return low;
}

function whole(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function single(source: SourceText, offset: number, message: string): SpecError {
  return new SpecError([source.complain({ start: offset, end: offset + 1 }, message)]);
}

/** Characters, not UTF-16 units. */
function length(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
