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
  let brackets = 0;
  let dots = 0;
  let signs = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    switch (sign) {
      case "#":
        at = lineEnd(text, at) - 1;
        continue;
      case '"':
      case "'":
        at = stringEnd(text, at, sign) - 1;
        continue;
      case ".":
        if (++dots >= LIMITS.depth) return tooDeep(at);
        break;
      case "[":
      case "{":
        dots = 0;
        if (++brackets > LIMITS.depth) return tooDeep(at);
        break;
      case "]":
      case "}":
        brackets = Math.max(brackets - 1, 0);
        dots = 0;
        break;
      case "\n":
      case ",":
      case "=":
        dots = 0;
        break;
      default:
        continue;
    }
    if (++signs > LIMITS.lexemes) {
      return { offset: at, message: `The file has more than ${LIMITS.lexemes} entries and signs` };
    }
  }
  return undefined;
}

function tooDeep(offset: number): Excess {
  return { offset, message: `Nested deeper than ${LIMITS.depth} levels` };
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
