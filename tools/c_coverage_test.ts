import assert from "node:assert/strict";
import { compare, readCoverage, readExceptions } from "./c_coverage.ts";

function output(lines: readonly [number: number, count: number, branches: readonly number[]][]) {
  return JSON.stringify({
    files: [{
      file: "/src/c/a.c",
      lines: lines.map(([line_number, count, branches]) => ({
        line_number,
        count,
        branches: branches.map((count) => ({ count })),
      })),
    }, { file: "/usr/include/stdlib.h", lines: [] }],
  });
}

const SOURCES = new Map([["a.c", "int a(void)\n  if (x)\n    return 1;\n"]]);
const HEAD = "| file | what | text | why |\n| --- | --- | --- | --- |\n";

Deno.test("readCoverage() adds up what several programs reached", () => {
  const [file, ...others] = readCoverage([
    output([[1, 1, []], [2, 1, [1, 0]], [3, 0, []]]),
    output([[1, 1, []], [2, 3, [0, 3]], [3, 0, []]]),
  ], SOURCES);
  assert.deepEqual(others, []);
  assert.deepEqual(file, {
    file: "a.c",
    lines: 3,
    linesHit: 2,
    branches: 2,
    branchesHit: 2,
    gaps: [{ file: "a.c", line: 3, text: "return 1;", what: "line" }],
  });
});

Deno.test("compare() takes explained gaps away and tells of explanations without a gap", () => {
  const coverage = readCoverage([output([[2, 1, [1, 0]], [3, 0, []]])], SOURCES);
  const exceptions = readExceptions(
    `${HEAD}| \`a.c\` | branch | \`if (x)\` | x is never false here |\n` +
      "| `a.c`    | race | `int a(void) \\| b`   | threads meet now and then |\n" +
      "| `a.c` | line | `gone();` | this was so once upon a time |\n",
  );
  const { gaps, idle } = compare(coverage, exceptions);
  assert.deepEqual(gaps.map(({ line }) => line), [3]);
  assert.deepEqual(idle.map(({ text }) => text), ["gone();"]);
  assert.equal(exceptions[1]?.text, "int a(void) | b");
});

Deno.test("readExceptions() refuses rows without a kind or a reason", () => {
  for (const row of ["| `a.c` | all | `x` | because it is so |", "| `a.c` | line | `x` | why |"]) {
    assert.throws(() => readExceptions(HEAD + row), SyntaxError);
  }
});
