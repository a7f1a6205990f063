import assert from "node:assert/strict";
import { checkRule, compileRules } from "./rules.ts";

function needs(key: string, rule: { key?: string; needs: string[] }, fields = {}): string[] {
  const rules = compileRules([{ table: "T", ...rule }], "T");
  assert.ok(rules);
  return rules(key, fields).map((reference) => `${reference.table}|${reference.key}`);
}

Deno.test("Parts of a key are found in what it needs", () => {
  const rule = { key: "{vlan}|{port}", needs: ["VLAN_TABLE|{vlan}", "PORT_TABLE|{port}"] };
  assert.deepEqual(needs("Vlan100|Ethernet0", rule), [
    "VLAN_TABLE|Vlan100",
    "PORT_TABLE|Ethernet0",
  ]);
  assert.deepEqual(needs("Vlan100", rule), []);
  assert.deepEqual(needs("Vlan100|Ethernet0|x", rule), []);
  assert.deepEqual(needs("|Ethernet0", rule), []);
});

Deno.test("A part may have text before and behind it", () => {
  const rule = { key: "eth{n}/x|fixed", needs: ["U|a{n}b{n}c"] };
  assert.deepEqual(needs("eth12/x|fixed", rule), ["U|a12b12c"]);
  for (const key of ["eth/x|fixed", "eth12|fixed", "12/x|fixed", "eth12/x|other"]) {
    assert.deepEqual(needs(key, rule), []);
  }
});

Deno.test("The whole key and the value of a field can be named, and an empty field needs nothing", () => {
  const rule = { needs: ["PORT_TABLE|{key}", "LAG_TABLE|{field:master}"] };
  assert.deepEqual(needs("a|b", rule, { master: "Po1" }), ["PORT_TABLE|a|b", "LAG_TABLE|Po1"]);
  assert.deepEqual(needs("a", rule, { master: "" }), ["PORT_TABLE|a"]);
  assert.deepEqual(needs("a", rule), ["PORT_TABLE|a"]);
});

Deno.test("Rules of other tables do not count, and several of one table add up", () => {
  const rules = [
    { table: "T", needs: ["U|{key}"] },
    { table: "T", key: "{a}|{b}", needs: ["V|{b}"] },
    { table: "W", needs: ["X|{key}"] },
  ];
  assert.deepEqual(compileRules(rules, "T")?.("1|2", {}), [
    { table: "U", key: "1|2" },
    { table: "V", key: "2" },
  ]);
  assert.equal(compileRules(rules, "none"), undefined);
});

Deno.test("A wrong rule is described", () => {
  const cases: [{ key?: string; needs: string[] }, RegExp][] = [
    [{ key: "{a}{b}", needs: ["U|x"] }, /More than one name/],
    [{ key: "{a", needs: ["U|x"] }, /no partner/],
    [{ key: "{a}}", needs: ["U|x"] }, /no partner/],
    [{ key: "{A}", needs: ["U|x"] }, /no name/],
    [{ key: "{a}|{a}", needs: ["U|x"] }, /twice/],
    [{ key: "{a}", needs: ["U|{b}"] }, /Nothing in the key is called \{b\}/],
    [{ key: "{a}", needs: ["U|{a"] }, /no partner/],
    [{ key: "{a}", needs: ["U"] }, /Expected a table/],
    [{ key: "{a}", needs: ["{a}|x"] }, /Expected a table/],
  ];
  for (const [rule, complaint] of cases) {
    assert.match(checkRule({ table: "T", ...rule }) ?? "", complaint);
  }
  assert.throws(() => compileRules([{ table: "T", needs: ["U"] }], "T"), /Expected a table/);
  assert.equal(checkRule({ table: "T", key: "{a}", needs: ["U|{a}"] }), undefined);
});

Deno.test("Matching takes one pass, however long the key is", () => {
  const rule = { key: "{a}|{b}|{c}", needs: ["U|{a}"] };
  const start = performance.now();
  assert.deepEqual(needs("|".repeat(1_000_000), rule), []);
  assert.ok(performance.now() - start < 5000);
});
