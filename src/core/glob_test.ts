import assert from "node:assert/strict";
import fc from "fast-check";
import { checkGlob, compileGlobs } from "./glob.ts";

function matches(pattern: string, name: string): boolean {
  return compileGlobs([pattern])(name);
}

Deno.test("compileGlobs() matches whole names and counts case", () => {
  assert(matches("Ethernet0", "Ethernet0"));
  assert(!matches("Ethernet0", "Ethernet00"));
  assert(!matches("Ethernet0", "xEthernet0"));
  assert(!matches("ethernet0", "Ethernet0"));
});

Deno.test("compileGlobs() lets a star stand for any run and a question mark for one character", () => {
  assert(matches("Ethernet*", "Ethernet"));
  assert(matches("Ethernet*", "Ethernet124"));
  assert(!matches("Ethernet?", "Ethernet"));
  assert(matches("Ethernet?", "Ethernet4"));
  assert(!matches("Ethernet?", "Ethernet44"));
  assert(matches("*0*", "Ethernet104"));
  assert(matches("a*b*c", "a-b-b-c"));
  assert(!matches("a*b*c", "a-b-b-d"));
  assert(matches("**", ""));
  assert(matches("?*?", "ab"));
  assert(!matches("?*?", "a"));
});

Deno.test("compileGlobs() matches a dot only by a dot", () => {
  assert(!matches("Ethernet*", "Ethernet0.10"));
  assert(!matches("Ethernet*0", "Ethernet0.10"));
  assert(!matches("Ethernet0?10", "Ethernet0.10"));
  assert(!matches("Ethernet0[!a]10", "Ethernet0.10"));
  assert(!matches("Ethernet0[--0]10", "Ethernet0.10"));
  assert(matches("Ethernet*.*", "Ethernet0.10"));
  assert(matches("Ethernet0.10", "Ethernet0.10"));
  assert(!matches("Ethernet*.*", "Ethernet0"));
  assert(!matches("Ethernet*.*", "Ethernet0.1.2"));
  assert(matches("*.", "a."));
});

Deno.test("compileGlobs() knows ranges, lists and their opposite in brackets", () => {
  assert(matches("Ethernet[0-4]", "Ethernet3"));
  assert(!matches("Ethernet[0-4]", "Ethernet5"));
  assert(matches("x[abc-]", "x-"));
  assert(matches("x[!0-9]", "xa"));
  assert(matches("x[^0-9]", "xa"));
  assert(!matches("x[!0-9]", "x7"));
  assert(matches("[*]", "*"));
  assert(!matches("[*]", "a"));
});

Deno.test("compileGlobs() counts characters, not UTF-16 units", () => {
  assert(matches("?", "🐟"));
  assert(matches("[🐟-🐡]", "🐠"));
  assert(matches("*x", "🐟🐟x"));
  assert(!matches("??", "🐟"));
});

Deno.test("compileGlobs() passes a name that any of the patterns matches, and none without one", () => {
  const isPort = compileGlobs(["Ethernet*", "PortChannel?"]);
  assert(isPort("Ethernet0"));
  assert(isPort("PortChannel1"));
  assert(!isPort("Vlan10"));
  assert(!compileGlobs([])("Ethernet0"));
});

Deno.test("checkGlob() says what is wrong with a pattern", () => {
  assert.equal(checkGlob("Ethernet*"), undefined);
  assert.equal(checkGlob(""), "The pattern is empty");
  assert.equal(checkGlob("a[0-9"), "The bracket in column 2 is never closed");
  assert.equal(checkGlob("a[]"), "The brackets in column 2 are empty");
  assert.equal(checkGlob("a[!]"), "The brackets in column 2 are empty");
  assert.equal(checkGlob("[9-0]"), "The range in the brackets of column 1 runs backwards");
  assert.equal(checkGlob("[.]"), "The brackets in column 1 hold a dot, which stands for itself");
  assert.equal(checkGlob("x".repeat(256)), "The pattern is longer than 255 characters");
  assert.throws(() => compileGlobs(["[", "x"]), SyntaxError);
});

Deno.test("compileGlobs() agrees with a slow and obvious matcher", () => {
  const alphabet = fc.constantFrom("a", "b", ".", "*", "?", "[ab]", "[!a]");
  const name = fc.string({ unit: fc.constantFrom("a", "b", "c", "."), maxLength: 10 });
  fc.assert(
    fc.property(fc.array(alphabet, { minLength: 1, maxLength: 8 }), name, (tokens, text) => {
      assert.equal(matches(tokens.join(""), text), obvious(tokens, text));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("compileGlobs() takes no longer for a pattern made to be slow", () => {
  const start = performance.now();
  assert(!matches("a*".repeat(127), "a".repeat(126) + "b".repeat(4000)));
  assert(performance.now() - start < 1000);
});

function obvious(tokens: readonly string[], text: string): boolean {
  const [token, ...rest] = tokens;
  const first = text[0];
  if (token === undefined) return text === "";
  if (token === "*") {
    return obvious(rest, text) ||
      (first !== undefined && first !== "." && obvious(tokens, text.slice(1)));
  }
  if (first === undefined) return false;
  const accepts = token === "?"
    ? first !== "."
    : token === "[ab]"
    ? first === "a" || first === "b"
    : token === "[!a]"
    ? first !== "a" && first !== "."
    : first === token;
  return accepts && obvious(rest, text.slice(1));
}
