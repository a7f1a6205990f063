import assert from "node:assert/strict";
import fc from "fast-check";
import { ReconnectError } from "../../core/errors.ts";
import {
  MAX_BULK_BYTES,
  MAX_DEPTH,
  MAX_ELEMENTS,
  MAX_LINE_BYTES,
  MAX_REPLY_BYTES,
  MIN_READ_BYTES,
  ReplyParser,
  RETAINED_BUFFER_BYTES,
} from "./decode.ts";
import { ErrorReply, type Reply } from "./reply.ts";
import { encodedLength, encodeText } from "./text.ts";

function bytes(text: string): Uint8Array {
  const into = new Uint8Array(encodedLength(text));
  encodeText(text, into, 0);
  return into;
}

function parse(text: string): Reply[] {
  const parser = new ReplyParser();
  parser.push(bytes(text));
  return drain(parser);
}

function drain(parser: ReplyParser): Reply[] {
  const replies: Reply[] = [];
  for (let reply = parser.next(); reply !== undefined; reply = parser.next()) replies.push(reply);
  return replies;
}

/** The reply as the server writes it; the obvious way, as the oracle. */
function write(reply: Reply): string {
  if (reply === null) return "$-1\r\n";
  if (typeof reply === "number" || typeof reply === "bigint") return `:${reply}\r\n`;
  if (typeof reply === "string") return `$${encodedLength(reply)}\r\n${reply}\r\n`;
  if (reply instanceof ErrorReply) return `-${reply.message}\r\n`;
  return `*${reply.length}\r\n${reply.map(write).join("")}`;
}

const line = fc.string({ unit: "grapheme-ascii" });
const leaf: fc.Arbitrary<Reply> = fc.oneof(
  fc.constant(null),
  fc.integer(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.uint8Array({ maxLength: 300 }).map((raw) => String.fromCharCode(...raw)),
  line.map((text) => new ErrorReply(text)),
);
const { reply: anyReply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof({ depthSize: "small" }, leaf, fc.array(tie("reply"), { maxLength: 6 })),
}));

Deno.test("next() reads every type of RESP2", () => {
  assert.deepEqual(
    parse("+OK\r\n:0\r\n:-7\r\n$2\r\nok\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n:1\r\n*1\r\n+a\r\n"),
    ["OK", 0, -7, "ok", "", null, null, [], [1, ["a"]]],
  );
  assert.deepEqual(parse("+\r\n:-0\r\n"), ["", 0]);
  assert.deepEqual(parse(":9007199254740991\r\n:9007199254740993\r\n:-9223372036854775808\r\n"), [
    9007199254740991,
    9007199254740993n,
    -9223372036854775808n,
  ]);
});

Deno.test("next() gives error replies as values with their code", () => {
  const [wrong, plain, odd] = parse(
    "-WRONGTYPE Operation against a key\r\n-unknown thing\r\n-Error x\r\n",
  );
  assert.ok(wrong instanceof ErrorReply && plain instanceof ErrorReply);
  assert.equal(wrong.code, "WRONGTYPE");
  assert.equal(wrong.message, "WRONGTYPE Operation against a key");
  assert.equal(plain.code, "ERR");
  assert.ok(odd instanceof ErrorReply && odd.code === "ERR");
});

Deno.test("next() gives the same replies however the bytes are cut", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(anyReply, { maxLength: 8 }), cuts, (replies, sizes) => {
      const stream = bytes(replies.map(write).join(""));
      const parser = new ReplyParser();
      const seen: Reply[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        parser.push(stream.subarray(at, at + size));
        seen.push(...drain(parser));
        at += size;
      }
      assert.deepEqual(seen, replies);
    }),
    { numRuns: 500 },
  );
});

Deno.test("next() goes on after a stop at every single byte", () => {
  const text = "*3\r\n$6\r\nÄbcde\r\n:-12345\r\n*2\r\n$-1\r\n-ERR x\r\n+OK\r\n";
  const stream = bytes(text);
  for (let cut = 0; cut <= stream.length; cut++) {
    const parser = new ReplyParser();
    parser.push(stream.subarray(0, cut));
    const seen = drain(parser);
    parser.push(stream.subarray(cut));
    seen.push(...drain(parser));
    assert.deepEqual(seen, [["Äbcde", -12345, [null, new ErrorReply("ERR x")]], "OK"]);
  }
});

Deno.test("next() answers any garbage with replies, with patience or with a ReconnectError", () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(
      fc.constantFrom("*", "$", ":", "+", "-", "\r", "\n", "\r\n", "1", "3", "-1", "99", "a", "_"),
      { maxLength: 60 },
    ).map((parts) => bytes(parts.join(""))),
  );
  fc.assert(
    fc.property(noise, (stream) => {
      const parser = new ReplyParser();
      parser.push(stream);
      try {
        assert.ok(drain(parser).length <= stream.length);
      } catch (error) {
        assert.ok(error instanceof ReconnectError, String(error));
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("next() says what is wrong with what it cannot read", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["HTTP/1.1 400\r\n", /unknown type/],
    ["%1\r\n", /unknown type/],
    [":\r\n", /no digits/],
    [":-\r\n", /no digits/],
    [":12345678901234567890\r\n", /too many/],
    [":1x\r\n", /something else than digits/],
    [":1/\r\n", /something else than digits/],
    ["+a\nb\r\n", /line feed without/],
    ["+a\rb\r\n", /carriage return without/],
    ["$-2\r\n", /negative length/],
    ["*-2\r\n", /negative length/],
    ["$2\r\nabc\r\n", /does not end/],
    ["$2\r\nab\rc", /does not end/],
    [`$${MAX_BULK_BYTES + 1}\r\n`, /string is longer/],
    [`*${MAX_ELEMENTS + 1}\r\n`, /elements/],
    ["*1\r\n".repeat(MAX_DEPTH + 1), /nested deeper/],
    ["+" + "a".repeat(MAX_LINE_BYTES + 1), /line is longer/],
    ["+" + "a".repeat(MAX_LINE_BYTES + 1) + "\r\n", /line is longer/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parse(text), (error) => {
      assert.ok(error instanceof ReconnectError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.equal(parse("*1\r\n".repeat(MAX_DEPTH) + ":1\r\n").length, 1);
});

Deno.test("next() counts the elements and bytes of a whole reply", () => {
  const half = MAX_ELEMENTS / 2;
  const parser = new ReplyParser();
  const elements = bytes(":1\r\n".repeat(4096));
  assert.throws(() => {
    parser.push(bytes(`*3\r\n*${half}\r\n`));
    for (let sent = 0; sent < MAX_ELEMENTS; sent += 4096) {
      if (sent === half) parser.push(bytes(`*${half}\r\n`));
      parser.push(elements);
      drain(parser);
    }
  }, /elements/);

  const large = new ReplyParser();
  const bulk = bytes(write("x".repeat(MAX_BULK_BYTES)));
  assert.throws(() => {
    large.push(bytes("*9\r\n"));
    for (let sent = 0; sent <= MAX_REPLY_BYTES; sent += MAX_BULK_BYTES) {
      large.push(bulk);
      drain(large);
    }
  }, /reply is longer/);
});

Deno.test("space() offers room, grows for what has come and shrinks when all is read", () => {
  const parser = new ReplyParser();
  assert.equal(parser.space().buffer.byteLength, RETAINED_BUFFER_BYTES);
  assert.throws(() => parser.commit(-1), RangeError);
  assert.throws(() => parser.commit(RETAINED_BUFFER_BYTES + 1), RangeError);
  const text = "x".repeat(RETAINED_BUFFER_BYTES * 3);
  parser.push(bytes(write(text)));
  assert.ok(parser.space().length >= MIN_READ_BYTES);
  assert.ok(parser.space().buffer.byteLength > RETAINED_BUFFER_BYTES);
  assert.deepEqual(drain(parser), [text]);
  assert.equal(parser.space().buffer.byteLength, RETAINED_BUFFER_BYTES);
});

Deno.test("a reply behind many others is moved to the front, not copied into a larger buffer", () => {
  const parser = new ReplyParser();
  const many = "+OK\r\n".repeat(12_000);
  parser.push(bytes(`${many}$20000\r\n${"y".repeat(5_000)}`));
  assert.equal(drain(parser).length, 12_000);
  parser.push(bytes("y".repeat(15_000)));
  assert.equal(parser.space().buffer.byteLength, RETAINED_BUFFER_BYTES);
  parser.push(bytes("\r"));
  assert.equal(parser.next(), undefined);
  parser.push(bytes("\n"));
  assert.equal(parser.next(), "y".repeat(20_000));
});
