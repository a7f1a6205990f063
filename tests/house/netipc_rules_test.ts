// `tests/NETIPC.md` names a test for each rule of the protocol, and every one of them is there.
import assert from "node:assert/strict";

const ROOT = new URL("../..", import.meta.url).pathname;

Deno.test("the tests that the rules of netipc name are there", async () => {
  const page = await Deno.readTextFile(`${ROOT}tests/NETIPC.md`);
  const rows = [...page.matchAll(/^\| .* \| `(\S+)` +\| (.+?) +\|$/gm)];
  assert.ok(rows.length > 80, `${rows.length} rows`);
  assert.equal(rows.length, [...page.matchAll(/_test\.ts`/g)].length);
  for (const [, file = "", name = ""] of rows) {
    const source = await Deno.readTextFile(ROOT + file);
    const isThere = [`"${name}"`, `\`${name}\``].some((quoted) => source.includes(quoted));
    assert.ok(isThere, `${file}: ${name}`);
  }
});
