/**
 * Batches: several items of one method in one message.
 *
 * @module
 */
import { checkDirectory, DirectoryWriter, ENTRY_BYTES, itemOf } from "./directory.ts";
import { CodecError } from "./errors.ts";
import { align8, type Span, Window } from "./span.ts";

const RULES = { what: "batch", ordered: false, least: 0 };

/** The items of a batch that was received, in place. */
export class BatchView implements Iterable<Span> {
  /** How many items there are. */
  readonly count: number;
  readonly #span: Span;
  readonly #items: number;

  /**
   * Reads the payload of a message with the batch flag.
   *
   * @param count the header's item count
   * @throws {CodecError} when an item is outside or not aligned; they may overlap
   */
  constructor(span: Span, count: number) {
    this.#span = span;
    this.count = count;
    this.#items = checkDirectory(span, 0, count, RULES);
  }

  /** Item `i`, from 0 on. */
  item(i: number): Span {
    if (!(i >= 0 && i < this.count)) throw new CodecError("bad item count", "batch");
    return itemOf(this.#span, 0, this.#items, i);
  }

  /** Moves `window` to item `i`: for loops that have no time for an object an item. */
  move(window: Window, i: number): Window {
    if (!(i >= 0 && i < this.count)) throw new CodecError("bad item count", "batch");
    const { view, start } = this.#span;
    const entry = start + i * ENTRY_BYTES;
    return window.over(
      this.#span,
      this.#items + view.getUint32(entry, true),
      view.getUint32(entry + 4, true),
    );
  }

  /** Every item in order. */
  *[Symbol.iterator](): IterableIterator<Span> {
    for (let i = 0; i < this.count; i++) yield this.item(i);
  }

  /** Every item as a part of one copy. */
  materialize(): Uint8Array<ArrayBuffer>[] {
    const { bytes, start, length } = this.#span;
    const copy = bytes.slice(this.#items, start + length).buffer;
    return Array.from(this, (item) => new Uint8Array(copy, item.start - this.#items, item.length));
  }
}

/** Writes a batch of a known number of items. */
export class BatchBuilder {
  readonly #target: Span;
  readonly #writer: DirectoryWriter;
  readonly #count: number;
  readonly #room: Window;

  constructor(target: Span, count: number) {
    this.#target = target;
    this.#count = count;
    this.#room = new Window(target);
    this.#writer = new DirectoryWriter(target, 0, count);
    if (count * ENTRY_BYTES > target.length) throw new CodecError("overflow", "batch");
  }

  /**
   * Where the next item goes, and how much room it has: for items that are written in place. It is
   * the same window each time.
   */
  room(): Span {
    const { start, length } = this.#target;
    const at = start + align8(this.#writer.end - start);
    return this.#room.to(at, Math.max(0, start + length - at));
  }

  /**
   * Takes the `size` bytes that were written into {@linkcode room} as the next item.
   *
   * @throws {CodecError} when there is no room or the batch has all its items
   */
  commit(size: number): void {
    if (this.#writer.place(size) < 0) throw new CodecError("overflow", "batch");
  }

  /** Copies the next item. */
  add(item: Uint8Array): void {
    const at = this.#writer.place(item.length);
    if (at < 0) throw new CodecError("overflow", "batch");
    this.#target.bytes.set(item, at);
  }

  /**
   * Ends the batch, with zeros up to a multiple of 8 where they fit.
   *
   * @returns the length of the payload
   */
  finish(): number {
    if (this.#writer.count !== this.#count) throw new CodecError("bad item count", "batch");
    const { bytes, start, length } = this.#target;
    const end = this.#writer.finish();
    const padded = Math.min(start + align8(end - start), start + length);
    bytes.fill(0, end, padded);
    return padded - start;
  }
}
