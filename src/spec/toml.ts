/**
 * Reads TOML into a tree.
 *
 * @module
 */
import { type Complaint, SpecError } from "./errors.ts";
import type { Parsed } from "./parsed.ts";
import { quote } from "./printable.ts";
import type { SourceText, Spot } from "./source_text.ts";
import { openAt, scanToml } from "./toml_scan.ts";
import { firstExcess, formatPath, LIMITS } from "./tree.ts";

/** How many wrong values are looked for behind the first. */
const MOST_ERRORS = 20;

/**
 * Reads one TOML document.
 *
 * @throws {SpecError} with the syntax errors: the first, and those of later lines where leaving out
 * the line of the first cannot have caused them
 */
export async function parseToml(source: SourceText): Promise<Parsed> {
  const excess = scanToml(source.text);
  if (excess !== undefined) {
    const spot = { start: excess.offset, end: excess.offset + 1 };
    throw new SpecError([source.complain(spot, excess.message)]);
  }
  const { parse, TomlError } = await import("smol-toml");
  let text = source.text;
  let tree: unknown;
  const complaints: Complaint[] = [];
  while (complaints.length < MOST_ERRORS) {
    try {
      tree = parse(text, { maxDepth: LIMITS.depth });
      break;
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const start = source.offset(error.line, error.column);
      const last = complaints.at(-1);
      if (last !== undefined && error.line <= last.line) break;
      complaints.push(describe(source, start, error.message));
      const without = leaveOut(text, source, error.line);
      if (without === undefined) break;
      text = without;
    }
  }
  if (complaints.length > 0) throw new SpecError(complaints);
  return await bounded(source, tree);
}

/** Blanks a line that holds one entry from start to end, so that the lines behind it can be read. */
function leaveOut(text: string, source: SourceText, line: number): string | undefined {
  const start = source.offset(line, 1);
  const newline = text.indexOf("\n", start);
  const end = newline < 0 ? text.length : newline;
  const content = text.slice(start, end);
  if (!/^\s*[\w.-]+\s*=[^[{"']*$/.test(content)) return undefined;
  return text.slice(0, start) + " ".repeat(end - start) + text.slice(end);
}

/** Looks for what the parser takes and a spec does not: too much, too deep, a harmful key. */
async function bounded(source: SourceText, tree: unknown): Promise<Parsed> {
  const locator = async () => {
    const { readTomlPlaces } = await import("./toml_locator.ts");
    return readTomlPlaces(source);
  };
  const found = firstExcess(tree);
  if (found !== undefined) {
    const { spot } = (await locator()).find(found.path, "key");
    const path = formatPath(found.path.slice(0, 8));
    throw new SpecError([source.complain(spot, found.message, { path })]);
  }
  return { source, tree, locator };
}

/** The parser's words begin with a title and end with an excerpt of its own. */
function describe(source: SourceText, start: number, message: string): Complaint {
  const words = (message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
  const rest = source.text.slice(start, start + 200);
  const open = openAt(source.text, start);
  if (words.startsWith("control characters") && open.quote !== undefined) {
    return source.complain(signAt(open.quote), "This quote is never closed");
  }
  // Inside of a bracket no line begins with a table or with key = value.
  const atLineStart = start === 0 || source.text[start - 1] === "\n";
  const isEntry = /^(\[|[\w.-]+[ \t]*=)/.test(rest);
  if (words.startsWith("expected comma") && open.bracket !== undefined && atLineStart && isEntry) {
    return source.complain(signAt(open.bracket), "This bracket is never closed");
  }
  const word = /^[\w.-]+/.exec(rest)?.[0] ?? rest.slice(0, 1);
  return source.complain({ start, end: start + Math.max(word.length, 1) }, reword(words, word));
}

function signAt(offset: number): Spot {
  return { start: offset, end: offset + 1 };
}

function reword(words: string, word: string): string {
  if (words.includes("redefine")) return `${quote(word)} is given twice`;
  if (words === "invalid value" && /^[A-Za-z$]/.test(word)) {
    return `Expected a value; text stands in quotes in TOML: ${quote(word)}`;
  }
  if (words === "illegal character in key" && word === "\n") {
    return "Expected ] or = before the end of the line";
  }
  const [, better] = WORDS.find(([start]) => words.startsWith(start)) ?? [];
  return better ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/** The parser's words, by how they begin, in words that say what to do. */
const WORDS: readonly (readonly [start: string, better: string])[] = [
  ["invalid value", "Expected a value behind the equals sign"],
  ["unfinished string", "This quote is never closed"],
  ["unfinished array", "This bracket is never closed"],
  ["unfinished table", "This brace is never closed"],
  ["unfinished numeric", "This number breaks off"],
  ["integer value", "This number is too large"],
  ["illegal leading zero", "A number does not begin with 0; text stands in quotes"],
  ["illegal empty bare key", "Expected a key before the equals sign"],
  ["incomplete key-value", "Expected key = value"],
  ["each key-value", "Expected the end of the line; one entry stands in a line"],
  ["unexpected end of key", "Expected ] at the end of this name"],
  ["expected end of table array", "Expected ]] at the end of this name"],
  ["expected comma", "Expected a comma or the closing bracket"],
  ["unrecognised escape", "No such escape; a plain backslash is written twice"],
  ["illegal character in key", "A key with this character stands in quotes"],
];
