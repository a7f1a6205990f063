import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fields } from "../../core/change.ts";
import { TableRows } from "./table_rows.ts";

const any = () => true;
const same = (fields: Fields) => fields;

function rowsOf(): TableRows {
  return new TableRows("PORT", any, same);
}

/** What there is to tell, in one line for each batch. */
function told(rows: TableRows): string[] {
  return [...rows.take()].map(({ changes, mark }) =>
    [
      mark ?? "-",
      ...changes.map(({ op, key, fields }) => `${op} ${key} ${fields["n"] ?? ""}`.trim()),
    ]
      .join(" ")
  );
}

const set = (key: string, n: number) => ({ key, fields: { n: String(n) } });
const gone = (key: string) => ({ key, fields: undefined });

Deno.test("TableRows tells the first complete reading as a dump, and then what changes", () => {
  const rows = rowsOf();
  assert(!rows.hasNews);
  rows.note([set("a", 1), set("b", 1)], true);
  assert.deepEqual(told(rows), ["dump-begin set a 1 set b 1", "dump-end"]);
  assert(!rows.hasNews);
  rows.note([set("a", 2), gone("b")], true);
  rows.note([set("a", 3)], true);
  assert.deepEqual(told(rows), ["- set a 3 delete b"]);
  assert.equal(rows.size, 1);
});

Deno.test("TableRows tells nothing before the first dump", () => {
  const rows = rowsOf();
  rows.note([set("a", 1)], false);
  assert(!rows.hasNews);
  assert.deepEqual(told(rows), []);
  rows.note([set("a", 2)], true);
  assert.deepEqual(told(rows), ["dump-begin set a 2", "dump-end"]);
});

Deno.test("TableRows tells an empty table as a dump of nothing", () => {
  const rows = rowsOf();
  rows.note([], true);
  assert.deepEqual(told(rows), ["dump-begin", "dump-end"]);
});

Deno.test("TableRows tells a loss once, and dumps when everything was read since", () => {
  const rows = rowsOf();
  rows.note([set("a", 1), set("b", 1)], true);
  told(rows);
  rows.note([set("a", 2)], true);
  rows.lose();
  rows.lose();
  assert.deepEqual(told(rows), ["- set a 2", "lost"]);
  assert.deepEqual(told(rows), []);
  rows.note([gone("b")], false);
  assert.deepEqual(told(rows), ["- delete b"]);
  rows.note([set("c", 1)], true);
  assert.deepEqual(told(rows), ["dump-begin set a 2 set c 1", "dump-end"]);
});

Deno.test("TableRows tells the loss before the dump when both wait", () => {
  const rows = rowsOf();
  rows.note([set("a", 1), set("b", 1)], true);
  told(rows);
  rows.lose();
  rows.note([gone("b")], true);
  assert.deepEqual(told(rows), ["lost", "dump-begin delete b set a 1", "dump-end"]);
});

Deno.test("TableRows keeps the dump back when another loss comes before it is told", () => {
  const rows = rowsOf();
  rows.note([set("a", 1)], true);
  rows.lose();
  assert.deepEqual(told(rows), [], "nothing was told, so nothing is missed");
  rows.note([], true);
  assert.deepEqual(told(rows), ["dump-begin set a 1", "dump-end"]);
});

Deno.test("TableRows dumps once more when that is wanted, without a loss", () => {
  const rows = rowsOf();
  rows.note([set("a", 1)], true);
  told(rows);
  rows.wantDump();
  assert(!rows.hasNews);
  rows.note([], true);
  assert.deepEqual(told(rows), ["dump-begin set a 1", "dump-end"]);
});

Deno.test("TableRows is silent about what nobody follows and what is the same after shaping", () => {
  const rows = new TableRows(
    "PORT",
    (key) => key.startsWith("E"),
    ({ n = "" }) => ({ n }),
  );
  rows.note([set("E0", 1), set("lo", 1)], true);
  assert.deepEqual(told(rows), ["dump-begin set E0 1", "dump-end"]);
  rows.note([{ key: "E0", fields: { n: "1", description: "new" } }, gone("lo")], true);
  assert(!rows.hasNews);
});

Deno.test("TableRows cuts large tables into batches, with the marks at their ends", () => {
  const rows = rowsOf();
  rows.note(Array.from({ length: 2500 }, (_, n) => set(`k${n}`, n)), true);
  const batches = [...rows.take()];
  assert.deepEqual(batches.map(({ changes, mark }) => [changes.length, mark]), [
    [1024, "dump-begin"],
    [1024, undefined],
    [452, undefined],
    [0, "dump-end"],
  ]);
});

Deno.test("TableRows leads whoever follows to the rows that were read, whatever comes between", () => {
  const step = fc.oneof(
    fc.record({
      key: fc.constantFrom("a", "b", "c", "d"),
      n: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      complete: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom("lose" as const, "want" as const, "take" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const rows = rowsOf();
      const truth = new Map<string, string>();
      const seen = new Map<string, string>();
      let named: Set<string> | undefined;
      const follow = () => {
        for (const { changes, mark } of rows.take()) {
          if (mark === "dump-begin") named = new Set();
          else if (mark === "lost") named = undefined;
          for (const { op, key, fields } of changes) {
            named?.add(key);
            if (op === "set") seen.set(key, fields["n"] ?? "");
            else seen.delete(key);
          }
          if (mark !== "dump-end") continue;
          for (const key of seen.keys()) assert(named?.has(key), `${key} would be swept`);
          named = undefined;
        }
      };
      for (const one of steps) {
        if (!("key" in one)) {
          if (one.kind === "lose") rows.lose();
          else if (one.kind === "want") rows.wantDump();
          else follow();
        } else {
          if (one.n === undefined) truth.delete(one.key);
          else truth.set(one.key, String(one.n));
          rows.note([one.n === undefined ? gone(one.key) : set(one.key, one.n)], one.complete);
        }
      }
      rows.note([], true);
      follow();
      assert.deepEqual([...seen].toSorted(), [...truth].toSorted());
    }),
    { numRuns: 2000 },
  );
});
