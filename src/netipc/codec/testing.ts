/**
 * For the tests of the codecs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CodecError, type CodecFault } from "./errors.ts";
import { type Span, spanOf } from "./span.ts";

/** Writes numbers at byte offsets: `[at, width, value]`. */
export type Patch = readonly [at: number, width: 1 | 2 | 4, value: number];

/** The span of a copy of `bytes` with some of them changed, after a few foreign bytes. */
export function patched(bytes: Uint8Array, ...patches: readonly Patch[]): Span {
  const buffer = new Uint8Array(bytes.length + 24).fill(0x5a);
  buffer.set(bytes, 8);
  const view = new DataView(buffer.buffer);
  for (const [at, width, value] of patches) {
    if (width === 1) view.setUint8(8 + at, value);
    if (width === 2) view.setUint16(8 + at, value, true);
    if (width === 4) view.setUint32(8 + at, value, true);
  }
  return { view, bytes: buffer, start: 8, length: bytes.length };
}

/** The same span, shorter or longer. */
export function sized(span: Span, length: number): Span {
  return { ...span, length };
}

/** What `write` put into a buffer of `room` bytes. */
export function written(write: (target: Span) => number, room = 4096): Uint8Array {
  const target = spanOf(new Uint8Array(room));
  return target.bytes.slice(0, write(target));
}

/** Checks that `action` is refused for this reason. */
export function refuses(fault: CodecFault, action: () => unknown): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof CodecError, String(error));
    assert.equal(error.fault, fault, error.message);
    return true;
  });
}
