/**
 * Line and branch coverage of the C library, from gcov, against the list of exceptions.
 *
 * @module
 */

/** A line of the library that no test reached, or a branch that none took. */
export interface Gap {
  readonly file: string;
  readonly line: number;
  /** The line's text, without white space around it. */
  readonly text: string;
  readonly what: "line" | "branch";
}

/** A gap that is explained: a row of the table in `c/COVERAGE-EXCEPTIONS.md`. */
export interface Exception {
  readonly file: string;
  readonly text: string;
  /** `race`: a line or branch that is reached now and then, as threads happen to meet. */
  readonly what: "line" | "branch" | "race";
  readonly why: string;
}

/** Coverage of one file. */
export interface FileCoverage {
  readonly file: string;
  readonly lines: number;
  readonly linesHit: number;
  readonly branches: number;
  readonly branchesHit: number;
  readonly gaps: readonly Gap[];
}

/** Counts of one source line, added up over the programs that hold it. */
interface Line {
  count: number;
  branches: number[];
}

/**
 * Adds up what gcov says of the library's files in several outputs of `gcov --json-format`.
 *
 * @param outputs JSON texts, one for each object file
 * @param sources text of each file of the library by its name, such as `netlink.c`
 */
export function readCoverage(
  outputs: readonly string[],
  sources: ReadonlyMap<string, string>,
): FileCoverage[] {
  const files = new Map<string, Map<number, Line>>();
  for (const output of outputs) {
    for (const { name, lines } of readOutput(output)) {
      if (!sources.has(name)) continue;
      const known = files.get(name) ?? new Map<number, Line>();
      files.set(name, known);
      for (const { number, count, branches } of lines) {
        const line = known.get(number) ?? { count: 0, branches: [] };
        known.set(number, line);
        line.count += count;
        branches.forEach((taken, index) => {
          line.branches[index] = (line.branches[index] ?? 0) + taken;
        });
      }
    }
  }
  return [...files].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([file, lines]) => summarise(file, lines, sources.get(file) ?? ""));
}

function summarise(file: string, lines: ReadonlyMap<number, Line>, source: string): FileCoverage {
  const texts = source.split("\n").map((text) => text.trim());
  const gaps: Gap[] = [];
  let branches = 0;
  let branchesHit = 0;
  for (const [line, counts] of lines) {
    const text = texts[line - 1] ?? "";
    branches += counts.branches.length;
    branchesHit += counts.branches.filter((taken) => taken > 0).length;
    if (counts.count === 0) gaps.push({ file, line, text, what: "line" });
    else if (counts.branches.some((taken) => taken === 0)) {
      gaps.push({ file, line, text, what: "branch" });
    }
  }
  return {
    file,
    lines: lines.size,
    linesHit: [...lines.values()].filter(({ count }) => count > 0).length,
    branches,
    branchesHit,
    gaps,
  };
}

/**
 * Reads the table of exceptions: `| file | what | text | why |`, file and text in backquotes.
 *
 * @throws {SyntaxError} for a row that is not of this form or gives no reason
 */
export function readExceptions(markdown: string): Exception[] {
  const rows = markdown.split("\n").filter((row) => row.startsWith("| `"));
  return rows.map((row) => {
    const cells = row.split(/(?<!\\)\|/).slice(1, -1).map((cell) =>
      cell.trim().replace(/^`(.*)`$/, "$1").replaceAll("\\|", "|")
    );
    const [file = "", what, text = "", why = "", ...more] = cells;
    if (
      file === "" || text === "" || more.length > 0 ||
      (what !== "line" && what !== "branch" && what !== "race")
    ) {
      throw new SyntaxError(`This row explains no gap: ${row}`);
    }
    if (why.length < 10) throw new SyntaxError(`This row gives no reason: ${row}`);
    return { file, what, text, why };
  });
}

/** What is neither covered nor explained, and what is explained and yet covered. */
export function compare(
  coverage: readonly FileCoverage[],
  exceptions: readonly Exception[],
): { readonly gaps: Gap[]; readonly idle: Exception[] } {
  const idle = new Set(exceptions.filter(({ what }) => what !== "race"));
  const gaps = coverage.flatMap(({ gaps }) => gaps).filter((gap) => {
    const explained = exceptions.filter(({ file, text, what }) =>
      file === gap.file && text === gap.text && (what === gap.what || what === "race")
    );
    for (const exception of explained) idle.delete(exception);
    return explained.length === 0;
  });
  return { gaps, idle: [...idle] };
}

interface GcovFile {
  readonly name: string;
  readonly lines: readonly { number: number; count: number; branches: number[] }[];
}

/** Narrows the JSON of gcov 12 and later to what is used here. */
function readOutput(output: string): GcovFile[] {
  return list(field(JSON.parse(output), "files")).map((file) => ({
    name: String(field(file, "file")).replace(/^.*\//, ""),
    lines: list(field(file, "lines")).map((line) => ({
      number: Number(field(line, "line_number")),
      count: Number(field(line, "count")),
      branches: list(field(line, "branches")).map((branch) => Number(field(branch, "count"))),
    })),
  }));
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
