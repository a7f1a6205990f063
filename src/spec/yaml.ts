/**
 * Reads YAML 1.2 into a tree, with every syntax error and its place.
 *
 * The text is read in bounded steps: the lexer's parts are counted and the parser's depth is
 * watched, so that neither deep nesting nor a bomb of aliases is ever built.
 *
 * @module
 */
import type { Composer, Document, Lexer, Parser, YAMLParseError } from "yaml";
import { type Complaint, inOrder, SpecError } from "./errors.ts";
import type { Parsed } from "./parsed.ts";
import type { SourceText, Spot } from "./source_text.ts";
import { LIMITS } from "./tree.ts";
import { YamlLocator } from "./yaml_locator.ts";
import { readYamlTree, type YamlTests } from "./yaml_tree.ts";

/** What is used of the library. */
interface Library extends YamlTests {
  readonly Composer: typeof Composer;
  readonly Lexer: typeof Lexer;
  readonly Parser: typeof Parser;
}

type Token = ReturnType<Parser["end"]> extends Generator<infer T> ? T : never;

/**
 * Reads one YAML document.
 *
 * @throws {SpecError} with every syntax error
 */
export async function parseYaml(source: SourceText): Promise<Parsed> {
  const library: Library = await loadYaml();
  const { tokens, open } = tokenize(library, source);
  const composer = new library.Composer({
    keepSourceTokens: false,
    prettyErrors: false,
    uniqueKeys: false,
    resolveKnownTags: false,
    schema: "core",
    merge: false,
  });
  const documents = [...composer.compose(tokens, true, source.text.length)];
  const complaints: Complaint[] = [];
  for (const document of documents) {
    for (const error of [...document.errors, ...document.warnings]) {
      complaints.push(describe(source, error, open));
    }
  }
  const [document, second] = documents;
  if (second !== undefined) complaints.push(secondDocument(source, second));
  if (complaints.length > 0) throw new SpecError(firstOfEachLine(complaints));
  const contents = document?.contents ?? null;
  const { tree, targets } = readYamlTree(library, source, contents);
  return {
    source,
    tree,
    locator: () => Promise.resolve(new YamlLocator(library, contents, targets, source)),
  };
}

/**
 * Loads the library. Run from the sources, its build of standard modules is taken, which stands
 * beside the CommonJS one that Deno picks: it loads in 4 ms instead of 26 ms, and this is on the
 * way of every start. A bundle has the right one in it already.
 */
async function loadYaml(): Promise<Library> {
  if (import.meta.url.endsWith(".ts")) {
    try {
      const module: Library = await import(
        new URL("../browser/dist/index.js", import.meta.resolve("yaml")).href
      );
      return module;
    } catch {
      // It may not be read, or stands elsewhere.
    }
  }
  return await import("yaml");
}

/** Brackets and quotes that were never closed: the library only points at the end of the text. */
interface Open {
  readonly brackets: readonly number[];
  readonly quote: Spot | undefined;
}

function tokenize(
  library: Library,
  source: SourceText,
): { readonly tokens: Token[]; readonly open: Open } {
  const parser = new library.Parser();
  const tokens: Token[] = [];
  const brackets: number[] = [];
  let quote: Spot | undefined;
  let offset = 0;
  let count = 0;
  for (const lexeme of new library.Lexer().lex(source.text)) {
    if (lexeme === "{" || lexeme === "[") brackets.push(offset);
    else if (lexeme === "}" || lexeme === "]") brackets.pop();
    else if (lexeme[0] === '"' || lexeme[0] === "'") {
      quote = { start: offset, end: offset + lexeme.length };
    }
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (collections(parser) > LIMITS.depth) {
      throw overLimit(source, offset, `Nested deeper than ${LIMITS.depth} levels`);
    }
    if (++count > LIMITS.lexemes) {
      throw overLimit(source, offset, `The file has more than ${LIMITS.lexemes} words and signs`);
    }
    if (!CONTROL.has(lexeme)) offset += lexeme.length;
  }
  for (const token of parser.end()) tokens.push(token);
  return { tokens, open: { brackets, quote } };
}

/** How many collections are open: what is below them is the document, above them a scalar. */
function collections(parser: Parser): number {
  const type = parser.stack.at(-1)?.type ?? "";
  const inside = type === "flow-collection" || type === "block-map" || type === "block-seq";
  return parser.stack.length - (inside ? 1 : 2);
}

/** Lexemes that stand for no text: byte order mark, document, flow end, scalar. */
const CONTROL: ReadonlySet<string> = new Set(["\ufeff", "\u0002", "\u0018", "\u001f"]);

function overLimit(source: SourceText, offset: number, message: string): SpecError {
  return new SpecError([source.complain({ start: offset, end: offset + 1 }, message)]);
}

function secondDocument(source: SourceText, document: Document.Parsed): Complaint {
  const start = Math.max(source.text.lastIndexOf("---", document.range[0]), 0);
  return source.complain(
    { start, end: start + 3 },
    "A second document begins here, and a spec is one document",
  );
}

function describe(source: SourceText, error: YAMLParseError, open: Open): Complaint {
  const [start, end] = error.pos;
  const { message } = error;
  if (message.startsWith("Missing closing") && open.quote !== undefined) {
    const spot = { start: open.quote.start, end: open.quote.start + 1 };
    return source.complain(spot, "This quote is never closed");
  }
  const bracket = open.brackets.at(-1);
  if (/ end with a [}\]]/.test(message) && bracket !== undefined) {
    const spot = { start: bracket, end: bracket + 1 };
    return source.complain(spot, "This bracket is never closed");
  }
  // Some messages end in what stands in the file, which may be a full stop.
  return source.complain({ start, end }, reword(error).replace(/\S*\.$/, '"$&"'));
}

/** What follows in the line of an error is mostly the same error, seen again. */
function firstOfEachLine(complaints: readonly Complaint[]): Complaint[] {
  return inOrder(complaints).filter(({ line }, index, all) => line !== all[index - 1]?.line);
}

/** The library's words where they say what to do, others where they speak of its insides. */
function reword(error: YAMLParseError): string {
  const { code, message } = error;
  switch (code) {
    case "TAB_AS_INDENT":
      return "A tab cannot indent in YAML; use spaces";
    case "BAD_INDENT":
      return message.startsWith("All") ? `${message}; check the indentation` : message;
    case "BLOCK_AS_IMPLICIT_KEY":
      return message.startsWith("Nested")
        ? "A second colon in one line; quote the text, or put it into a line of its own"
        : "A list cannot be a key";
    case "MULTILINE_IMPLICIT_KEY":
      return "A key without a colon behind it, or one that goes over several lines";
    case "BAD_SCALAR_START":
      return `${message.replace("Plain value cannot start", "A text without quotes cannot start")}`;
    case "TAG_RESOLVE_FAILED":
      return "Tags have no meaning in a spec";
    case "MISSING_CHAR":
      if (message.startsWith("Implicit map keys")) return "A colon is missing behind this key";
      return message;
    case "UNEXPECTED_TOKEN":
      return message.replace("block-seq-ind", "-").replace("block-map", "mapping")
        .replace("flow-error-end", "bracket").replace(/ token\b/, "");
    default:
      return message;
  }
}
