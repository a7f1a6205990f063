import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import {
  FRAME_BYTES,
  PS_FRAME_BEGIN,
  PS_FRAME_EVENT,
  PS_FRAME_FAILED,
  PS_FRAME_MARK,
  PS_FRAME_OVERRUN,
} from "../../../ffi/records.gen.ts";
import {
  HEADER_BYTES,
  type RecordedFrame,
  RecordingError,
  RecordingParser,
  RecordingWriter,
} from "./format.ts";

interface FrameWish {
  readonly kind: number;
  readonly flags?: number;
  readonly value?: number;
  readonly time?: number;
  readonly data?: Uint8Array;
}

/** A frame as the native library gives it, without a checksum. */
function frame({ kind, flags = 0, value = 0, time = 0, data = new Uint8Array() }: FrameWish) {
  const bytes = new Uint8Array(FRAME_BYTES + Math.ceil(data.length / 8) * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length, true);
  view.setUint8(4, kind);
  view.setUint8(5, flags);
  view.setUint32(8, value, true);
  view.setUint32(12, Math.floor(time / 1000), true);
  view.setUint32(16, Math.round((time % 1000) * 1e6), true);
  bytes.set(data, FRAME_BYTES);
  return bytes;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** What a writer makes of these frames. */
async function record(...frames: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  const writer = new RecordingWriter({
    write(bytes) {
      parts.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
  });
  await writer.begin(1234.5);
  await writer.write(concatenate(frames));
  await writer.end(2000);
  assert.equal(writer.bytes, parts.reduce((sum, { length }) => sum + length, 0));
  return concatenate(parts);
}

function parse(bytes: Uint8Array, step = bytes.length): RecordedFrame[] {
  const parser = new RecordingParser();
  const frames: RecordedFrame[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    frames.push(...parser.push(bytes.subarray(at, at + step)));
  }
  parser.end();
  return frames;
}

/** A file of one frame that is changed at will, its checksums made right again. */
async function forge(change: (view: DataView) => void, wish?: FrameWish) {
  const bytes = await record(frame(wish ?? { kind: PS_FRAME_EVENT, data: Uint8Array.of(1, 2, 3) }));
  const view = new DataView(bytes.buffer);
  change(view);
  const at = HEADER_BYTES;
  const size = Math.min(view.getUint32(at, true), bytes.length - at - FRAME_BYTES);
  const head = crc32(bytes.subarray(at, at + 20));
  const data = bytes.subarray(at + FRAME_BYTES, at + FRAME_BYTES + size);
  view.setUint32(at + 20, crc32(data, head), true);
  view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
  return bytes;
}

Deno.test("a recording gives back the frames that were written, in chunks of any size", async () => {
  const bytes = await record(
    frame({ kind: PS_FRAME_BEGIN, value: 7, time: 1500.25 }),
    frame({ kind: PS_FRAME_EVENT, flags: 1, time: 1600, data: Uint8Array.of(1, 2, 3) }),
    frame({ kind: PS_FRAME_OVERRUN, value: 1 }),
    frame({ kind: PS_FRAME_FAILED, value: 105 }),
  );
  for (const step of [1, 7, 64, bytes.length]) {
    const frames = parse(bytes, step);
    assert.deepEqual(frames.map(({ time }) => time), [1500.25, 1600, 0, 0]);
    assert.deepEqual(frames.map(({ bytes }) => bytes[4]), [3, 1, 4, 5]);
    assert.deepEqual(frames[1]?.bytes.subarray(FRAME_BYTES), Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0));
  }
  const parser = new RecordingParser();
  parser.push(bytes);
  assert.equal(parser.startTime, 1234.5);
  assert.equal(parser.frames, 4);
  assert(parser.ended);
});

Deno.test("a writer leaves the decoder's marks out of the file and gives them back", async () => {
  const parts: Uint8Array[] = [];
  const writer = new RecordingWriter({
    write(bytes) {
      // Short writes are whole in the end.
      parts.push(bytes.slice(0, 10));
      return Promise.resolve(Math.min(10, bytes.length));
    },
  });
  await writer.begin(0);
  const marks = await writer.write(concatenate([
    frame({ kind: PS_FRAME_MARK, value: 16 }),
    frame({ kind: PS_FRAME_EVENT, data: new Uint8Array(100) }),
    frame({ kind: PS_FRAME_MARK, value: 20 }),
  ]));
  assert.deepEqual(marks, [16, 20]);
  assert.deepEqual(await writer.write(frame({ kind: PS_FRAME_MARK, value: 17 })), [17]);
  assert.equal(writer.frames, 1);
  assert.equal(parse(concatenate(parts)).length, 1);
});

Deno.test("a recording without its last frame is read, and known to be cut off", async () => {
  const bytes = await record(frame({ kind: PS_FRAME_EVENT }));
  const parser = new RecordingParser();
  assert.equal(parser.push(bytes.subarray(0, bytes.length - FRAME_BYTES)).length, 1);
  parser.end();
  assert(!parser.ended);
});

Deno.test("a file that is no whole recording is refused with the place", async () => {
  const whole = await record(frame({ kind: PS_FRAME_EVENT, data: new Uint8Array(16) }));
  const cases: readonly [RegExp, Uint8Array][] = [
    [/byte 0: this is no recording of portsync/, new TextEncoder().encode("{")],
    [/byte 0: the file ends inside its header/, new Uint8Array()],
    [/byte 0: the file ends inside its header/, whole.subarray(0, 31)],
    [/inside a frame/, whole.subarray(0, HEADER_BYTES + 5)],
    [/byte 96: something follows the last frame/, concatenate([whole, Uint8Array.of(0)])],
    [/inside a frame/, whole.subarray(0, whole.length - 1)],
  ];
  for (const [complaint, bytes] of cases) {
    assert.throws(() => parse(bytes), (error) => {
      assert(error instanceof RecordingError);
      assert.match(error.message, complaint);
      return true;
    });
  }
});

Deno.test("a header or frame with a wrong value is refused, whatever its checksum says", async () => {
  const at = HEADER_BYTES;
  const cases: readonly [RegExp, (view: DataView) => void, FrameWish?][] = [
    [/other byte order/, (view) => view.setUint32(12, 0x04030201, true)],
    [/byte-order mark/, (view) => view.setUint32(12, 5, true)],
    [/byte 8: its version is 2/, (view) => view.setUint16(8, 2, true)],
    [/not as version 1/, (view) => view.setUint16(10, 40, true)],
    [/not as version 1/, (view) => view.setUint32(24, 1, true)],
    [/byte 32: a datagram of 65537 bytes/, (view) => view.setUint32(at, 65537, true)],
    [/unknown flags/, (view) => view.setUint8(at + 5, 2)],
    [/unknown flags/, (view) => view.setUint16(at + 6, 1, true)],
    [/no valid time/, (view) => view.setUint32(at + 16, 1e9, true)],
    [/padding/, (view) => view.setUint8(at + FRAME_BYTES + 3, 1)],
    [/no frame of kind 16/, (view) => view.setUint8(at + 4, PS_FRAME_MARK)],
    [/no frame of kind 0/, (view) => view.setUint8(at + 4, 0)],
    [/beginning of a dump/, () => {}, { kind: PS_FRAME_BEGIN, value: 0 }],
    [/beginning of a dump/, () => {}, { kind: PS_FRAME_BEGIN, value: 1, data: new Uint8Array(1) }],
    [/a loss makes no sense/, () => {}, { kind: PS_FRAME_OVERRUN, value: 4096 }],
    [/a loss makes no sense/, () => {}, { kind: PS_FRAME_FAILED, data: new Uint8Array(1) }],
    [/the last frame speaks of 5 frames, and there are 0/, () => {}, { kind: 255, value: 5 }],
  ];
  for (const [complaint, change, wish] of cases) {
    const bytes = await forge(change, wish);
    assert.throws(() => parse(bytes), complaint);
  }
});

Deno.test("a recording with any byte changed is refused, or is the same but for its end", async () => {
  const data = Uint8Array.from({ length: 13 }, (_, index) => index + 1);
  const whole = await record(frame({ kind: PS_FRAME_EVENT, data, time: 5 }));
  for (let at = 0; at < whole.length; at++) {
    const bytes = whole.slice();
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    assert.throws(() => parse(bytes), RecordingError, `byte ${at}`);
  }
});

Deno.test("a parser gives frames or a RecordingError for any bytes", async () => {
  const whole = await record(
    frame({ kind: PS_FRAME_BEGIN, value: 1 }),
    frame({ kind: PS_FRAME_EVENT, data: new Uint8Array(40) }),
  );
  fc.assert(fc.property(
    fc.nat(whole.length),
    fc.uint8Array({ maxLength: 64 }),
    fc.integer({ min: 1, max: 100 }),
    (cut, tail, step) => {
      try {
        parse(concatenate([whole.subarray(0, cut), tail]), step);
      } catch (error) {
        assert(error instanceof RecordingError);
      }
    },
  ));
});
