/**
 * Receipts as they are sent to producers: the payload of a PUBLISH response.
 * `docs/change-codec.md` describes every byte.
 *
 * @module
 */
import { APPLIED, deferred, type Receipt, rejected, SUPERSEDED } from "../../core/change.ts";
import { RejectError } from "../../core/errors.ts";
import { require } from "../codec/errors.ts";
import { align8, decodeText, encodeText, type Span, spanOf } from "../codec/span.ts";

const LAYOUT_VERSION = 1;
const HEADER_BYTES = 16;
const REASON_BYTES = 8;
/** Longer reasons are cut off. */
const LONGEST_REASON = 256;

const OUTCOMES = { applied: 1, superseded: 2, rejected: 3, deferred: 4 } as const;

/**
 * Writes receipts.
 *
 * @param room longest payload; reasons that do not fit any more are left out
 */
export function encodeReceipts(receipts: readonly Receipt[], room: number): Uint8Array {
  const outcomesEnd = HEADER_BYTES + align8(receipts.length);
  const reasons: { readonly place: number; readonly bytes: Uint8Array }[] = [];
  let length = outcomesEnd;
  for (const [place, receipt] of receipts.entries()) {
    const reason = reasonOf(receipt);
    if (reason === undefined) continue;
    const bytes = encodeText(reason).subarray(0, LONGEST_REASON);
    const size = align8(REASON_BYTES + bytes.length);
    if (length + size > room) break;
    length += size;
    reasons.push({ place, bytes });
  }
  const { view, bytes } = spanOf(new Uint8Array(length));
  view.setUint16(0, LAYOUT_VERSION, true);
  view.setUint32(4, receipts.length, true);
  view.setUint32(8, reasons.length, true);
  for (const [i, { outcome }] of receipts.entries()) bytes[HEADER_BYTES + i] = OUTCOMES[outcome];
  let at = outcomesEnd;
  for (const reason of reasons) {
    view.setUint32(at, reason.place, true);
    view.setUint32(at + 4, reason.bytes.length, true);
    bytes.set(reason.bytes, at + REASON_BYTES);
    at = align8(at + REASON_BYTES + reason.bytes.length);
  }
  return bytes;
}

/**
 * Reads receipts.
 *
 * @throws {CodecError} for a payload that cannot be read
 */
export function decodeReceipts(span: Span): Receipt[] {
  const { view, bytes, start, length } = span;
  require(length >= HEADER_BYTES, "truncated", "receipts");
  require(view.getUint16(start, true) === LAYOUT_VERSION, "bad version", "receipts");
  require(view.getUint16(start + 2, true) === 0, "bad layout", "receipts");
  require(view.getUint32(start + 12, true) === 0, "bad layout", "receipts");
  const count = view.getUint32(start + 4, true);
  require(HEADER_BYTES + align8(count) <= length, "truncated", "receipts");
  const reasons = readReasons(span, HEADER_BYTES + align8(count), count);
  return Array.from(
    bytes.subarray(start + HEADER_BYTES, start + HEADER_BYTES + count),
    (outcome, i) => receiptOf(outcome, reasons.get(i)),
  );
}

function readReasons(span: Span, at: number, count: number): Map<number, string> {
  const { view, bytes, start, length } = span;
  const reasons = new Map<number, string>();
  for (let left = view.getUint32(start + 8, true); left > 0; left--) {
    require(at + REASON_BYTES <= length, "truncated", "reason");
    const place = view.getUint32(start + at, true);
    const end = at + REASON_BYTES + view.getUint32(start + at + 4, true);
    require(place < count && end <= length, "out of bounds", "reason");
    reasons.set(place, decodeText(bytes, start + at + REASON_BYTES, start + end));
    at = align8(end);
  }
  return reasons;
}

function receiptOf(outcome: number, reason = "no reason was given"): Receipt {
  switch (outcome) {
    case OUTCOMES.applied:
      return APPLIED;
    case OUTCOMES.superseded:
      return SUPERSEDED;
    case OUTCOMES.rejected:
      return rejected(new RejectError(reason));
    default:
      require(outcome === OUTCOMES.deferred, "bad layout", "outcome");
      return deferred(reason);
  }
}

function reasonOf(receipt: Receipt): string | undefined {
  if (receipt.outcome === "rejected") return receipt.error.message;
  return receipt.outcome === "deferred" ? receipt.reason : undefined;
}
