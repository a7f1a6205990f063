import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify as stringifyToml } from "smol-toml";
import { stringify as stringifyYaml } from "yaml";
import type { Parsed } from "./parsed.ts";
import { SourceText } from "./source_text.ts";
import { parseToml } from "./toml.ts";
import { isMapping, type Path } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

const PARSERS = { yaml: parseYaml, toml: parseToml };

async function parsed(notation: keyof typeof PARSERS, text: string): Promise<Parsed> {
  return await PARSERS[notation](new SourceText(`x.${notation}`, text));
}

/** The text at a path, as the locator finds it. */
async function textAt(
  document: Parsed,
  path: Path,
  part: "key" | "value" = "value",
): Promise<string> {
  const { spot, steps } = (await document.locator()).find(path, part);
  assert.equal(steps, path.length);
  return document.source.text.slice(spot.start, spot.end);
}

/** Every path of a tree that leads to neither mapping nor list. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => leaves(item, [...path, index]));
  if (!isMapping(value)) return [path];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]));
}

const key = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ._-]{0,8}$/);
const number = fc.integer({ min: 1_000_000, max: 9_999_999 });
const tree = fc.letrec<{ value: unknown; table: object }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, number, fc.array(tie("value"), { maxLength: 3 }), tie("table")),
  table: fc.dictionary(key, tie("value"), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
})).table;

Deno.test("A locator finds every value of any document where it stands", async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (value) => {
      for (
        const [notation, text] of [
          ["yaml", stringifyYaml(value)],
          ["yaml", JSON.stringify(value)],
          ["toml", stringifyToml(value)],
        ] as const
      ) {
        const document = await parsed(notation, text);
        assert.deepEqual(JSON.parse(JSON.stringify(document.tree)), value, text);
        for (const path of leaves(value)) {
          const given = path.reduce<unknown>((inside, step) => {
            if (Array.isArray(inside) && typeof step === "number") return inside[step];
            return isMapping(inside) ? inside[step] : undefined;
          }, value);
          if (typeof given === "number") {
            assert.equal(await textAt(document, path), `${given}`, text);
          }
        }
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("What goes over several lines is pointed at by its key", async () => {
  const yaml = await parsed("yaml", "a:\n  b: 1\nc: [1,\n  2]\nd: {}\ne:\n");
  assert.equal(await textAt(yaml, ["a"]), "a");
  assert.equal(await textAt(yaml, ["c"]), "[1,\n  2]");
  assert.equal(await textAt(yaml, ["d"]), "{}");
  assert.equal(await textAt(yaml, ["e"]), "e");
  const toml = await parsed("toml", "[a.b]\nc = 1\n[[d]]\n[[d]]\ne = { f = 1 }\ng.h = 2\n");
  assert.equal(await textAt(toml, ["a"]), "a");
  assert.equal(await textAt(toml, ["a", "b"]), "b");
  assert.equal(await textAt(toml, ["d", 1]), "d");
  assert.equal(await textAt(toml, ["d", 1, "e", "f"]), "1");
  assert.equal(await textAt(toml, ["d", 1, "g"]), "g");
  assert.equal(await textAt(toml, ["d", 1, "g", "h"]), "2");
});

Deno.test("What is missing is pointed at by what should hold it", async () => {
  for (
    const [notation, text] of [["yaml", "a:\n  b: 1\n"], ["toml", "[a]\nb = 1\n"]] as const
  ) {
    const document = await parsed(notation, text);
    const { spot, steps } = (await document.locator()).find(["a", "x", "y"], "value");
    assert.equal(steps, 1);
    assert.equal(text.slice(spot.start, spot.end), "a");
  }
});

Deno.test("An alias leads to the text that it repeats", async () => {
  const document = await parsed("yaml", "a: &one { b: 7 }\nc: *one\n&k d: 1\n");
  assert.deepEqual(document.tree, { a: { b: 7 }, c: { b: 7 }, d: 1 });
  assert.equal(await textAt(document, ["c", "b"]), "7");
  assert.equal(await textAt(document, ["c"]), "*one");
});

Deno.test("Keys are words as they stand, whatever YAML takes them for", async () => {
  const { tree: value } = await parsed("yaml", "1: a\ntrue: b\nnull: c\n0x10: d\n");
  assert.deepEqual(value, { "1": "a", true: "b", null: "c", "0x10": "d" });
});

Deno.test("YAML is version 1.2, also where the text asks for another", async () => {
  const { tree: value } = await parsed("yaml", "%YAML 1.1\n---\n[yes, off, 010, 0o10, 1_000]\n");
  assert.deepEqual(value, ["yes", "off", 10, 8, "1_000"]);
});
