import assert from "node:assert/strict";
import fc from "fast-check";
import { RejectError } from "../../core/errors.ts";
import {
  CommandWriter,
  INITIAL_BUFFER_BYTES,
  MAX_BUFFER_BYTES,
  RETAINED_BUFFER_BYTES,
} from "./encode.ts";

function written(writer: CommandWriter): string {
  return new TextDecoder().decode(writer.take());
}

Deno.test("command() writes an array of bulk strings", () => {
  const writer = new CommandWriter();
  writer.command("HSET", "PORT_TABLE|Ethernet0", "state", "ok");
  assert.equal(
    written(writer),
    "*4\r\n$4\r\nHSET\r\n$20\r\nPORT_TABLE|Ethernet0\r\n$5\r\nstate\r\n$2\r\nok\r\n",
  );
  assert.equal(writer.commands, 1);
  assert.equal(writer.length, writer.take().length);
});

Deno.test("text() counts bytes, not characters", () => {
  const writer = new CommandWriter();
  writer.command("é", "\udcff", "a".repeat(60) + "😀", "");
  const text = new TextDecoder("latin1").decode(writer.take());
  assert.equal(
    text,
    `*4\r\n$2\r\nÃ©\r\n$1\r\nÿ\r\n$64\r\n${"a".repeat(60)}ð\u0178\u02dc\u20ac\r\n$0\r\n\r\n`,
  );
});

Deno.test("take() returns exactly what a plain encoder writes, for any text", () => {
  const utf8 = new TextEncoder();
  const plain = (parts: readonly string[]) =>
    `*${parts.length}\r\n` +
    parts.map((part) => `$${utf8.encode(part).length}\r\n${part}\r\n`).join("");
  const commands = fc.array(
    fc.array(
      fc.oneof(fc.string({ unit: "binary" }), fc.string({ minLength: 90, maxLength: 1200 })),
      { minLength: 1, maxLength: 120 },
    ),
    { maxLength: 5 },
  );
  const writer = new CommandWriter();
  fc.assert(fc.property(commands, (list) => {
    writer.reset();
    for (const parts of list) writer.command(...parts);
    assert.equal(written(writer), list.map(plain).join(""));
    assert.equal(writer.commands, list.length);
  }));
});

Deno.test("rewind() takes back commands, finished or not", () => {
  const writer = new CommandWriter();
  writer.command("PING");
  const { length, commands } = writer;
  writer.begin(3);
  writer.text("SET");
  writer.rewind(length, commands);
  assert.equal(written(writer), "*1\r\n$4\r\nPING\r\n");
  assert.equal(writer.commands, 1);
});

Deno.test("the buffer grows with what is written and is given back when it was large", () => {
  const writer = new CommandWriter();
  const small = writer.take().buffer;
  assert.equal(small.byteLength, INITIAL_BUFFER_BYTES);
  writer.command("SET", "key", "x".repeat(INITIAL_BUFFER_BYTES * 3));
  const grown = writer.take().buffer;
  writer.reset();
  assert.equal(writer.take().buffer, grown, "a moderate buffer is used again");
  writer.command("SET", "key", "é".repeat(RETAINED_BUFFER_BYTES));
  writer.reset();
  assert.equal(writer.take().buffer.byteLength, INITIAL_BUFFER_BYTES);
});

Deno.test("one write has a limit", () => {
  const writer = new CommandWriter();
  const part = "x".repeat(MAX_BUFFER_BYTES / 4);
  assert.throws(() => writer.command("MSET", part, part, part, part), RejectError);
});

Deno.test("a command with too few or too many parts is a fault of the caller", () => {
  const writer = new CommandWriter();
  assert.throws(() => writer.begin(0), RangeError);
  writer.begin(2);
  writer.text("GET");
  assert.throws(() => writer.take(), RangeError);
  assert.throws(() => writer.begin(1), RangeError);
  assert.throws(() => writer.finish(), RangeError);
  writer.text("key");
  writer.finish();
  assert.throws(() => writer.text("more"), RangeError);
});
