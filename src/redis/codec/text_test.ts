import assert from "node:assert/strict";
import fc from "fast-check";
import { RejectError } from "../../core/errors.ts";
import { decodeText, encodedLength, encodeText } from "./text.ts";

function encode(text: string): Uint8Array {
  const bytes = new Uint8Array(encodedLength(text));
  assert.equal(encodeText(text, bytes, 0), bytes.length);
  return bytes;
}

function decode(bytes: Uint8Array): string {
  return decodeText(bytes, 0, bytes.length);
}

/** Bytes in which broken and valid sequences are likely. */
const nearlyUtf8 = fc.array(
  fc.oneof(
    fc.constantFrom(0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf),
    fc.constantFrom(0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff),
    fc.integer({ min: 0, max: 255 }),
  ),
  { maxLength: 300 },
).map((bytes) => Uint8Array.from(bytes));

Deno.test("decodeText() and encodeText() bring any bytes back", () => {
  fc.assert(
    fc.property(nearlyUtf8, (bytes) => {
      assert.deepEqual(encode(decode(bytes)), bytes);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("decodeText() agrees with TextDecoder wherever that succeeds", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  fc.assert(
    fc.property(nearlyUtf8, (bytes) => {
      let expected: string;
      try {
        expected = strict.decode(bytes);
      } catch {
        assert.match(decode(bytes), /[\udc80-\udcff]/);
        return;
      }
      assert.equal(decode(bytes), expected);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("encodeText() agrees with TextEncoder for every well-formed text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
    assert.deepEqual(encode(text), new TextEncoder().encode(text));
    assert.equal(decode(encode(text)), text);
  }));
});

Deno.test("decodeText() keeps a byte order mark and the middle of a longer buffer", () => {
  assert.equal(decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)), "\ufeffA");
  assert.equal(decodeText(Uint8Array.of(0x41, 0xc3, 0xa9, 0x42), 1, 3), "é");
  assert.equal(decodeText(Uint8Array.of(0x41, 0xc3, 0xa9, 0x42), 1, 2), "\udcc3");
});

Deno.test("decodeText() escapes what only looks like UTF-8", () => {
  const cases: readonly (readonly [number[], string])[] = [
    [[0xc0, 0x80], "\udcc0\udc80"], // overlong NUL
    [[0xe0, 0x9f, 0xbf], "\udce0\udc9f\udcbf"], // overlong
    [[0xed, 0xa0, 0x80], "\udced\udca0\udc80"], // a surrogate
    [[0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"], // beyond U+10FFFF
    [[0xf0, 0x8f, 0xbf, 0xbf], "\udcf0\udc8f\udcbf\udcbf"], // overlong
    [[0xe2, 0x82, 0x41], "\udce2\udc82A"],
    [[0xf0, 0x9f, 0x98, 0x80, 0xff], "😀\udcff"],
  ];
  for (const [bytes, text] of cases) assert.equal(decode(Uint8Array.from(bytes)), text);
});

Deno.test("encodeText() refuses half of a surrogate pair", () => {
  const into = new Uint8Array(16);
  for (const text of ["\ud83d", "a\ud83dz", "\udc00", "\ud83d\ud83d"]) {
    assert.throws(() => encodeText(text, into, 0), RejectError);
  }
});
