/**
 * Directories: `{ u32 offset, u32 length }` for each item, and behind them the packed items, each
 * at a multiple of 8. Batches, snapshots and lookups have them.
 *
 * @module
 */
import { CodecError, type CodecFault } from "./errors.ts";
import { align8, type Span } from "./span.ts";

/** Bytes of one entry. */
export const ENTRY_BYTES = 8;

/** How strict a directory is. */
export interface DirectoryRules {
  /** What to call it in errors. */
  readonly what: string;
  /** Whether the items must stand one behind the other, as in lookups. */
  readonly ordered: boolean;
  /** The least length of an item. */
  readonly least: number;
}

/**
 * Checks a directory that begins at byte `at` of the span and has `count` entries.
 *
 * @returns where in the buffer the packed items begin
 * @throws {CodecError} when an item is outside, not aligned, too short or out of order
 */
export function checkDirectory(
  span: Span,
  at: number,
  count: number,
  rules: DirectoryRules,
): number {
  const { view, start, length } = span;
  const area = length - at - count * ENTRY_BYTES;
  if (area < 0) throw refusal("truncated", rules);
  let end = 0;
  for (let entry = start + at, i = 0; i < count; i++, entry += ENTRY_BYTES) {
    const offset = view.getUint32(entry, true);
    const size = view.getUint32(entry + 4, true);
    if (offset % 8 !== 0) throw refusal("bad alignment", rules);
    if (offset + size > area) throw refusal("out of bounds", rules);
    if (size < rules.least) throw new CodecError("truncated", `item of the ${rules.what}`);
    if (rules.ordered && offset < end) throw refusal("bad layout", rules);
    end = offset + size;
  }
  return start + at + count * ENTRY_BYTES;
}

function refusal(fault: CodecFault, { what }: DirectoryRules): CodecError {
  return new CodecError(fault, `directory of the ${what}`);
}

/** The span of item `i`; `items` is what {@linkcode checkDirectory} returned. */
export function itemOf(span: Span, at: number, items: number, i: number): Span {
  const entry = span.start + at + i * ENTRY_BYTES;
  const { view, bytes } = span;
  return {
    view,
    bytes,
    start: items + view.getUint32(entry, true),
    length: view.getUint32(entry + 4, true),
  };
}

/**
 * Writes items one after the other behind a directory for at most `capacity` of them. With fewer
 * items they move up at the end, so the bytes do not tell how many were expected.
 */
export class DirectoryWriter {
  /** Where in the buffer the next item may begin, before its alignment. */
  end: number;
  /** Items so far. */
  count = 0;
  readonly #target: Span;
  readonly #at: number;
  readonly #capacity: number;
  readonly #items: number;

  constructor(target: Span, at: number, capacity: number) {
    this.#target = target;
    this.#at = target.start + at;
    this.#capacity = capacity;
    this.#items = this.#at + capacity * ENTRY_BYTES;
    this.end = this.#items;
  }

  /**
   * Begins an item of `size` bytes: the gap before it is zeroed, its entry is written.
   *
   * @returns where in the buffer it stands, or -1 when it does not fit
   */
  place(size: number): number {
    const { view, bytes, start, length } = this.#target;
    const at = this.#items + align8(this.end - this.#items);
    if (this.count === this.#capacity || at + size > start + length) return -1;
    // At most seven: for so few a loop is faster than fill().
    for (let gap = this.end; gap < at; gap++) bytes[gap] = 0;
    const entry = this.#at + this.count++ * ENTRY_BYTES;
    view.setUint32(entry, at - this.#items, true);
    view.setUint32(entry + 4, size, true);
    this.end = at + size;
    return at;
  }

  /** Takes the last item back. */
  drop(end: number): void {
    this.count--;
    this.end = end;
  }

  /** Closes the gap that unused entries leave; returns where in the buffer everything ends. */
  finish(): number {
    const from = this.#at + this.count * ENTRY_BYTES;
    if (from < this.#items) this.#target.bytes.copyWithin(from, this.#items, this.end);
    return this.end - (this.#items - from);
  }
}
