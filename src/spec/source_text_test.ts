import assert from "node:assert/strict";
import fc from "fast-check";
import { renderComplaint, SpecError } from "./errors.ts";
import { decodeSpec, SourceText } from "./source_text.ts";

/** What a complaint about the piece of a text looks like. */
function excerpt(text: string, piece: string): string {
  const start = text.indexOf(piece);
  const complaint = new SourceText("x.yaml", text).complain(
    { start, end: start + piece.length },
    "Bad",
  );
  return renderComplaint(complaint);
}

Deno.test("A complaint shows the line with carets under the piece", () => {
  assert.equal(excerpt("a: 1\nb: two\nc: 3", "two"), "x.yaml:2:4: Bad\n  2 | b: two\n    |    ^^^");
});

Deno.test("Columns count characters, and tabs keep their width in the line of carets", () => {
  assert.equal(excerpt("\t🙂é: two", "two"), "x.yaml:1:6: Bad\n  1 | \t🙂é: two\n    | \t    ^^^");
});

Deno.test("A piece of several lines is marked in its first line", () => {
  assert.equal(
    excerpt("a: {b,\r\n  c}", "{b,\r\n  c}"),
    "x.yaml:1:4: Bad\n  1 | a: {b,\n    |    ^^^",
  );
});

Deno.test("A long line is cut around the piece", () => {
  const shown = excerpt(`${"a".repeat(5000)}<here>${"b".repeat(5000)}`, "<here>").split("\n");
  assert.equal(shown[0], "x.yaml:1:5001: Bad");
  const [line = "", carets = ""] = shown.slice(1);
  assert(line.length < 130, line);
  assert.equal(line.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1), "<here>");
});

Deno.test("Nothing of a spec moves a cursor or turns the direction of a terminal", () => {
  const shown = excerpt("a: \u001b[31mred\u202e \u0085", "red");
  // deno-lint-ignore no-control-regex -- these must not be there
  assert.doesNotMatch(shown, /[\u001b\u202e\u0085]/);
  assert.equal(shown.split("\n")[1], "  1 | a: �[31mred� �");
});

Deno.test("Secrets in a shown line are masked, references are not", () => {
  for (
    const [line, shown] of [
      ["password: hunter2", "password: *******"],
      ['  "password": "hunter2"', '  "password": *********'],
      ["{ type: x, password: hunter2 }", "{ type: x, password: *********"],
      ["auth_token = 'abc'", "auth_token = *****"],
      ["url: redis://me:hunter2@host", "url: redis://me:*******@host"],
      ["password: ${file:/etc/secret}", "password: ${file:/etc/secret}"],
      ['password = "${credential:redis}" # ours', 'password = "${credential:redis}" # ours'],
      ["password_file: x", "password_file: x"],
    ] as const
  ) {
    const whole = excerpt(line, line.slice(0, 1));
    assert.equal(whole.split("\n")[1], `  1 | ${shown}`);
  }
});

Deno.test("decodeSpec() finds the first byte that is no UTF-8", () => {
  const start = new TextEncoder().encode("a: é\nb: ");
  for (const bad of [[0xff], [0xe2, 0x82], [0xc3, 0x28], [0xed, 0xa0, 0x80]]) {
    const bytes = new Uint8Array([...start, ...bad]);
    assert.throws(() => decodeSpec("x.yaml", bytes), (error) => {
      assert(error instanceof SpecError);
      assert.match(error.message, /^x\.yaml:2:4: The file is not UTF-8/, bad.join());
      return true;
    });
  }
});

Deno.test("decodeSpec() takes a byte order mark and Windows line ends", () => {
  const bytes = new TextEncoder().encode("\ufeffversion: 1\r\n");
  assert.equal(decodeSpec("x.yaml", bytes).text, "version: 1\r\n");
});

Deno.test("at() and offset() agree about every place of a text", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\n", "é", " ") });
  fc.assert(fc.property(text, fc.nat(), (one, seed) => {
    const source = new SourceText("x.yaml", one);
    const offset = seed % (one.length + 1);
    const { line, column } = source.at(offset);
    assert.equal(source.offset(line, column), offset);
    assert.equal(line, one.slice(0, offset).split("\n").length);
  }));
});
