import assert from "node:assert/strict";
import fc from "fast-check";
import { readText, Texts } from "./texts.ts";

function view(...texts: readonly Uint8Array[]) {
  const buffer = new ArrayBuffer(texts.length * 16);
  const bytes = new Uint8Array(buffer);
  texts.forEach((text, index) => bytes.set(text, index * 16));
  return { words: new Uint32Array(buffer), bytes };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("readText() tells text from bytes that are none", () => {
  assert.deepEqual(readText(utf8("Ethernet0")), { text: "Ethernet0", valid: true });
  assert.deepEqual(readText(utf8("größe")), { text: "größe", valid: true });
  assert.deepEqual(readText(utf8("")), { text: "", valid: true });
  assert.deepEqual(readText(Uint8Array.of(0x61, 0xff)), { text: "a\\xff", valid: false });
  assert.deepEqual(readText(utf8("a\x1bb")), { text: "a\\x1bb", valid: false });
  assert.deepEqual(readText(utf8("\ufeff")), { text: "\\xef\\xbb\\xbf", valid: false });
});

Deno.test("readText() never gives characters that a terminal obeys", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 16 }), (bytes) => {
    assert.doesNotMatch(readText(bytes).text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }));
});

Deno.test("Texts decodes a text once and finds it again", () => {
  const texts = new Texts();
  const { words, bytes } = view(utf8("Ethernet0"), utf8("Ethernet4"), utf8("sixteen bytes ok"));
  const first = texts.read(words, bytes, 0, 9);
  assert.equal(first.text, "Ethernet0");
  assert(texts.read(words, bytes, 0, 9) === first);
  assert.equal(texts.read(words, bytes, 4, 9).text, "Ethernet4");
  assert.equal(texts.read(words, bytes, 8, 16).text, "sixteen bytes ok");
  // A size from outside that cannot be.
  assert.equal(texts.read(words, bytes, 8, 200).text, "sixteen bytes ok");
  assert.equal(texts.size, 3);
});

Deno.test("Texts grows with the texts and finds all of them", () => {
  const texts = new Texts();
  const names = Array.from({ length: 20_000 }, (_, index) => `Ethernet${index}`);
  for (let round = 0; round < 2; round++) {
    for (const name of names) {
      const { words, bytes } = view(utf8(name));
      assert.equal(texts.read(words, bytes, 0, name.length).text, name);
    }
  }
  assert.equal(texts.size, names.length);
});

Deno.test("Texts forgets all when there are too many, and goes on", () => {
  const texts = new Texts(1000);
  const { words, bytes } = view(new Uint8Array(16));
  for (let index = 0; index < 5000; index++) {
    words[0] = 0x20202020;
    words[1] = index;
    texts.read(words, bytes, 0, 8);
  }
  assert(texts.size < 2048);
  const known = texts.read(words, bytes, 0, 8);
  assert(texts.read(words, bytes, 0, 8) === known);
});
