/**
 * Compares a coverage report with the exceptions that have a reason.
 *
 * @module
 */

/** One file of a report. */
export interface FileCoverage {
  readonly path: string;
  /** How many lines and branches there are. */
  readonly lines: number;
  readonly branches: number;
  /** Numbers of lines that never ran, from 1, ascending. */
  readonly missedLines: readonly number[];
  /** Numbers of lines that hold a branch that never ran. */
  readonly missedBranches: readonly number[];
}

/** A place that cannot be covered; it is found by its code, so that edits elsewhere do no harm. */
export interface Exception {
  readonly path: string;
  /** A piece of the first line that is not covered. */
  readonly code: string;
}

/** Reads the LCOV format as `deno coverage` writes it. */
export function readLcov(report: string): FileCoverage[] {
  return report.split("end_of_record").flatMap((record) => {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    if (path === undefined) return [];
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)];
    const branches = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(\d+|-)/gm)];
    const missed = (
      found: readonly RegExpExecArray[],
    ) => [
      ...new Set(found.filter(([, , count]) => !(Number(count) > 0)).map(([, at]) => Number(at))),
    ];
    return [{
      path,
      lines: lines.length,
      branches: branches.length,
      missedLines: missed(lines),
      missedBranches: missed(branches),
    }];
  });
}

/** Reads the rows ``| `file` | `code` | reason |`` of a Markdown table. */
export function readExceptions(markdown: string): Exception[] {
  return [...markdown.matchAll(/^\| `([^`]+)` +\| `([^`]+)` +\| \S.* \|$/gm)]
    .map(([, path = "", code = ""]) => ({ path, code: code.replaceAll("\\|", "|") }));
}

/**
 * Says what is not covered and not excused, and which exceptions are not needed any more.
 *
 * An exception excuses lines that follow each other when its code stands in the first of them, and
 * branches when its code stands in their line.
 */
export function judge(
  files: readonly (FileCoverage & { readonly source: string })[],
  exceptions: readonly Exception[],
): { complaints: string[]; excused: number } {
  const needed = new Set<Exception>();
  const complaints = files.flatMap((file) => {
    const source = file.source.split("\n");
    const own = exceptions.filter(({ path }) => path === file.path);
    const isExcused = (line: number) => {
      const found = own.filter(({ code }) => source[line - 1]?.includes(code));
      for (const exception of found) needed.add(exception);
      return found.length > 0;
    };
    const runs = runsOf(file.missedLines);
    const inRun = (line: number) => runs.some(([from, to]) => from <= line && line <= to);
    const branches = file.missedBranches.filter((line) => !inRun(line)).map((line) =>
      [line, line, "a branch never runs"] as const
    );
    return [...runs.map(([from, to]) => [from, to, "never runs"] as const), ...branches]
      .filter(([from]) => !isExcused(from))
      .sort(([a], [b]) => a - b)
      .map(([from, to, what]) =>
        `${file.path}:${from}${to > from ? `-${to}` : ""}: ${what}: ${source[from - 1]?.trim()}`
      );
  });
  const stale = exceptions.filter((exception) => !needed.has(exception)).map(({ path, code }) =>
    `${path}: is covered, take its exception away: ${code}`
  );
  return { complaints: [...complaints, ...stale], excused: needed.size };
}

/** Joins numbers that follow each other. */
function runsOf(numbers: readonly number[]): (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}
