/**
 * The consumers of `ring.c` in JavaScript: `raw PATH SECONDS` reads each record's number,
 * `changes PATH SECONDS` makes objects of them.
 *
 * @module
 */
import { sealNative } from "../../ffi/load.ts";
import { FRAME_HEAD_BYTES, RingConsumer } from "../../ffi/ring.ts";
import { decodeChanges } from "../../src/netipc/changes/codec.ts";
import { WireTexts } from "../../src/netipc/changes/texts.ts";
import { align8 } from "../../src/netipc/codec/span.ts";
import { Latencies } from "./latencies.ts";

const [kind = "", path = "", seconds = "1"] = Deno.args;
const library = new URL("../../build/libportsync.so", import.meta.url).pathname;
/** Where the time of day stands in a raw record's frame. */
const TIME_AT = 16;

sealNative(library, [path]);
await using ring = new RingConsumer({ library, path, capacity: 1 << 22 });
const { bytes, view } = ring.data;
const words = new Uint32Array(bytes.buffer);
const texts = new WireTexts();
let records = 0;
/** Milliseconds of the oldest record of the last poll. */
let oldest = 0;

/** Checks that no record is missing; how many there were. */
function readRaw(length: number): number {
  oldest = Number(view.getBigUint64(TIME_AT, true)) / 1e6;
  let number = records;
  for (let at = 0; at < length;) {
    const word = at >> 2;
    if ((words[word + 2] ?? 0) !== number >>> 0) throw new Error("a gap");
    number++;
    at += FRAME_HEAD_BYTES + (words[word] ?? 0) + 7 & ~7;
  }
  const frames = number - records;
  records = number;
  return frames;
}

function readChanges(length: number): number {
  let frames = 0;
  let first = true;
  for (let at = 0; at < length; frames++) {
    const size = view.getUint32(at, true);
    const span = { bytes, view, start: at + FRAME_HEAD_BYTES, length: size };
    for (const { id, time } of decodeChanges(span, texts).changes) {
      if (id !== ++records) throw new Error("a gap");
      if (first) oldest = time;
      first = false;
    }
    at = align8(at + FRAME_HEAD_BYTES + size);
  }
  return frames;
}

const read = kind === "raw" ? readRaw : readChanges;
const latencies = new Latencies();
/** What came before the first poll is read but not counted. */
let before = 0;
let start = 0;
for (let end = Infinity; start === 0 || performance.now() < end;) {
  const length = ring.poll(50);
  if (length === 0) {
    await ring.wait(1000);
    continue;
  }
  const now = performance.timeOrigin + performance.now();
  ring.commit(length, read(length));
  if (start === 0) {
    before = records;
    start = latencies.begin();
    end = start + Number(seconds) * 1000;
  } else {
    latencies.add((now - oldest) * 1e6);
  }
}
latencies.report(records - before);
