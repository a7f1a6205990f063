import assert from "node:assert/strict";
import { generateRecords } from "./records.ts";

Deno.test("ffi/records.gen.ts is what c/records.def gives", async () => {
  const committed = await Deno.readTextFile(new URL("../ffi/records.gen.ts", import.meta.url));
  assert.equal(await generateRecords(), committed, "run deno task records and commit the file");
});

Deno.test("a field that is not aligned, or of another record, is refused", async () => {
  const table = await Deno.makeTempFile({ suffix: ".def" });
  try {
    for (
      const [line, complaint] of [
        ['FIELD(ps_x, u32, a, 1, 2, "A")', /a is not aligned/],
        ['FIELD(ps_x, u64, a, 1, 4, "A")', /a is not aligned/],
        ['FIELD(ps_y, u32, a, 1, 0, "A")', /field of another record/],
        ['FIELD(ps_x, u33, a, 1, 0, "A")', /There is no type u33/],
        ['FIELD(ps_x, text, a, 8, 0, "A")', /a is no text of 16/],
        ['FIELD(ps_x, text, a, 16, 0, "A")', /a needs a field a_size/],
        ['FIELD(ps_x, u32, a, 2, 0, "A")', /only bytes come in numbers/],
        ["FIELD(ps_x, u32)", /cannot read/],
        ['VALUE(x, PS_X, one, "One")', /is no number/],
      ] as const
    ) {
      await Deno.writeTextFile(table, `RECORD(ps_x, 16, "X")\n${line}\n`);
      await assert.rejects(generateRecords(table), complaint);
    }
  } finally {
    await Deno.remove(table);
  }
});
