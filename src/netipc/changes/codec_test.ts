import assert from "node:assert/strict";
import fc from "fast-check";
import { APPLIED, deferred, rejected, SUPERSEDED } from "../../core/change.ts";
import type { Batch, Change } from "../../core/change.ts";
import { CodecError } from "../codec/errors.ts";
import { align8, spanOf } from "../codec/span.ts";
import { type Patch, patched, refuses, sized, written } from "../codec/testing.ts";
import { decodeChanges, encodeChanges, isOverflow, MOST_CHANGES } from "./codec.ts";
import { encodePart } from "./parts.ts";
import { decodeReceipts, encodeReceipts } from "./receipts.ts";
import { WireTexts } from "./texts.ts";

const TWO: Batch = {
  mark: "dump-begin",
  changes: [
    { op: "delete", table: "T", key: "a", fields: {}, time: 1 },
    { op: "set", table: "T", key: "é", fields: { x: "" }, removed: ["y"], time: 2, cause: "why" },
  ],
};
const ONE: Batch = {
  changes: [{
    op: "set",
    table: "PORT_TABLE",
    key: "Ethernet0",
    fields: { state: "ok", mtu: "9100" },
    time: 1700000000000.5,
    id: 7,
  }],
};
const texts = new WireTexts();
const encoded = (batch: Batch, room = 4096) => written((to) => encodeChanges(to, batch), room);

Deno.test("batches and receipts have the bytes of the vectors in docs/change-codec.md", async () => {
  const page = await Deno.readTextFile(new URL("../../../docs/change-codec.md", import.meta.url));
  const vectors = [...page.matchAll(/```text\n([0-9a-f\n]+)```/g)]
    .map(([, hex = ""]) => Uint8Array.fromHex(hex.replaceAll("\n", "")));
  const [one, two, none, receipts, ...more] = vectors;
  assert.ok(one && two && none && receipts && more.length === 0);
  for (
    const [bytes, batch] of [[one, ONE], [two, TWO], [none, {
      changes: [],
      mark: "dump-end",
    }]] as const
  ) {
    assert.deepEqual(encoded(batch), bytes);
    const { mark, changes, count, faults } = decodeChanges(patched(bytes), texts);
    assert.deepEqual({ changes, ...(mark && { mark }) }, batch);
    assert.deepEqual([count, faults.size], [batch.changes.length, 0]);
  }
  const outcomes = [APPLIED, SUPERSEDED, rejected(new Error("no")), deferred("later")];
  assert.deepEqual(encodeReceipts(outcomes, 1000), receipts);
  const decoded = decodeReceipts(patched(receipts));
  assert.deepEqual(decoded.map(({ outcome }) => outcome), outcomes.map(({ outcome }) => outcome));
  assert.match(decoded[2]?.outcome === "rejected" ? decoded[2].error.message : "", /^no$/);
  assert.deepEqual(decoded[3], deferred("later"));
});

const ONE_BYTES = encoded(ONE);
const decode = (...patches: Patch[]) => decodeChanges(patched(ONE_BYTES, ...patches), texts);

Deno.test("a batch that breaks the rules is refused as a whole", () => {
  refuses("truncated", () => decodeChanges(sized(patched(ONE_BYTES), 7), texts));
  refuses("bad version", () => decode([0, 2, 2]));
  refuses("bad layout", () => decode([2, 2, 4]));
  refuses("bad item count", () => decode([4, 4, MOST_CHANGES + 1]));
  refuses("truncated", () => decode([4, 4, 2]));
  refuses("out of bounds", () => decode([8, 4, 31]));
  refuses("out of bounds", () => decode([8, 4, 82]));
  refuses("bad version", () => decode([12, 1, 2]));
  refuses("bad layout", () => decode([13, 1, 0]));
  refuses("bad layout", () => decode([13, 1, 3]));
  refuses("bad layout", () => decode([13, 1, 2])); // a delete with fields
  refuses("bad layout", () => decode([20, 4, 0x7ff00000], [16, 4, 0])); // no finite time
  refuses("bad layout", () => decode([28, 4, 0x200000])); // an identity of 2^53
  refuses("bad layout", () => decode([38, 2, 1]));
  refuses("out of bounds", () => decode([32, 2, 0xffff]));
  refuses("out of bounds", () => decode([59, 2, 100]));
  refuses("bad layout", () => decode([61, 2, 1]));
  refuses("out of bounds", () => decode([63, 4, 100]));
  refuses("bad layout", () => decode([14, 2, 1]));
  refuses("truncated", () => decode([14, 2, 3]));
});

Deno.test("a change with an unfit name is refused alone, and the others are not", () => {
  const fine: Change = { op: "set", table: "T", key: "a", fields: { f: "v" }, time: 1 };
  const unfit: [Partial<Change>, RegExp][] = [
    [{ table: "" }, /table has no name/],
    [{ key: "" }, /key has no name/],
    [{ key: "a|b" }, /key is unfit/],
    [{ key: "a\nb" }, /key is unfit/],
    [{ table: "T\u202e" }, /table is unfit/],
    [{ fields: { "": "v" } }, /field has no name/],
    [{ fields: { "a\0": "v" } }, /field is unfit/],
    [{ removed: ["|"] }, /field is unfit/],
    [{ fields: JSON.parse('{"__proto__": "v"}') }, /__proto__/],
  ];
  for (const [change, reason] of unfit) {
    const batch = { changes: [fine, { ...fine, ...change }, fine] };
    const received = decodeChanges(patched(encoded(batch)), texts);
    assert.deepEqual(received.changes, [fine, fine]);
    assert.equal(received.count, 3);
    assert.deepEqual([...received.faults.keys()], [1]);
    assert.match(received.faults.get(1) ?? "", reason);
  }
  const bytes = encoded({ changes: [{ ...fine, cause: "c" }] });
  for (const at of [8 + 32, 8 + 33, 8 + 34, 8 + 35 + 8, 8 + 35 + 9]) {
    const received = decodeChanges(patched(bytes, [at, 1, 0xff]), texts);
    assert.match(received.faults.get(0) ?? "", /no UTF-8/);
  }
  // Values and causes may hold anything that is text.
  const free = { ...fine, fields: { f: "a|b\n\u202e" }, cause: "\n" };
  assert.deepEqual(decodeChanges(patched(encoded({ changes: [free] })), texts).changes, [free]);
});

Deno.test("what does not fit is not written", () => {
  const room = (length: number) => sized(spanOf(new Uint8Array(4096)), length);
  for (let length = 0; length < ONE_BYTES.length; length++) {
    refuses("overflow", () => encodeChanges(room(length), ONE));
  }
  assert.equal(encodeChanges(room(ONE_BYTES.length), ONE), ONE_BYTES.length);
  const [change] = ONE.changes;
  assert.ok(change);
  const many = Array.from({ length: MOST_CHANGES + 1 }, () => change);
  refuses("bad item count", () => encodeChanges(room(4096), { changes: many }));
  const large = sized(spanOf(new Uint8Array(1 << 20)), 1 << 20);
  refuses(
    "bad layout",
    () => encodeChanges(large, { changes: [{ ...change, key: "x".repeat(65536) }] }),
  );
  const fields = Object.fromEntries(Array.from({ length: 65536 }, (_, i) => [`f${i}`, ""]));
  refuses("bad item count", () => encodeChanges(large, { changes: [{ ...change, fields }] }));
  const wide = { changes: [{ ...change, fields: { f: "é".repeat(40) } }] };
  assert.deepEqual(decodeChanges(patched(encoded(wide)), texts).changes, wide.changes);
  assert.equal(isOverflow(new CodecError("overflow", "x")), true);
  assert.equal(isOverflow(new CodecError("truncated", "x")), false);
  assert.equal(isOverflow(new Error()), false);
});

Deno.test("changes come back as they were", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => /^[^\p{C}\u2028\u2029|]+$/u.test(text) && text !== "__proto__");
  const text = fc.string({ unit: "grapheme", maxLength: 100 });
  const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const time = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
  const set = fc.record({
    op: fc.constant("set" as const),
    table: name,
    key: name,
    fields: fc.dictionary(name, text, { noNullPrototype: true }),
    removed: fc.array(name, { minLength: 1, maxLength: 3 }),
    time,
    id,
    cause: fc.string({ unit: "grapheme", minLength: 1 }),
  }, { requiredKeys: ["op", "table", "key", "fields", "time"] });
  const gone = fc.record({
    op: fc.constant("delete" as const),
    table: name,
    key: name,
    fields: fc.constant({}),
    time,
  });
  const mark = fc.constantFrom("dump-begin" as const, "dump-end" as const, "lost" as const);
  const batch = fc.record({ changes: fc.array(fc.oneof(set, gone)), mark }, {
    requiredKeys: ["changes"],
  });
  fc.assert(fc.property(batch, (batch) => {
    const { mark, changes, faults } = decodeChanges(patched(encoded(batch, 1 << 16)), texts);
    assert.deepEqual([...faults], []);
    assert.deepEqual(structuredClone({ changes, ...(mark && { mark }) }), structuredClone(batch));
  }));
});

Deno.test("a batch of any size goes in parts, with its mark where it has to be", () => {
  const changes = Array.from({ length: 5000 }, (_, i): Change => ({
    ...{ op: "set", table: "T", key: `k${i}`, fields: { f: `${i}` }, time: i },
  }));
  for (const mark of [undefined, "dump-begin", "dump-end", "lost"] as const) {
    for (const room of [300, 4096, 1 << 20]) {
      const target = spanOf(new Uint8Array(room));
      const batch = mark === undefined ? { changes } : { changes, mark };
      const seen: Change[] = [];
      const marks: unknown[] = [];
      for (let from = 0; from < changes.length;) {
        const { length, next } = encodePart(target, batch, from);
        const part = decodeChanges(sized(target, length), texts);
        seen.push(...part.changes);
        marks.push(part.mark);
        from = next;
      }
      assert.deepEqual(seen, changes);
      const place = mark === "dump-end" ? marks.length - 1 : 0;
      assert.ok(marks.every((found, i) => found === (i === place ? mark : undefined)));
    }
  }
  refuses("overflow", () => encodePart(spanOf(new Uint8Array(40)), { changes }, 0));
});

Deno.test("receipts are refused when they break the rules, and reasons give way to room", () => {
  const receipts = [rejected(new Error("é".repeat(300))), deferred("later"), APPLIED];
  const bytes = encodeReceipts(receipts, 1000);
  const [first, second] = decodeReceipts(patched(bytes));
  assert.equal(first?.outcome === "rejected" && first.error.message.length, 128);
  assert.deepEqual(second, deferred("later"));
  const without = decodeReceipts(patched(encodeReceipts(receipts, 24)));
  assert.deepEqual(without.map(({ outcome }) => outcome), ["rejected", "deferred", "applied"]);
  assert.deepEqual(without[1], deferred("no reason was given"));
  const read = (...patches: Patch[]) => decodeReceipts(patched(bytes, ...patches));
  refuses("truncated", () => decodeReceipts(sized(patched(bytes), 15)));
  refuses("bad version", () => read([0, 2, 2]));
  refuses("bad layout", () => read([2, 2, 1]));
  refuses("bad layout", () => read([12, 4, 1]));
  refuses("truncated", () => read([4, 4, 0xffffffff]));
  refuses("truncated", () => read([8, 4, 3]));
  refuses("out of bounds", () => read([24, 4, 3]));
  refuses("out of bounds", () => read([28, 4, 0xffff]));
  refuses("bad layout", () => read([16, 1, 0]));
  refuses("bad layout", () => read([16, 1, 5]));
  assert.equal(align8(bytes.length), bytes.length);
});

Deno.test("damaged batches are refused with a CodecError, or can be used", () => {
  const runs = Number(Deno.env.get("PORTSYNC_FUZZ_RUNS") ?? 20_000);
  const seeds = [ONE_BYTES, encoded(TWO), encodeReceipts([deferred("later"), APPLIED], 100)];
  let state = 1;
  const random = (below: number) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state >>> 0) % below;
  };
  for (let run = 0; run < runs; run++) {
    const i = run % seeds.length;
    const span = patched(seeds[i] ?? ONE_BYTES);
    for (let changes = random(4); changes >= 0; changes--) {
      span.bytes[span.start + random(span.length)] = random(3) === 0 ? 255 : random(256);
    }
    try {
      const length = random(8) === 0 ? random(span.length + 8) : span.length;
      if (i === 2) decodeReceipts(sized(span, length));
      else decodeChanges(sized(span, length), texts);
    } catch (error) {
      assert.ok(error instanceof CodecError, `run ${run}: ${error}`);
    }
  }
});
