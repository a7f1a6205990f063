import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeControls } from "./escape.ts";

Deno.test("escapeControls() leaves ordinary text as it is, in any script", () => {
  assert.equal(escapeControls("Ethernet0 — Größe 面"), "Ethernet0 — Größe 面");
});

Deno.test("escapeControls() writes escape sequences, line ends and hidden marks out", () => {
  assert.equal(escapeControls("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  assert.equal(escapeControls("x\u202ey\u2028\ufeff"), "x\\u{202e}y\\u{2028}\\u{feff}");
  assert.equal(escapeControls("\x9b31m\ud800"), "\\x9b31m\\u{d800}");
});

Deno.test("escapeControls() never lets a control character through, and is idempotent", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const safe = escapeControls(text);
    // deno-lint-ignore no-control-regex -- the property is about them
    assert.doesNotMatch(safe, /[\u0000-\u001f\u007f-\u009f]/);
    assert.equal(escapeControls(safe), safe);
  }));
});
