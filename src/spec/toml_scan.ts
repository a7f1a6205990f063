/**
 * Looks over a TOML text before a parser sees it, so that no parser meets a text that would take
 * it long: how deep brackets and dotted keys go, and how many signs there are.
 *
 * @module
 */
import { LIMITS } from "./tree.ts";

/** Where a text goes over a limit. */
export interface Excess {
  readonly offset: number;
  readonly message: string;
}

/** The first place that goes over a limit. A text that is no TOML is left to the parser. */
export function scanToml(text: string): Excess | undefined {
  const brackets: number[] = [];
  let dots = 0;
  let signs = 0;
  for (const { offset, sign } of signsOf(text)) {
    if (sign === ".") dots++;
    else dots = 0;
    if (sign === "[" || sign === "{") brackets.push(offset);
    else if (sign === "]" || sign === "}") brackets.pop();
    if (dots >= LIMITS.depth || brackets.length > LIMITS.depth) {
      return { offset, message: `Nested deeper than ${LIMITS.depth} levels` };
    }
    if (++signs > LIMITS.lexemes) {
      return { offset, message: `The file has more than ${LIMITS.lexemes} entries and signs` };
    }
  }
  return undefined;
}

/** The bracket and the quote that are open at an offset, where there are any. */
export function openAt(
  text: string,
  end: number,
): { readonly bracket: number | undefined; readonly quote: number | undefined } {
  const brackets: number[] = [];
  let last: Sign | undefined;
  for (const sign of signsOf(text)) {
    if (sign.offset >= end) break;
    if (sign.sign === "[" || sign.sign === "{") brackets.push(sign.offset);
    else if (sign.sign === "]" || sign.sign === "}") brackets.pop();
    last = sign;
  }
  const quote = last?.sign === '"' || last?.sign === "'" ? last : undefined;
  const open = quote !== undefined && end <= quote.end ? quote.offset : undefined;
  return { bracket: brackets.at(-1), quote: open };
}

/** A sign that shapes a text; a string is one, from its first quote to behind its last. */
interface Sign {
  readonly sign: string;
  readonly offset: number;
  readonly end: number;
}

function* signsOf(text: string): Generator<Sign, void> {
  const signs = /[#"'.[\]{}\n,=]/g;
  for (let found = signs.exec(text); found !== null; found = signs.exec(text)) {
    const offset = found.index;
    const [sign] = found;
    if (sign === "#") signs.lastIndex = lineEnd(text, offset);
    else if (sign === '"' || sign === "'") signs.lastIndex = stringEnd(text, offset, sign);
    if (sign !== "#") yield { sign, offset, end: signs.lastIndex };
  }
}

function lineEnd(text: string, from: number): number {
  const newline = text.indexOf("\n", from);
  return newline < 0 ? text.length : newline;
}

/** The offset behind a string. One in single lines ends at the line's end at the latest. */
function stringEnd(text: string, start: number, mark: '"' | "'"): number {
  const long = text.startsWith(mark.repeat(3), start);
  const close = long ? mark.repeat(3) : mark;
  for (let at = start + close.length; at < text.length; at++) {
    if (mark === '"' && text[at] === "\\") at++;
    else if (text.startsWith(close, at)) return at + close.length;
    else if (!long && text[at] === "\n") return at;
  }
  return text.length;
}
