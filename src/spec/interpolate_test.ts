import assert from "node:assert/strict";
import fc from "fast-check";
import { type Environment, interpolate } from "./interpolate.ts";

const environment: Environment = (name) =>
  name === "HOST" ? "10.0.0.1" : name === "EMPTY" ? "" : undefined;

/** The text that comes of another. */
function text(source: string, lookup = environment): unknown {
  return interpolate([source], lookup).tree;
}

Deno.test("interpolate() puts values and defaults into texts", () => {
  assert.deepEqual(text("redis://${HOST}:${PORT:-6379}/"), ["redis://10.0.0.1:6379/"]);
  assert.deepEqual(text("${EMPTY:-x}${EMPTY}${UNSET:-}"), ["x"]);
  assert.deepEqual(text("${UNSET:-a:-b $ c}"), ["a:-b $ c"]);
});

Deno.test("interpolate() leaves $${ as a plain ${", () => {
  assert.deepEqual(text("$${HOST} costs $5 and $$"), ["${HOST} costs $5 and $$"]);
  assert.deepEqual(text("${HOST}$${HOST}${HOST}"), ["10.0.0.1${HOST}10.0.0.1"]);
});

Deno.test("interpolate() does not read what a value brings along", () => {
  assert.deepEqual(text("${X}", () => "${HOST} {a: b}"), ["${HOST} {a: b}"]);
});

Deno.test("interpolate() changes neither keys nor what is no text", () => {
  const tree = { "${HOST}": 1, list: [true, null, 2.5, "plain"] };
  const result = interpolate(tree, environment);
  assert.deepEqual(result.tree, tree);
  assert.equal(result.names.size, 0);
});

Deno.test("interpolate() keeps references to secrets and says where they stand", () => {
  const tree = { password: "${file:/etc/secret}", token: "${credential:redis}" };
  const result = interpolate(tree, environment);
  assert.deepEqual(result.tree, tree);
  assert.deepEqual(result.references, [["password"], ["token"]]);
  assert.deepEqual(result.findings, []);
});

Deno.test("interpolate() names the piece of a text that is wrong", () => {
  for (
    const [source, fragment, message] of [
      ["a ${UNSET} b", "${UNSET}", /UNSET is not set/],
      ["${1+1}", "${1+1}", /is no name/],
      ["${}", "${}", /is no name/],
      ["x ${HOST", "${HOST", /never closed/],
      ["${HOST-}", "${HOST-}", /is no name/],
    ] as const
  ) {
    const [finding, more] = interpolate({ a: [source] }, environment).findings;
    assert.deepEqual(finding?.path, ["a", 0]);
    assert.equal(finding?.fragment, fragment);
    assert.match(finding?.message ?? "", message);
    assert.equal(more, undefined);
  }
});

Deno.test("interpolate() says which flag lets a name be read", () => {
  const refusing = () => {
    throw new Deno.errors.NotCapable("Requires env access");
  };
  const [finding] = interpolate(["${HOST}"], refusing).findings;
  assert.match(finding?.message ?? "", /--allow-env=HOST/);
});

Deno.test("interpolate() is the identity on texts without a reference", () => {
  fc.assert(fc.property(fc.string().filter((one) => !one.includes("${")), (one) => {
    assert.deepEqual(text(one), [one]);
  }));
});

Deno.test("interpolate() puts any value in as it is, at every place", () => {
  const plain = fc.string().map((one) => one.replaceAll("$", ""));
  fc.assert(fc.property(plain, fc.string(), plain, (before, value, after) => {
    const result = interpolate([`${before}\${X}${after}`], () => value);
    assert.deepEqual(result.tree, [before + value + after]);
    assert.deepEqual([...result.names], ["X"]);
    assert.equal(result.replaced.get("[0]"), before + value + after);
  }));
});

Deno.test("interpolate() takes an escaped text back to what was meant", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", "A", ":", "-") }), (one) => {
      const escaped = one.replaceAll("${", () => "$${");
      // A dollar before the escape would be taken for a part of it.
      fc.pre(!escaped.includes("$$$"));
      assert.deepEqual(text(escaped), [one]);
    }),
  );
});
