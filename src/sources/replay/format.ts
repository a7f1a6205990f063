/**
 * Recordings of link datagrams: the file format of `docs/record-format.md`, to write and to read.
 * Whatever a file holds, reading it either gives whole, checked frames or says what is wrong.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import {
  FRAME_BYTES,
  PS_FRAME_BEGIN,
  PS_FRAME_DUMP,
  PS_FRAME_EVENT,
  PS_FRAME_FAILED,
  PS_FRAME_MARK,
  PS_FRAME_OVERRUN,
  PS_FRAME_TRUNCATED,
} from "../../../ffi/records.gen.ts";

/** Bytes before the first frame. */
export const HEADER_BYTES = 32;
const MAGIC = Uint8Array.of(0x89, 0x50, 0x53, 0x4e, 0x4c, 0x0d, 0x0a, 0x1a);
const VERSION = 1;
const BYTE_ORDER = 0x01020304;
const OTHER_BYTE_ORDER = 0x04030201;
/** The last frame, which the decoder never sees: its value is the number of those before it. */
const FRAME_END = 255;
const LARGEST_DATAGRAM = 65536;
/** `errno`s and reasons are below this. */
const LARGEST_CODE = 4095;
const CHECK_AT = 20;

/** A recording that cannot be read, and where. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
  /** Where in the file, in bytes from its beginning. */
  readonly offset: number;

  constructor(complaint: string, offset: number) {
    super(`The recording cannot be read at byte ${offset}: ${complaint}`);
    this.offset = offset;
  }
}

/** A frame as the native decoder takes it: header, datagram, padding. */
export interface RecordedFrame {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** When its datagram arrived, milliseconds since the epoch. */
  readonly time: number;
}

/** Reads a recording from chunks of any size. It does no I/O. */
export class RecordingParser {
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();
  /** Offset in the file of the first byte of `#rest`. */
  #offset = 0;
  #frames = 0;
  #ended = false;
  #startTime: number | undefined;

  /** When the recording was begun, milliseconds since the epoch; known after the header. */
  get startTime(): number | undefined {
    return this.#startTime;
  }

  /** Whether the last frame was read. A recorder that was killed leaves a file without it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Frames read so far. */
  get frames(): number {
    return this.#frames;
  }

  /**
   * Takes the next bytes of the file and gives the frames that are whole by now.
   *
   * @throws {RecordingError}
   */
  push(chunk: Uint8Array): RecordedFrame[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const view = new DataView(bytes.buffer);
    const frames: RecordedFrame[] = [];
    let at = 0;
    if (this.#startTime === undefined) {
      checkMagic(bytes);
      if (bytes.length >= HEADER_BYTES) {
        this.#startTime = readHeader(view);
        at = HEADER_BYTES;
      }
    }
    while (this.#startTime !== undefined) {
      if (this.#ended && at < bytes.length) this.#fail("something follows the last frame", at);
      const size = this.#sizeOf(view, at);
      if (size === undefined) break;
      const frame = this.#readFrame(bytes.subarray(at, at + size), view, at);
      if (frame !== undefined) frames.push(frame);
      at += size;
    }
    this.#rest = bytes.slice(at);
    this.#offset += at;
    return frames;
  }

  /**
   * To be called at the end of the file. A file that simply stops after a whole frame is fine;
   * `ended` tells of it.
   *
   * @throws {RecordingError} when the file stops inside its header or a frame
   */
  end(): void {
    if (this.#startTime === undefined) this.#fail("the file ends inside its header", 0);
    if (this.#rest.length > 0) this.#fail("the file ends inside a frame", this.#rest.length);
  }

  /** Bytes of the frame that begins here, or `undefined` until all of it is there. */
  #sizeOf(view: DataView, at: number): number | undefined {
    const left = view.byteLength - at;
    if (left < FRAME_BYTES) return undefined;
    const size = view.getUint32(at, true);
    if (size > LARGEST_DATAGRAM) this.#fail(`a datagram of ${size} bytes is too long`, at);
    const whole = FRAME_BYTES + padded(size);
    return left < whole ? undefined : whole;
  }

  #readFrame(
    bytes: Uint8Array<ArrayBuffer>,
    view: DataView,
    at: number,
  ): RecordedFrame | undefined {
    const size = view.getUint32(at, true);
    const kind = view.getUint8(at + 4);
    const value = view.getUint32(at + 8, true);
    const complaint = complain(bytes, view, at);
    if (complaint !== undefined) this.#fail(complaint, at);
    if (kind === FRAME_END) {
      if (size > 0 || value !== this.#frames % 2 ** 32) {
        this.#fail(`the last frame speaks of ${value} frames, and there are ${this.#frames}`, at);
      }
      this.#ended = true;
      return undefined;
    }
    this.#frames++;
    const time = view.getUint32(at + 12, true) * 1000 + view.getUint32(at + 16, true) / 1e6;
    return { bytes, time };
  }

  #fail(complaint: string, at: number): never {
    throw new RecordingError(complaint, this.#offset + at);
  }
}

/** What is wrong with a frame by itself. */
function complain(bytes: Uint8Array, view: DataView, at: number): string | undefined {
  const size = view.getUint32(at, true);
  const kind = view.getUint8(at + 4);
  const value = view.getUint32(at + 8, true);
  if (view.getUint32(at + CHECK_AT, true) !== checkOf(bytes, size)) {
    return "the checksum of a frame is wrong";
  }
  if ((view.getUint8(at + 5) & ~PS_FRAME_TRUNCATED) !== 0 || view.getUint16(at + 6, true) !== 0) {
    return "a frame has unknown flags";
  }
  if (view.getUint32(at + 16, true) >= 1e9) return "a frame has no valid time";
  if (bytes.subarray(FRAME_BYTES + size).some((byte) => byte !== 0)) {
    return "the padding of a frame is not zero";
  }
  switch (kind) {
    case PS_FRAME_EVENT:
    case PS_FRAME_DUMP:
    case FRAME_END:
      return undefined;
    case PS_FRAME_BEGIN:
      return size === 0 && value !== 0 ? undefined : "the beginning of a dump makes no sense";
    case PS_FRAME_OVERRUN:
    case PS_FRAME_FAILED:
      return size === 0 && value <= LARGEST_CODE ? undefined : "a loss makes no sense";
    default:
      return `there is no frame of kind ${kind}`;
  }
}

/** As soon as possible, so that a file of another kind is not read to its end first. */
function checkMagic(bytes: Uint8Array): void {
  for (let index = 0; index < Math.min(MAGIC.length, bytes.length); index++) {
    if (bytes[index] !== MAGIC[index]) {
      throw new RecordingError("this is no recording of portsync", 0);
    }
  }
}

function readHeader(view: DataView): number {
  const order = view.getUint32(12, true);
  if (order === OTHER_BYTE_ORDER) {
    throw new RecordingError("it was recorded on a machine of the other byte order", 12);
  }
  if (order !== BYTE_ORDER) throw new RecordingError("its byte-order mark is wrong", 12);
  const version = view.getUint16(8, true);
  if (version !== VERSION) {
    throw new RecordingError(`its version is ${version}, and this portsync reads ${VERSION}`, 8);
  }
  if (view.getUint16(10, true) !== HEADER_BYTES || view.getUint32(24, true) !== 0) {
    throw new RecordingError("its header is not as version 1 has it", 10);
  }
  const header = new Uint8Array(view.buffer, view.byteOffset, HEADER_BYTES);
  if (view.getUint32(28, true) !== crc32(header.subarray(0, 28))) {
    throw new RecordingError("the checksum of its header is wrong", 28);
  }
  return view.getUint32(16, true) * 1000 + view.getUint32(20, true) / 1e6;
}

/** Where recordings are written: a file, or a buffer in tests. */
export interface RecordingSink {
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes a recording. Call `begin`, then `write`, then `end`. */
export class RecordingWriter {
  readonly #sink: RecordingSink;
  #frames = 0;
  #bytes = 0;

  constructor(sink: RecordingSink) {
    this.#sink = sink;
  }

  /** Frames written so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param time when the recording begins, milliseconds since the epoch */
  async begin(time: number): Promise<void> {
    const bytes = new Uint8Array(HEADER_BYTES);
    const view = new DataView(bytes.buffer);
    bytes.set(MAGIC);
    view.setUint16(8, VERSION, true);
    view.setUint16(10, HEADER_BYTES, true);
    view.setUint32(12, BYTE_ORDER, true);
    setTime(view, 16, time);
    view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
    await this.#put(bytes);
  }

  /**
   * Writes the frames that a socket opened for frames has given.
   *
   * @param bytes frames, one after the other; checksums are filled in here
   * @returns the values of the decoder's marks among them, which are not written
   */
  async write(bytes: Uint8Array): Promise<number[]> {
    const copy = bytes.slice();
    const view = new DataView(copy.buffer);
    const marks: number[] = [];
    let used = 0;
    for (let at = 0; at < copy.length;) {
      const size = view.getUint32(at, true);
      const whole = FRAME_BYTES + padded(size);
      if (view.getUint8(at + 4) === PS_FRAME_MARK) {
        marks.push(view.getUint32(at + 8, true));
      } else {
        view.setUint32(at + CHECK_AT, checkOf(copy.subarray(at), size), true);
        copy.copyWithin(used, at, at + whole);
        used += whole;
        this.#frames++;
      }
      at += whole;
    }
    if (used > 0) await this.#put(copy.subarray(0, used));
    return marks;
  }

  /** Writes the last frame, which tells a reader that nothing is missing. */
  async end(time: number): Promise<void> {
    const bytes = new Uint8Array(FRAME_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint8(4, FRAME_END);
    view.setUint32(8, this.#frames % 2 ** 32, true);
    setTime(view, 12, time);
    view.setUint32(CHECK_AT, checkOf(bytes, 0), true);
    await this.#put(bytes);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#sink.write(bytes.subarray(at));
    this.#bytes += bytes.length;
  }
}

/** CRC-32 of a frame's header without the checksum itself, and of its datagram. */
function checkOf(frame: Uint8Array, size: number): number {
  const head = crc32(frame.subarray(0, CHECK_AT));
  return crc32(frame.subarray(FRAME_BYTES, FRAME_BYTES + size), head);
}

function padded(size: number): number {
  return Math.ceil(size / 8) * 8;
}

function setTime(view: DataView, at: number, time: number): void {
  view.setUint32(at, Math.floor(time / 1000), true);
  view.setUint32(at + 4, Math.floor((time % 1000) * 1e6), true);
}
