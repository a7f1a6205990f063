/**
 * Changes as producers send them: the payload of a PUBLISH request, and a frame of a ring.
 * `docs/change-codec.md` describes every byte.
 *
 * @module
 */
import type { Batch, Change, Mark } from "../../core/change.ts";
import { CodecError, require } from "../codec/errors.ts";
import { align8, type Span } from "../codec/span.ts";
import type { WireTexts } from "./texts.ts";

/** The method of netipc that takes changes. */
export const PUBLISH = 0x5053;

/** Most changes of one message. */
export const MOST_CHANGES = 4096;

const LAYOUT_VERSION = 1;
const HEADER_BYTES = 8;
const CHANGE_BYTES = 32;
const FIELD_BYTES = 8;
const SET = 1;
const DELETE = 2;
/** In the place of a value's length: the field is taken away. */
const REMOVED = 0xffff_ffff;
const MARKS: readonly (Mark | undefined)[] = [undefined, "dump-begin", "dump-end", "lost"];
const MOST_SHORT = 0xffff;
const SHORT = 48;

/** Changes as they were received. */
export interface ReceivedChanges {
  readonly mark: Mark | undefined;
  /** How many were sent; receipts are counted by this. */
  readonly count: number;
  /** Those that can be used, in their order. */
  readonly changes: Change[];
  /** Why the others cannot be used, by their places among those that were sent. */
  readonly faults: ReadonlyMap<number, string>;
}

/**
 * Reads changes. A name that could not stand in a database makes its change unusable, not the
 * message.
 *
 * @throws {CodecError} for a message that cannot be read
 */
export function decodeChanges(span: Span, texts: WireTexts): ReceivedChanges {
  const { view, start, length } = span;
  require(length >= HEADER_BYTES, "truncated", "changes");
  require(view.getUint16(start, true) === LAYOUT_VERSION, "bad version", "changes");
  const mark = view.getUint16(start + 2, true);
  const count = view.getUint32(start + 4, true);
  require(mark < MARKS.length, "bad layout", "mark of the changes");
  require(count <= MOST_CHANGES, "bad item count", "changes");
  const reader = new Reader(span, texts);
  const changes: Change[] = [];
  const faults = new Map<number, string>();
  for (let i = 0, at = HEADER_BYTES; i < count; i++) {
    const size = reader.sizeAt(at);
    const change = reader.read(at, size);
    at = align8(at + size);
    if (typeof change === "string") faults.set(i, change);
    else changes.push(change);
  }
  return { mark: MARKS[mark], count, changes, faults };
}

/** Reads one change after the other. */
class Reader {
  readonly #span: Span;
  readonly #texts: WireTexts;
  /** What is wrong with the names and values of the change that is read. */
  #fault: string | undefined;

  constructor(span: Span, texts: WireTexts) {
    this.#span = span;
    this.#texts = texts;
  }

  /** Bytes of the change at byte `at` of the span. */
  sizeAt(at: number): number {
    const { view, start, length } = this.#span;
    require(at + CHANGE_BYTES <= length, "truncated", "change");
    const size = view.getUint32(start + at, true);
    require(size >= CHANGE_BYTES && at + size <= length, "out of bounds", "change");
    return size;
  }

  /** The change of `size` bytes, or why it cannot be used. */
  read(at: number, size: number): Change | string {
    const { view, start } = this.#span;
    const head = start + at;
    const op = view.getUint8(head + 5);
    require(view.getUint8(head + 4) === LAYOUT_VERSION, "bad version", "change");
    require(op === SET || op === DELETE, "bad layout", "change");
    require(view.getUint16(head + 30, true) === 0, "bad layout", "change");
    const time = view.getFloat64(head + 8, true);
    const id = view.getUint32(head + 16, true) + view.getUint32(head + 20, true) * 2 ** 32;
    require(Number.isFinite(time) && Number.isSafeInteger(id), "bad layout", "change");
    const tableAt = head + CHANGE_BYTES;
    const keyAt = tableAt + view.getUint16(head + 24, true);
    const causeAt = keyAt + view.getUint16(head + 26, true);
    const fieldsAt = causeAt + view.getUint16(head + 28, true);
    const end = head + size;
    require(fieldsAt <= end, "out of bounds", "change");
    this.#fault = undefined;
    const fieldCount = view.getUint16(head + 6, true);
    require(op === SET || fieldCount === 0, "bad layout", "change");
    const { fields, removed } = this.#readFields(fieldsAt, fieldCount, end);
    const change = {
      op: op === SET ? "set" as const : "delete" as const,
      table: this.#name(tableAt, keyAt, "table"),
      key: this.#name(keyAt, causeAt, "key"),
      fields,
      time,
      ...(removed === undefined ? undefined : { removed }),
      ...(id === 0 ? undefined : { id }),
      ...(causeAt === fieldsAt ? undefined : { cause: this.#value(causeAt, fieldsAt, "cause") }),
    };
    return this.#fault ?? change;
  }

  #readFields(
    at: number,
    count: number,
    end: number,
  ): { readonly fields: Record<string, string>; readonly removed: string[] | undefined } {
    const { view } = this.#span;
    const fields: Record<string, string> = {};
    let removed: string[] | undefined;
    for (let i = 0; i < count; i++) {
      require(at + FIELD_BYTES <= end, "truncated", "field");
      const nameAt = at + FIELD_BYTES;
      const valueAt = nameAt + view.getUint16(at, true);
      const size = view.getUint32(at + 4, true);
      const gone = size === REMOVED;
      require(view.getUint16(at + 2, true) === 0, "bad layout", "field");
      at = valueAt + (gone ? 0 : size);
      require(at <= end, "out of bounds", "field");
      const name = this.#name(nameAt, valueAt, "field");
      if (gone) (removed ??= []).push(name);
      else if (name !== "__proto__") fields[name] = this.#value(valueAt, at, "value");
      else this.#fault ??= "a field cannot be named __proto__";
    }
    require(at === end, "bad layout", "change");
    return { fields, removed };
  }

  /** A name that can stand in a database; otherwise the change has a fault. */
  #name(start: number, end: number, what: string): string {
    const { text, fault } = this.#texts.read(this.#span.bytes, start, end);
    if (start === end) this.#fault ??= `the ${what} has no name`;
    if (fault !== undefined) this.#fault ??= `the name of the ${what} is ${fault}`;
    return text;
  }

  #value(start: number, end: number, what: string): string {
    const { text, fault } = this.#texts.read(this.#span.bytes, start, end);
    if (fault === "no UTF-8") this.#fault ??= `the ${what} is ${fault}`;
    return text;
  }
}

const encoder = new TextEncoder();

/**
 * Writes a batch; returns its length.
 *
 * @throws {CodecError} with the fault `overflow` when it does not fit, `bad item count` for more
 * than {@linkcode MOST_CHANGES} changes, `bad layout` for a name of more than 65535 bytes
 */
export function encodeChanges(target: Span, batch: Batch): number {
  const { view, start, length } = target;
  require(batch.changes.length <= MOST_CHANGES, "bad item count", "changes");
  require(length >= HEADER_BYTES, "overflow", "changes");
  view.setUint16(start, LAYOUT_VERSION, true);
  view.setUint16(start + 2, MARKS.indexOf(batch.mark), true);
  view.setUint32(start + 4, batch.changes.length, true);
  const writer = new Writer(target, HEADER_BYTES);
  for (const change of batch.changes) writer.write(change);
  return writer.end;
}

/** Writes one change after the other. */
class Writer {
  /** Byte of the span where the last change ends. */
  end: number;
  readonly #target: Span;

  constructor(target: Span, at: number) {
    this.#target = target;
    this.end = at;
  }

  write(change: Change): void {
    const { view, bytes, start, length } = this.#target;
    const at = align8(this.end);
    require(at + CHANGE_BYTES <= length, "overflow", "change");
    bytes.fill(0, start + this.end, start + at + CHANGE_BYTES);
    const head = start + at;
    const names = Object.keys(change.fields);
    const removed = change.removed ?? [];
    const isSet = change.op === "set";
    const fieldCount = isSet ? names.length + removed.length : 0;
    require(fieldCount <= MOST_SHORT, "bad item count", "fields of a change");
    view.setUint8(head + 4, LAYOUT_VERSION);
    view.setUint8(head + 5, isSet ? SET : DELETE);
    view.setUint16(head + 6, fieldCount, true);
    view.setFloat64(head + 8, change.time, true);
    view.setBigUint64(head + 16, BigInt(change.id ?? 0), true);
    this.end = at + CHANGE_BYTES;
    view.setUint16(head + 24, this.#short(change.table), true);
    view.setUint16(head + 26, this.#short(change.key), true);
    view.setUint16(head + 28, this.#short(change.cause ?? ""), true);
    for (const name of isSet ? names : []) this.#writeField(name, change.fields[name]);
    for (const name of isSet ? removed : []) this.#writeField(name, undefined);
    view.setUint32(head, this.end - at, true);
  }

  #writeField(name: string, value: string | undefined): void {
    const { view, start, length } = this.#target;
    const head = start + this.end;
    require(this.end + FIELD_BYTES <= length, "overflow", "change");
    this.end += FIELD_BYTES;
    view.setUint32(head, this.#short(name), true);
    view.setUint32(head + 4, value === undefined ? REMOVED : this.#put(value), true);
  }

  #short(text: string): number {
    const size = this.#put(text);
    require(size <= MOST_SHORT, "bad layout", "name in a change");
    return size;
  }

  #put(text: string): number {
    const { bytes, start, length } = this.#target;
    const at = start + this.end;
    if (text.length <= SHORT && at + text.length <= start + length) {
      // Most texts are short and plain, and calling an encoder costs more than they do.
      let i = 0;
      for (; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) break;
        bytes[at + i] = unit;
      }
      if (i === text.length) {
        this.end += i;
        return i;
      }
    }
    const { read, written } = encoder.encodeInto(text, bytes.subarray(at, start + length));
    require(read === text.length, "overflow", "change");
    this.end += written;
    return written;
  }
}

/** Whether an error only asks for more room. */
export function isOverflow(error: unknown): boolean {
  return error instanceof CodecError && error.fault === "overflow";
}
