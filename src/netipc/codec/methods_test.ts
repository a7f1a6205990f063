// INCREMENT, STRING_REVERSE and the handshake's messages.
import assert from "node:assert/strict";
import { BatchBuilder } from "./batch.ts";
import {
  decodeHello,
  decodeHelloAck,
  encodeHello,
  encodeHelloAck,
  HELLO_ACK_BYTES,
  HELLO_BYTES,
} from "./hello.ts";
import {
  decodeIncrement,
  decodeIncrements,
  encodeIncrement,
  encodeIncrements,
} from "./increment.ts";
import { spanOf } from "./span.ts";
import { decodeString, encodeString } from "./string_reverse.ts";
import { patched, refuses, sized, written } from "./testing.ts";

Deno.test("a value to increment needs 8 bytes", () => {
  refuses("truncated", () => decodeIncrement(spanOf(new Uint8Array(7))));
  refuses("overflow", () => encodeIncrement(spanOf(new Uint8Array(7)), 1n));
});

Deno.test("values to increment are written as any batch is", () => {
  const values = BigUint64Array.of(1n, 0xffff_ffff_ffff_ffffn, 0n);
  const batch = written((target) => {
    const builder = new BatchBuilder(target, values.length);
    for (const value of values) builder.commit(encodeIncrement(builder.room(), value));
    return builder.finish();
  });
  assert.deepEqual(written((target) => encodeIncrements(target, values)), batch);
  assert.deepEqual(decodeIncrements(patched(batch), 3), values);
  assert.equal(encodeIncrements(spanOf(new Uint8Array()), new BigUint64Array()), 0);
  refuses("overflow", () => encodeIncrements(spanOf(new Uint8Array(47)), values));
});

Deno.test("values that were incremented may stand in any order, and each needs 8 bytes", () => {
  const values = BigUint64Array.of(1n, 2n);
  const batch = written((target) => encodeIncrements(target, values));
  assert.deepEqual(decodeIncrements(patched(batch, [0, 4, 8], [8, 4, 0]), 2), values.toReversed());
  assert.deepEqual(decodeIncrements(patched(batch, [4, 4, 16]), 2), values);
  refuses("truncated", () => decodeIncrements(patched(batch, [12, 4, 7]), 2));
  refuses("out of bounds", () => decodeIncrements(patched(batch, [12, 4, 9]), 2));
  refuses("bad alignment", () => decodeIncrements(patched(batch, [8, 4, 4]), 2));
  refuses("truncated", () => decodeIncrements(sized(patched(batch), 15), 2));
  // What was asked for may be asked again, so it stands until all of the answers are good.
  const own = BigUint64Array.of(8n, 9n);
  refuses("truncated", () => decodeIncrements(patched(batch, [12, 4, 7]), 2, own));
  assert.deepEqual(own, BigUint64Array.of(8n, 9n));
});

Deno.test("a string is refused outside of its message and without its NUL", () => {
  const string = written((target) => encodeString(target, "hello"));
  refuses("truncated", () => decodeString(sized(patched(string), 7)));
  refuses("bad layout", () => decodeString(patched(string, [0, 4, 9])));
  refuses("out of bounds", () => decodeString(sized(patched(string), 13)));
  refuses("out of bounds", () => decodeString(patched(string, [4, 4, 0xffffffff])));
  refuses("missing NUL", () => decodeString(patched(string, [13, 1, 1])));
  refuses("overflow", () => encodeString(spanOf(new Uint8Array(13)), "hello"));
  assert.equal(decodeString(patched(string, [4, 4, 5])).length, 5);
  assert.equal(encodeString(spanOf(new Uint8Array(9)), Uint8Array.of()), 9);
});

const HELLO = written((target) =>
  encodeHello(target, {
    flags: 0,
    supportedProfiles: 3,
    preferredProfiles: 3,
    maxRequestBytes: 1024,
    maxRequestItems: 2,
    maxResponseBytes: 2048,
    maxResponseItems: 3,
    authToken: 9n,
    packetSize: 65536,
  })
);

Deno.test("a HELLO is refused for what servers check", () => {
  refuses("truncated", () => decodeHello(sized(patched(HELLO), HELLO_BYTES - 1)));
  refuses("bad version", () => decodeHello(patched(HELLO, [0, 2, 2])));
  refuses("bad layout", () => decodeHello(patched(HELLO, [28, 4, 1])));
  assert.equal(decodeHello(patched(HELLO, [2, 2, 7])).flags, 7);
  refuses("overflow", () => encodeHello(spanOf(new Uint8Array(43)), decodeHello(patched(HELLO))));
});

Deno.test("a HELLO_ACK is refused for what clients check", () => {
  const ack = written((target) =>
    encodeHelloAck(target, {
      supportedProfiles: 3,
      intersectionProfiles: 3,
      selectedProfile: 2,
      maxRequestBytes: 1024,
      maxRequestItems: 2,
      maxResponseBytes: 2048,
      maxResponseItems: 2,
      packetSize: 65536,
      sessionId: 5n,
    })
  );
  refuses("truncated", () => decodeHelloAck(sized(patched(ack), HELLO_ACK_BYTES - 1)));
  refuses("bad version", () => decodeHelloAck(patched(ack, [0, 2, 2])));
  refuses("bad layout", () => decodeHelloAck(patched(ack, [2, 2, 1])));
  assert.equal(decodeHelloAck(patched(ack, [36, 4, 1])).sessionId, 5n);
  refuses(
    "overflow",
    () => encodeHelloAck(spanOf(new Uint8Array(47)), decodeHelloAck(patched(ack))),
  );
});
