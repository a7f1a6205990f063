/**
 * The outer header that stands before every message: 32 bytes.
 *
 * @module
 */
import { require } from "./errors.ts";
import type { Span } from "./span.ts";

/** Bytes of the outer header. */
export const HEADER_BYTES = 32;

/** What a message is. */
export const Kind = { request: 1, response: 2, control: 3 } as const;

/** Numbers of the methods; they are the same on every service. */
export const Method = {
  increment: 1,
  cgroupsSnapshot: 2,
  stringReverse: 3,
  cgroupsLookup: 4,
  appsLookup: 5,
} as const;

/** Outcomes of the envelope, in responses; what a method has to say stands in its payload. */
export const Status = {
  ok: 0,
  badEnvelope: 1,
  authFailed: 2,
  incompatible: 3,
  unsupported: 4,
  limitExceeded: 5,
  internalError: 6,
} as const;

/** Flag of a message that holds several items behind a directory. */
export const FLAG_BATCH = 1;

const MAGIC = 0x4e495043;
const VERSION = 1;

/** The fields of an outer header. */
export interface Header {
  readonly kind: number;
  readonly flags: number;
  /** Method, or opcode of a control message. */
  readonly code: number;
  readonly status: number;
  /** Bytes behind the header. */
  readonly payloadLength: number;
  /** 1 for a plain message. */
  readonly itemCount: number;
  readonly messageId: bigint;
}

/**
 * Reads the header at the beginning of a span.
 *
 * @throws {CodecError} for fewer than 32 bytes, and a wrong magic, version, length or kind; nothing
 * else is checked, as all peers do
 */
export function decodeHeader({ view, start, length }: Span): Header {
  require(length >= HEADER_BYTES, "truncated", "header");
  require(view.getUint32(start, true) === MAGIC, "bad magic", "header");
  require(view.getUint16(start + 4, true) === VERSION, "bad version", "header");
  require(view.getUint16(start + 6, true) === HEADER_BYTES, "bad header length", "header");
  const kind = view.getUint16(start + 8, true);
  require(kind >= Kind.request && kind <= Kind.control, "bad kind", "header");
  return {
    kind,
    flags: view.getUint16(start + 10, true),
    code: view.getUint16(start + 12, true),
    status: view.getUint16(start + 14, true),
    payloadLength: view.getUint32(start + 16, true),
    itemCount: view.getUint32(start + 20, true),
    messageId: view.getBigUint64(start + 24, true),
  };
}

/** Writes a header at `at`. */
export function encodeHeader(view: DataView, at: number, header: Header): void {
  writeHeader(view, at, header.kind, header.code, header.payloadLength);
  view.setUint16(at + 10, header.flags, true);
  view.setUint16(at + 14, header.status, true);
  view.setUint32(at + 20, header.itemCount, true);
  view.setBigUint64(at + 24, header.messageId, true);
}

/** Writes the header of a plain message without status; its id is a whole number below 2^53. */
export function writeHeader(
  view: DataView,
  at: number,
  kind: number,
  code: number,
  payloadLength: number,
  id = 0,
): void {
  view.setUint32(at, MAGIC, true);
  view.setUint32(at + 4, VERSION | HEADER_BYTES << 16, true);
  view.setUint32(at + 8, kind, true);
  view.setUint32(at + 12, code, true);
  view.setUint32(at + 16, payloadLength, true);
  view.setUint32(at + 20, 1, true);
  view.setUint32(at + 24, id, true);
  view.setUint32(at + 28, id / 2 ** 32, true);
}

/** Whether the message at `at` answers request `id` without an error. */
export function isAnswer(
  view: DataView,
  at: number,
  code: number,
  id: number,
  items: number,
): boolean {
  // Code and status are one word here: a status other than 0 is no answer.
  return view.getUint32(at + 12, true) === code && view.getUint32(at + 20, true) === items &&
    view.getUint32(at + 24, true) === id >>> 0 &&
    view.getUint32(at + 28, true) === Math.floor(id / 2 ** 32);
}
