import assert from "node:assert/strict";
import { judge, readExceptions, readLcov } from "./judge.ts";

const REPORT = `SF:/p/src/a.ts
FN:1,f
FNDA:1,f
BRDA:2,1,0,0
BRDA:2,1,1,4
BRDA:9,2,0,-
DA:1,3
DA:2,3
DA:4,0
DA:5,0
DA:7,0
end_of_record
SF:/p/src/b.ts
DA:1,1
end_of_record
`;

const SOURCE = [
  "export function f(a) {",
  "  return a ? 1 : 2;",
  "",
  "  throw new Error('unreachable');",
  "}",
  "",
  "const last = 7;",
  "",
  "const other = x || y;",
].join("\n");

const COVERAGE = { path: "src/a.ts", source: SOURCE, lines: 5, branches: 3 };

Deno.test("readLcov() gives the lines and branches that never ran", () => {
  assert.deepEqual(readLcov(REPORT), [
    { path: "/p/src/a.ts", lines: 5, branches: 3, missedLines: [4, 5, 7], missedBranches: [2, 9] },
    { path: "/p/src/b.ts", lines: 1, branches: 0, missedLines: [], missedBranches: [] },
  ]);
});

Deno.test("readExceptions() reads rows with a reason, and a bar inside the code", () => {
  const table = [
    "| file | code | reason |",
    "| ---- | ---- | ------ |",
    "| `src/a.ts` | `x \\|\\| y` | the kernel never sends it |",
    "| `src/b.ts`   | `throw` | states are exhaustive |",
    "| `src/c.ts` | `no reason` |  |",
  ].join("\n");
  assert.deepEqual(readExceptions(table), [
    { path: "src/a.ts", code: "x || y" },
    { path: "src/b.ts", code: "throw" },
  ]);
});

Deno.test("judge() names each place that is not covered, in the order of the file", () => {
  const file = { ...COVERAGE, missedLines: [4, 5, 7], missedBranches: [2, 5, 9] };
  assert.deepEqual(judge([file], []), {
    complaints: [
      "src/a.ts:2: a branch never runs: return a ? 1 : 2;",
      "src/a.ts:4-5: never runs: throw new Error('unreachable');",
      "src/a.ts:7: never runs: const last = 7;",
      "src/a.ts:9: a branch never runs: const other = x || y;",
    ],
    excused: 0,
  });
});

Deno.test("judge() takes an exception by its code, only in its own file", () => {
  const file = { ...COVERAGE, missedLines: [4, 5], missedBranches: [9] };
  assert.deepEqual(
    judge([file], [
      { path: "src/a.ts", code: "throw new Error('unreachable')" },
      { path: "src/a.ts", code: "x || y" },
    ]),
    { complaints: [], excused: 2 },
  );
  assert.equal(judge([file], [{ path: "src/b.ts", code: "throw" }]).complaints.length, 3);
});

Deno.test("judge() complains of an exception that is not needed any more", () => {
  const file = { ...COVERAGE, missedLines: [], missedBranches: [] };
  assert.deepEqual(judge([file], [{ path: "src/a.ts", code: "throw" }]).complaints, [
    "src/a.ts: is covered, take its exception away: throw",
  ]);
});
