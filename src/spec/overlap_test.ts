import assert from "node:assert/strict";
import fc from "fast-check";
import { compileGlobs } from "../core/glob.ts";
import { overlap } from "./overlap.ts";

Deno.test("overlap() tells patterns that share names from those that do not", () => {
  for (
    const [left, right, expected] of [
      ["Ethernet*", "PortChannel*", "never"],
      ["Ethernet*", "Ethernet4", "surely"],
      ["Eth*", "*net0", "surely"],
      ["Ethernet?", "Ethernet10", "never"],
      ["Ethernet*", "Ethernet*.*", "never"],
      ["*.10", "Ethernet0.??", "surely"],
      ["a*b*c", "abbc", "surely"],
      ["Ethernet[0-3]", "Ethernet[4-7]", "perhaps"],
      ["Ethernet[0-3]", "PortChannel?", "never"],
      ["[", "x", "perhaps"],
    ] as const
  ) {
    assert.equal(overlap([left], [right]), expected, `${left} and ${right}`);
    assert.equal(overlap([right], [left]), expected, `${right} and ${left}`);
  }
});

Deno.test("overlap() takes a missing list for every name", () => {
  assert.equal(overlap(undefined, ["Ethernet*"]), "surely");
  assert.equal(overlap(["a", "b"], ["c", "b"]), "surely");
});

Deno.test("overlap() agrees with a search through all short names", () => {
  const names = [""];
  const letters = ["a", "b", "."];
  for (let length = 0, last = [""]; length < 5; length++) {
    last = last.flatMap((name) => letters.map((letter) => name + letter));
    names.push(...last);
  }
  const pattern = fc.string({
    unit: fc.constantFrom("a", "b", ".", "*", "?"),
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(pattern, pattern, (left, right) => {
      const [matchesLeft, matchesRight] = [compileGlobs([left]), compileGlobs([right])];
      const shared = names.find((name) => matchesLeft(name) && matchesRight(name));
      const answer = overlap([left], [right]);
      // Two patterns of four signs share a name of at most eight; short ones are searched.
      if (shared !== undefined) assert.equal(answer, "surely", `${left} ${right} ${shared}`);
      else if (left.length + right.length <= 5) assert.equal(answer, "never", `${left} ${right}`);
    }),
    { numRuns: 2000 },
  );
});
