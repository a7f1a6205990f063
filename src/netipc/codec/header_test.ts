import assert from "node:assert/strict";
import { decodeHeader, encodeHeader, HEADER_BYTES, Kind, writeHeader } from "./header.ts";
import { patched, refuses, sized, written } from "./testing.ts";

const HEADER = written(({ view }) => {
  writeHeader(view, 0, Kind.request, 3, 9);
  return HEADER_BYTES;
});

Deno.test("a header is refused for what the protocol checks", () => {
  refuses("truncated", () => decodeHeader(sized(patched(HEADER), 31)));
  refuses("bad magic", () => decodeHeader(patched(HEADER, [0, 1, 0])));
  refuses("bad version", () => decodeHeader(patched(HEADER, [4, 2, 2])));
  refuses("bad header length", () => decodeHeader(patched(HEADER, [6, 2, 36])));
  refuses("bad kind", () => decodeHeader(patched(HEADER, [8, 2, 0])));
  refuses("bad kind", () => decodeHeader(patched(HEADER, [8, 2, 4])));
});

Deno.test("a header is taken with what nobody checks", () => {
  const odd = patched(HEADER, [10, 2, 0xfffe], [14, 2, 77], [20, 4, 0]);
  const header = decodeHeader(odd);
  assert.deepEqual([header.flags, header.status, header.itemCount], [0xfffe, 77, 0]);
});

Deno.test("writeHeader() writes a plain message", () => {
  const plain = decodeHeader(patched(HEADER));
  assert.deepEqual(plain, {
    kind: 1,
    flags: 0,
    code: 3,
    status: 0,
    payloadLength: 9,
    itemCount: 1,
    messageId: 0n,
  });
  const again = patched(new Uint8Array(HEADER_BYTES).fill(0xff));
  encodeHeader(again.view, again.start, plain);
  assert.deepEqual(again.bytes.slice(8, 40), HEADER);
});
