/**
 * Batches: several items of one method in one message.
 *
 * @module
 */
import { checkDirectory, ENTRY_BYTES, itemOf } from "./directory.ts";
import { CodecError } from "./errors.ts";
import { align8, type Span, Window } from "./span.ts";

const RULES = { what: "batch", ordered: false, least: 0 };

/** The items of a batch that was received, in place. */
export class BatchView implements Iterable<Span> {
  /** How many items there are. */
  readonly count: number;
  readonly #span: Span;
  readonly #entries: number;
  readonly #items: number;
  readonly #window: Window;

  /**
   * Reads the payload of a message with the batch flag.
   *
   * @param count the header's item count
   * @throws {CodecError} when an item is outside or not aligned; they may overlap
   */
  constructor(span: Span, count: number) {
    this.#span = span;
    this.count = count;
    this.#entries = span.start;
    this.#items = checkDirectory(span, 0, count, RULES);
    this.#window = new Window(span);
  }

  /** Item `i`, from 0 on. */
  item(i: number): Span {
    if (!(i >= 0 && i < this.count)) throw new CodecError("bad item count", "batch");
    return itemOf(this.#span, 0, this.#items, i);
  }

  /** Item `i` in a window that the next `move` takes away: for loops without an object an item. */
  move(i: number): Span {
    if (!(i >= 0 && i < this.count)) throw new CodecError("bad item count", "batch");
    const { view } = this.#window;
    const entry = this.#entries + i * ENTRY_BYTES;
    return this.#window.to(
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
  /** Where the next item goes. */
  readonly #room: Window;
  /** Where its entry goes. */
  #entry: number;
  readonly #start: number;
  readonly #items: number;
  readonly #limit: number;

  constructor(target: Span, count: number) {
    const { start, length } = target;
    if (count * ENTRY_BYTES > length) throw new CodecError("overflow", "batch");
    this.#entry = this.#start = start;
    this.#items = start + count * ENTRY_BYTES;
    this.#limit = start + length;
    this.#room = new Window(target).to(this.#items, this.#limit - this.#items);
  }

  /**
   * Where the next item goes, and how much room it has: for items that are written in place. It is
   * the same window each time.
   */
  room(): Span {
    return this.#room;
  }

  /**
   * Takes the `size` bytes that were written into {@linkcode room} as the next item.
   *
   * @throws {CodecError} when there is no room or the batch has all its items
   */
  commit(size: number): void {
    const room = this.#room;
    const { start } = room;
    const entry = this.#entry;
    if (!(size >= 0 && size <= room.length) || entry === this.#items) {
      throw new CodecError("overflow", "batch");
    }
    room.view.setUint32(entry, start - this.#items, true);
    room.view.setUint32(entry + 4, size, true);
    this.#entry = entry + ENTRY_BYTES;
    room.start = size % 8 === 0 ? start + size : this.#pad(start + size);
    room.length = this.#limit - room.start;
  }

  /** Copies the next item. */
  add(item: Uint8Array): void {
    const { bytes, start, length } = this.#room;
    if (item.length <= length) bytes.set(item, start);
    this.commit(item.length);
  }

  /** Ends the batch and returns the length of the payload. */
  finish(): number {
    if (this.#entry !== this.#items) throw new CodecError("bad item count", "batch");
    return this.#room.start - this.#start;
  }

  /** Zeros up to the next item, or behind the last one as far as they fit. */
  #pad(end: number): number {
    const next = Math.min(this.#items + align8(end - this.#items), this.#limit);
    this.#room.bytes.fill(0, end, next);
    return next;
  }
}
