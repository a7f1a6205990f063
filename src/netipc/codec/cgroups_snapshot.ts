/**
 * CGROUPS_SNAPSHOT: every cgroup that a service knows, in one response.
 *
 * @module
 */
import { checkDirectory, DirectoryWriter, ENTRY_BYTES, itemOf } from "./directory.ts";
import { CodecError, require } from "./errors.ts";
import { bytesOf, decodeText, type Span, type Text } from "./span.ts";

const LAYOUT_VERSION = 1;
const REQUEST_BYTES = 4;
const RESPONSE_BYTES = 24;
const ITEM_BYTES = 32;
const RULES = { what: "snapshot", ordered: false, least: ITEM_BYTES };

/** One cgroup. */
export interface SnapshotItem {
  /** The producer's hash of the name; only to be compared. */
  readonly hash: number;
  readonly options: number;
  readonly enabled: number;
  readonly name: string;
  readonly path: string;
}

/** A whole snapshot, copied. */
export interface Snapshot {
  readonly systemdEnabled: number;
  readonly generation: bigint;
  readonly items: readonly SnapshotItem[];
}

/** Checks a request: 4 bytes, version and flags. */
export function decodeSnapshotRequest({ view, start, length }: Span): void {
  require(length >= REQUEST_BYTES, "truncated", "request for a snapshot");
  require(view.getUint16(start, true) === LAYOUT_VERSION, "bad version", "request for a snapshot");
  require(view.getUint16(start + 2, true) === 0, "bad layout", "request for a snapshot");
}

/** Writes a request and returns its length. */
export function encodeSnapshotRequest({ view, start, length }: Span): number {
  require(length >= REQUEST_BYTES, "overflow", "request for a snapshot");
  view.setUint32(start, LAYOUT_VERSION, true);
  return REQUEST_BYTES;
}

/** A snapshot in place. Items are checked when they are read, as the protocol has it. */
export class SnapshotView {
  /** How many items there are. */
  readonly count: number;
  readonly systemdEnabled: number;
  readonly #span: Span;
  readonly #items: number;

  /**
   * Reads a response.
   *
   * @throws {CodecError} for what is wrong with its header or directory
   */
  constructor(span: Span) {
    const { view, start, length } = span;
    require(length >= RESPONSE_BYTES, "truncated", "snapshot");
    require(view.getUint16(start, true) === LAYOUT_VERSION, "bad version", "snapshot");
    require(view.getUint16(start + 2, true) === 0, "bad layout", "snapshot");
    require(view.getUint32(start + 12, true) === 0, "bad layout", "snapshot");
    this.count = view.getUint32(start + 4, true);
    this.systemdEnabled = view.getUint32(start + 8, true);
    this.#span = span;
    this.#items = checkDirectory(span, RESPONSE_BYTES, this.count, RULES);
  }

  /** Counts the producer's changes. */
  get generation(): bigint {
    return this.#span.view.getBigUint64(this.#span.start + 16, true);
  }

  /**
   * Item `i`, from 0 on.
   *
   * @throws {CodecError} when there is none, or it is at fault
   */
  item(i: number): SnapshotItemView {
    require(i >= 0 && i < this.count, "bad item count", "snapshot");
    return new SnapshotItemView(itemOf(this.#span, RESPONSE_BYTES, this.#items, i));
  }

  /** A copy of everything. */
  materialize(): Snapshot {
    const items: SnapshotItem[] = [];
    for (let i = 0; i < this.count; i++) items.push(this.item(i).materialize());
    return { systemdEnabled: this.systemdEnabled, generation: this.generation, items };
  }
}

/** An item in place. */
export class SnapshotItemView {
  readonly #span: Span;
  readonly #name: number;
  readonly #nameEnd: number;
  readonly #path: number;
  readonly #pathEnd: number;

  /** Reads an item, whose span has at least 32 bytes. */
  constructor(span: Span) {
    const { view, start } = span;
    require(view.getUint16(start, true) === LAYOUT_VERSION, "bad version", "item of the snapshot");
    require(view.getUint16(start + 2, true) === 0, "bad layout", "item of the snapshot");
    this.#span = span;
    this.#name = start + view.getUint32(start + 16, true);
    this.#nameEnd = this.#name + view.getUint32(start + 20, true);
    this.#path = start + view.getUint32(start + 24, true);
    this.#pathEnd = this.#path + view.getUint32(start + 28, true);
    checkString(span, this.#name, this.#nameEnd, "name in the snapshot");
    checkString(span, this.#path, this.#pathEnd, "path in the snapshot");
    const apart = this.#nameEnd < this.#path || this.#pathEnd < this.#name;
    require(apart, "bad layout", "item of the snapshot");
  }

  /** The producer's hash of the name; only to be compared. */
  get hash(): number {
    return this.#span.view.getUint32(this.#span.start + 4, true);
  }

  get options(): number {
    return this.#span.view.getUint32(this.#span.start + 8, true);
  }

  get enabled(): number {
    return this.#span.view.getUint32(this.#span.start + 12, true);
  }

  /** The name's bytes, in place. */
  get name(): Uint8Array {
    return this.#span.bytes.subarray(this.#name, this.#nameEnd);
  }

  /** The path's bytes, in place. */
  get path(): Uint8Array {
    return this.#span.bytes.subarray(this.#path, this.#pathEnd);
  }

  /** A copy. */
  materialize(): SnapshotItem {
    return {
      hash: this.hash,
      options: this.options,
      enabled: this.enabled,
      name: decodeText(this.#span.bytes, this.#name, this.#nameEnd),
      path: decodeText(this.#span.bytes, this.#path, this.#pathEnd),
    };
  }
}

function checkString(span: Span, at: number, end: number, what: string): void {
  require(at >= span.start + ITEM_BYTES, "out of bounds", what);
  require(end < span.start + span.length, "out of bounds", what);
  require(span.bytes[end] === 0, "missing NUL", what);
}

/** Writes a snapshot, in the one form that all encoders give. */
export class SnapshotBuilder {
  readonly #target: Span;
  readonly #writer: DirectoryWriter;

  /**
   * @param target where to write, and how much room there is
   * @param maxItems entries to keep free for; default what such a buffer holds of short items
   */
  constructor(target: Span, maxItems?: number) {
    require(target.length >= RESPONSE_BYTES, "overflow", "snapshot");
    const capacity = maxItems ??
      Math.floor((target.length - RESPONSE_BYTES) / (ITEM_BYTES + 2 * ENTRY_BYTES));
    const room = RESPONSE_BYTES + capacity * ENTRY_BYTES;
    require(room <= target.length, "overflow", "snapshot");
    this.#target = target;
    this.#writer = new DirectoryWriter(target, RESPONSE_BYTES, capacity);
  }

  /**
   * Adds an item.
   *
   * @throws {CodecError} with the fault `overflow` when it does not fit
   */
  add(item: {
    readonly hash: number;
    readonly options: number;
    readonly enabled: number;
    readonly name: Text;
    readonly path: Text;
  }): void {
    const name = bytesOf(item.name);
    const path = bytesOf(item.path);
    const { view, bytes } = this.#target;
    const at = this.#writer.place(ITEM_BYTES + name.length + path.length + 2);
    if (at < 0) throw new CodecError("overflow", "snapshot");
    const pathAt = ITEM_BYTES + name.length + 1;
    view.setUint32(at, LAYOUT_VERSION, true);
    view.setUint32(at + 4, item.hash, true);
    view.setUint32(at + 8, item.options, true);
    view.setUint32(at + 12, item.enabled, true);
    view.setUint32(at + 16, ITEM_BYTES, true);
    view.setUint32(at + 20, name.length, true);
    view.setUint32(at + 24, pathAt, true);
    view.setUint32(at + 28, path.length, true);
    bytes.set(name, at + ITEM_BYTES);
    bytes[at + pathAt - 1] = 0;
    bytes.set(path, at + pathAt);
    bytes[at + pathAt + path.length] = 0;
  }

  /** Writes the header and returns the payload's length. */
  finish(snapshot: { readonly systemdEnabled: number; readonly generation: bigint }): number {
    const { view, start } = this.#target;
    view.setUint32(start, LAYOUT_VERSION, true);
    view.setUint32(start + 4, this.#writer.count, true);
    view.setUint32(start + 8, snapshot.systemdEnabled, true);
    view.setUint32(start + 12, 0, true);
    view.setBigUint64(start + 16, snapshot.generation, true);
    return this.#writer.finish() - start;
  }
}
