import assert from "node:assert/strict";
import { difference, restrict, sameFields } from "./fields.ts";

Deno.test("Rows are the same whatever the order of their fields", () => {
  assert.ok(sameFields({ a: "1", b: "2" }, { b: "2", a: "1" }, undefined));
  assert.ok(!sameFields({ a: "1" }, { a: "1", b: "2" }, undefined));
  assert.ok(!sameFields({ a: "1", b: "2" }, { a: "1" }, undefined));
  assert.ok(!sameFields({ a: "1" }, { a: "2" }, undefined));
  const row = { a: "1" };
  assert.ok(sameFields(row, row, undefined));
});

Deno.test("Numbers are only compared as numbers where that is asked for", () => {
  const numeric = new Set(["mtu"]);
  assert.ok(sameFields({ mtu: "9100.0" }, { mtu: "9100" }, numeric));
  assert.ok(!sameFields({ mtu: "9100.0" }, { mtu: "9100" }, undefined));
  assert.ok(!sameFields({ name: "010" }, { name: "10" }, numeric));
  assert.deepEqual(difference({ mtu: "9100" }, { mtu: "9100.0" }, undefined, numeric).fields, {});
});

Deno.test("A difference names what changed and what is gone, and what else has to go", () => {
  assert.deepEqual(
    difference({ a: "1", b: "2", c: "3" }, { a: "1", b: "5" }, undefined, undefined),
    {
      fields: { b: "5" },
      removed: ["c"],
    },
  );
  assert.deepEqual(difference({ a: "1" }, { b: "1" }, new Set(["a", "b", "x"]), undefined), {
    fields: { b: "1" },
    removed: ["a", "x"],
  });
});

Deno.test("Names that every object inherits are no fields", () => {
  assert.deepEqual(difference({ constructor: "1" }, { toString: "2" }, undefined, undefined), {
    fields: { toString: "2" },
    removed: ["constructor"],
  });
});

Deno.test("A row is restricted to the names that pass, and stays itself when all do", () => {
  const row = { a: "1", b: "2" };
  assert.equal(restrict(row, () => true), row);
  assert.deepEqual(restrict(row, (name) => name === "b"), { b: "2" });
});
