/**
 * What the two lookups share: headers, strings, labels, and what a server says when its answer
 * does not fit.
 *
 * @module
 */
import { checkDirectory, DirectoryWriter, ENTRY_BYTES, itemOf } from "./directory.ts";
import { CodecError, require } from "./errors.ts";
import { align8, bytesOf, decodeText, type Span, spanOf, type Text } from "./span.ts";

const LAYOUT_VERSION = 1;

/** Bytes of the header of a request and of a response. */
export const LOOKUP_HEADER_BYTES = 16;
const LABEL_BYTES = 16;

/** What runs the processes of a cgroup; other numbers may come. */
export const Orchestrator = {
  unknown: 0,
  systemd: 1,
  docker: 2,
  k8s: 3,
  kvm: 4,
  lxc: 5,
  podman: 6,
  nspawn: 7,
} as const;

/** A label of a cgroup. */
export interface Label {
  readonly key: string;
  readonly value: string;
}

/** A label to be written. */
export interface LabelText {
  readonly key: Text;
  readonly value: Text;
}

/** Names of the parts of one lookup, for errors. */
export interface LookupNames {
  readonly request: string;
  readonly response: string;
}

/** A request's keys in place: their spans, checked by whoever knows the keys. */
export class LookupKeys {
  /** How many keys there are. */
  readonly count: number;
  readonly #span: Span;
  readonly #keys: number;

  constructor(span: Span, names: LookupNames, least: number) {
    this.count = readHeader(span, names.request);
    const { view, start } = span;
    const reserved = view.getUint32(start + 8, true) | view.getUint32(start + 12, true);
    require(reserved === 0, "bad layout", names.request);
    const rules = { what: names.request, ordered: true, least };
    this.#span = span;
    this.#keys = checkDirectory(span, LOOKUP_HEADER_BYTES, this.count, rules);
  }

  /** Key `i`, from 0 on. */
  key(i: number): Span {
    return itemOf(this.#span, LOOKUP_HEADER_BYTES, this.#keys, i);
  }
}

/** A response's items in place: their spans, checked by whoever knows the items. */
export class LookupItems {
  /** How many items there are. */
  readonly count: number;
  readonly #span: Span;
  readonly #items: number;

  constructor(span: Span, names: LookupNames, least: number) {
    this.count = readHeader(span, names.response);
    const rules = { what: names.response, ordered: true, least };
    this.#span = span;
    this.#items = checkDirectory(span, LOOKUP_HEADER_BYTES, this.count, rules);
  }

  /** Counts the producer's changes. */
  get generation(): bigint {
    return this.#span.view.getBigUint64(this.#span.start + 8, true);
  }

  /** Item `i`, from 0 on. */
  item(i: number): Span {
    return itemOf(this.#span, LOOKUP_HEADER_BYTES, this.#items, i);
  }
}

function readHeader({ view, start, length }: Span, what: string): number {
  require(length >= LOOKUP_HEADER_BYTES, "truncated", what);
  require(view.getUint16(start, true) === LAYOUT_VERSION, "bad version", what);
  require(view.getUint16(start + 2, true) === 0, "bad layout", what);
  return view.getUint32(start + 4, true);
}

/** Writes the header of a request, which has no generation, or of a response. */
export function writeLookupHeader(target: Span, count: number, generation = 0n): void {
  const { view, start } = target;
  view.setUint32(start, LAYOUT_VERSION, true);
  view.setUint32(start + 4, count, true);
  view.setBigUint64(start + 8, generation, true);
}

/** Writes a request with keys that are ready bytes; returns its length. */
export function encodeKeys(target: Span, keys: readonly Uint8Array[], what: string): number {
  require(target.length >= LOOKUP_HEADER_BYTES, "overflow", what);
  const writer = new DirectoryWriter(target, LOOKUP_HEADER_BYTES, keys.length);
  for (const key of keys) {
    const at = writer.place(key.length);
    if (at < 0) throw new CodecError("overflow", what);
    target.bytes.set(key, at);
  }
  writeLookupHeader(target, keys.length);
  return writer.finish() - target.start;
}

/**
 * A response's payload made of items that are ready bytes.
 *
 * @param length of the whole payload
 */
export function joinItems(
  items: readonly Uint8Array[],
  generation: bigint,
  length: number,
): Uint8Array {
  const target = spanOf(new Uint8Array(length));
  const writer = new DirectoryWriter(target, LOOKUP_HEADER_BYTES, items.length);
  for (const item of items) target.bytes.set(item, writer.place(item.length));
  writeLookupHeader(target, items.length, generation);
  return target.bytes.subarray(0, writer.finish());
}

/**
 * Checks that a string of an item lies inside it, ends with a NUL and has none in it.
 *
 * @param at byte of the item where its offset and length stand
 * @param least where strings of the item may begin
 * @returns where in the buffer the string begins and ends, without its NUL
 */
export function checkString(
  { view, bytes, start, length }: Span,
  at: number,
  least: number,
  what: string,
): { readonly begin: number; readonly end: number } {
  const offset = view.getUint32(start + at, true);
  const size = view.getUint32(start + at + 4, true);
  require(offset >= least && offset + size + 1 <= length, "out of bounds", what);
  const begin = start + offset;
  const end = begin + size;
  require(bytes[end] === 0, "missing NUL", what);
  require(size === 0 || bytes.indexOf(0, begin) === end, "bad layout", what);
  return { begin, end };
}

/** Checks that two strings with their NULs do not overlap. */
export function checkApart(
  a: { readonly begin: number; readonly end: number },
  b: { readonly begin: number; readonly end: number },
  what: string,
): void {
  require(a.end < b.begin || b.end < a.begin, "bad layout", what);
}

/**
 * Checks the labels of an item: the table right behind the strings, then the strings of the
 * labels without a gap, then the item's end.
 *
 * @param end where in the buffer the fixed strings end, with the last NUL
 */
export function checkLabels(span: Span, end: number, count: number, what: string): void {
  const { view, bytes, start, length } = span;
  if (count === 0) return require(end === start + length, "bad layout", what);
  const table = align8(end - start);
  let expected = table + count * LABEL_BYTES;
  require(expected <= length, "truncated", what);
  for (let at = end; at < start + table; at++) require(bytes[at] === 0, "bad layout", what);
  for (let i = 0; i < 2 * count; i++) {
    const entry = table + i * (LABEL_BYTES / 2);
    require(view.getUint32(start + entry, true) === expected, "bad layout", what);
    const text = checkString(span, entry, expected, what);
    require(i % 2 === 1 || text.end > text.begin, "bad layout", what);
    expected = text.end + 1 - start;
  }
  require(expected === length, "bad layout", what);
}

/** Copies the labels of an item that {@linkcode checkLabels} has passed. */
export function readLabels({ view, bytes, start }: Span, end: number, count: number): Label[] {
  const table = start + align8(end - start);
  const text = (at: number) => {
    const begin = start + view.getUint32(at, true);
    return decodeText(bytes, begin, begin + view.getUint32(at + 4, true));
  };
  return Array.from({ length: count }, (_, i) => {
    const at = table + i * LABEL_BYTES;
    return { key: text(at), value: text(at + LABEL_BYTES / 2) };
  });
}

/** Labels as bytes, and how long they are behind `end` bytes of the item. */
export interface ReadyLabels {
  readonly strings: readonly Uint8Array[];
  /** The whole item's length. */
  readonly length: number;
}

/** Makes labels ready to be written behind the first `end` bytes of an item. */
export function prepareLabels(
  labels: readonly LabelText[],
  end: number,
  what: string,
): ReadyLabels {
  const strings = labels.flatMap(({ key, value }) => [bytesOf(key), bytesOf(value)]);
  require(labels.length <= 0xffff, "bad item count", what);
  for (const [i, string] of strings.entries()) {
    require(i % 2 === 1 || string.length > 0, "bad layout", what);
    require(!string.includes(0), "bad layout", what);
  }
  if (strings.length === 0) return { strings, length: end };
  const table = align8(end) + labels.length * LABEL_BYTES;
  return { strings, length: strings.reduce((sum, { length }) => sum + length + 1, table) };
}

/** Writes labels behind the first `end` bytes of the item at `at`. */
export function writeLabels(
  { view, bytes }: Span,
  at: number,
  end: number,
  labels: ReadyLabels,
): void {
  if (labels.strings.length === 0) return;
  const table = align8(end);
  bytes.fill(0, at + end, at + table);
  let place = table + labels.strings.length * (LABEL_BYTES / 2);
  for (const [i, string] of labels.strings.entries()) {
    const entry = at + table + i * (LABEL_BYTES / 2);
    view.setUint32(entry, place, true);
    view.setUint32(entry + 4, string.length, true);
    place = putString(bytes, at, place, string);
  }
}

/** Writes a string and its NUL at byte `place` of the item at `at`; returns the byte behind. */
export function putString(
  bytes: Uint8Array,
  at: number,
  place: number,
  string: Uint8Array,
): number {
  bytes.set(string, at + place);
  bytes[at + place + string.length] = 0;
  return place + string.length + 1;
}

/** How an item is written that was asked for. */
export interface ItemForms {
  /** Bytes of the whole item. */
  readonly length: number;
  /** Writes the whole item. */
  write(at: number): void;
}

/**
 * Writes a server's items. A whole item stays only while those after it still fit in their
 * shortest form; then it and all after it say that the answer was too large. An item that is too
 * large by itself says so alone.
 */
export class LookupWriter {
  readonly #target: Span;
  readonly #what: string;
  /** For each item its shortest length, and the room that those after it need in theirs. */
  readonly #shortest: { readonly length: number; readonly rest: number }[];
  readonly #writer: DirectoryWriter;
  #exceeded = false;

  /** @param compact the shortest length of each item that was asked for */
  constructor(target: Span, compact: readonly number[], what: string) {
    const count = compact.length;
    require(LOOKUP_HEADER_BYTES + count * ENTRY_BYTES <= target.length, "overflow", what);
    this.#target = target;
    this.#what = what;
    let rest = 0;
    this.#shortest = compact.toReversed().map((length) => {
      const item = { length, rest };
      rest += rest > 0 ? align8(length) : length;
      return item;
    }).reverse();
    this.#writer = new DirectoryWriter(target, LOOKUP_HEADER_BYTES, count);
  }

  /**
   * Adds the next item: whole, or as `writeCompact` does it.
   *
   * @param writeCompact writes the shortest form; `oversized` for an item too large by itself
   * @throws {CodecError} when there are more items than keys, or not even the shortest form fits
   */
  add(item: ItemForms, writeCompact: (at: number, oversized: boolean) => void): void {
    const i = this.#writer.count;
    const shortest = this.#shortest[i];
    require(shortest !== undefined, "bad item count", this.#what);
    const before = this.#writer.end;
    if (!this.#exceeded) {
      const at = this.#writer.place(item.length);
      const end = this.#writer.end - this.#target.start;
      if (at >= 0 && align8(end) + shortest.rest <= this.#target.length) {
        return item.write(at);
      }
      if (at >= 0) this.#writer.drop(before);
      this.#exceeded = i > 0;
    }
    const at = this.#writer.place(shortest.length);
    require(at >= 0, "overflow", this.#what);
    writeCompact(at, !this.#exceeded);
  }

  /** Writes the header; returns the payload's length. */
  finish(generation: bigint): number {
    require(this.#writer.count === this.#shortest.length, "bad item count", this.#what);
    writeLookupHeader(this.#target, this.#writer.count, generation);
    return this.#writer.finish() - this.#target.start;
  }
}
