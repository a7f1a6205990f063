import assert from "node:assert/strict";
import fc from "fast-check";
import { CodecError, CodecFault } from "./errors.ts";
import { bytesOf, copyOf, decodeText, encodeText, spanOf } from "./span.ts";

Deno.test("decodeText() and encodeText() lose nothing, whatever the bytes are", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    assert.deepEqual(encodeText(decodeText(bytes)), bytes);
  }));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(decodeText(encodeText(text)), text);
  }));
});

Deno.test("decodeText() shows what is UTF-8 around bytes that are not", () => {
  const bytes = Uint8Array.of(
    0x61,
    0xff,
    0xc3,
    0xa9,
    0xc3,
    0xe2,
    0x82,
    0xac,
    0xf0,
    0x9f,
    0x90,
    0x9f,
  );
  assert.equal(decodeText(bytes), "a\udcffé\udcc3€🐟");
  assert.equal(decodeText(bytes).isWellFormed(), false);
  assert.equal(decodeText(bytes, 2, 4), "é");
  assert.equal(decodeText(new Uint8Array(200).fill(0x61)), "a".repeat(200));
});

Deno.test("encodeText() gives other lone surrogates the replacement of UTF-8", () => {
  assert.deepEqual(encodeText("a\ud800"), Uint8Array.of(0x61, 0xef, 0xbf, 0xbd));
});

Deno.test("bytesOf() and copyOf() take what there is", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  assert.equal(bytesOf(bytes), bytes);
  assert.deepEqual(bytesOf("a"), Uint8Array.of(0x61));
  const copy = copyOf({ ...spanOf(bytes), start: 1, length: 2 });
  assert.deepEqual(copy, Uint8Array.of(2, 3));
});

Deno.test("a fault has the number that the C programs print", () => {
  const error = new CodecError("missing NUL", "name");
  assert.equal(error.number, CodecFault["missing NUL"]);
  assert.match(error.message, /name.*missing NUL/);
  assert.deepEqual(Object.entries(CodecFault), [
    ...[["truncated", 1], ["bad magic", 2], ["bad version", 3], ["bad header length", 4]],
    ...[["bad kind", 5], ["bad layout", 6], ["out of bounds", 7], ["missing NUL", 8]],
    ...[["bad alignment", 9], ["bad item count", 10], ["overflow", 11]],
  ]);
});
