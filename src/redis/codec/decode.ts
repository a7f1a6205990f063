/**
 * Reads replies from whatever bytes have come so far.
 *
 * RESP2 only: its replies say all that this client asks for, every server speaks it without being
 * asked, and pub/sub has a connection of its own anyhow, which is what RESP3 would save.
 * Source of the format: https://redis.io/docs/latest/develop/reference/protocol-spec/
 *
 * @module
 */
import { ReconnectError } from "../../core/errors.ts";
import { ErrorReply, type Reply } from "./reply.ts";
import { decodeText } from "./text.ts";

/** Arrays in arrays, at most. */
export const MAX_DEPTH = 32;

/** Elements of one reply, those of nested arrays included. */
export const MAX_ELEMENTS = 1024 * 1024;

/** Bytes of one bulk string. */
export const MAX_BULK_BYTES = 16 * 1024 * 1024;

/** Bytes of one reply, all its elements together. */
export const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** Bytes of one line: a simple string, an error, a number. */
export const MAX_LINE_BYTES = 64 * 1024;

/** Size of the buffer that is kept; a larger one is given back as soon as it is empty. */
export const RETAINED_BUFFER_BYTES = 64 * 1024;

/** The least room that is offered to a read. */
export const MIN_READ_BYTES = 16 * 1024;

const CR = 0x0d;
const LF = 0x0a;

/** There are not enough bytes for the next element yet. */
const INCOMPLETE = Symbol("incomplete");

/** An array's header was read; its elements follow. */
const OPENED = Symbol("opened");

/** An array whose elements are still coming. */
interface Frame {
  readonly items: Reply[];
  missing: number;
}

/**
 * A reply parser that can stop and go on at any byte. It does no I/O: read into `space()`, tell
 * how much with `commit()`, and take replies with `next()` until there is none.
 *
 * @example
 * ```ts
 * import { ReplyParser } from "./decode.ts";
 * const parser = new ReplyParser();
 * const { written } = new TextEncoder().encodeInto("*2\r\n:1\r\n$2\r\nok\r\n", parser.space());
 * parser.commit(written);
 * parser.next(); // [1, "ok"]
 * parser.next(); // undefined: all is read
 * ```
 */
export class ReplyParser {
  #buffer = new Uint8Array(RETAINED_BUFFER_BYTES);
  /** The first byte that is not yet understood. */
  #start = 0;
  /** The end of what has come. */
  #end = 0;
  /** Up to here the unfinished line has no end. */
  #scanned = 0;
  readonly #open: Frame[] = [];
  #elements = 0;
  #bytes = 0;

  /** Room for the next read, at least `MIN_READ_BYTES`. */
  space(): Uint8Array<ArrayBuffer> {
    if (this.#buffer.length - this.#end < MIN_READ_BYTES) this.#makeRoom();
    return this.#buffer.subarray(this.#end);
  }

  /** Says that `count` bytes were put at the beginning of `space()`. */
  commit(count: number): void {
    if (count < 0 || count > this.#buffer.length - this.#end) {
      throw new RangeError("More bytes than there was room for");
    }
    this.#end += count;
  }

  /** Takes bytes that were read elsewhere. */
  push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const room = this.space();
      const part = bytes.subarray(from, from + room.length);
      room.set(part);
      this.commit(part.length);
      from += part.length;
    }
  }

  /**
   * The next complete reply; `undefined` when more bytes are needed.
   *
   * @throws {ReconnectError} when the bytes are no RESP2 or pass a limit: nothing that follows
   * can be understood
   */
  next(): Reply | undefined {
    for (;;) {
      const start = this.#start;
      const element = this.#element();
      if (element === INCOMPLETE) return undefined;
      this.#count(this.#start - start);
      if (element === OPENED) continue;
      const reply = this.#close(element);
      if (reply === undefined) continue;
      this.#elements = 0;
      this.#bytes = 0;
      if (this.#start === this.#end) this.#empty();
      return reply;
    }
  }

  /** Puts an element into its array; the reply once nothing more is missing. */
  #close(element: Reply): Reply | undefined {
    let value = element;
    for (let frame = this.#open.at(-1); frame; frame = this.#open.at(-1)) {
      frame.items.push(value);
      if (--frame.missing > 0) return undefined;
      value = frame.items;
      this.#open.pop();
    }
    return value;
  }

  #element(): Reply | typeof INCOMPLETE | typeof OPENED {
    if (this.#start === this.#end) return INCOMPLETE;
    const type = this.#buffer[this.#start];
    switch (type) {
      case 0x3a: // `:`
        return this.#number();
      case 0x24: // `$`
        return this.#bulk();
      case 0x2a: // `*`
        return this.#array();
      case 0x2b: // `+`
        return this.#line();
      case 0x2d: { // `-`
        const line = this.#line();
        return line === INCOMPLETE ? INCOMPLETE : new ErrorReply(line);
      }
      default:
        throw garbage("a reply begins with an unknown type");
    }
  }

  #number(): number | bigint | typeof INCOMPLETE {
    const start = this.#start + 1;
    const end = this.#lineEnd();
    if (end < 0) return INCOMPLETE;
    this.#start = end + 2;
    return this.#digits(start, end);
  }

  #line(): string | typeof INCOMPLETE {
    const start = this.#start + 1;
    const end = this.#lineEnd();
    if (end < 0) return INCOMPLETE;
    this.#start = end + 2;
    return decodeText(this.#buffer, start, end);
  }

  #bulk(): string | null | typeof INCOMPLETE {
    const header = this.#lineEnd();
    if (header < 0) return INCOMPLETE;
    const length = this.#digits(this.#start + 1, header);
    if (length === -1) {
      this.#start = header + 2;
      return null;
    }
    if (length < 0) throw garbage("a string has a negative length");
    if (length > MAX_BULK_BYTES) throw garbage(`a string is longer than ${MAX_BULK_BYTES} bytes`);
    const start = header + 2;
    const end = start + Number(length);
    // The header is short: reading it again costs less than a state of its own.
    if (this.#end < end + 2) return INCOMPLETE;
    if (this.#buffer[end] !== CR || this.#buffer[end + 1] !== LF) {
      throw garbage("a string does not end where it said");
    }
    this.#start = end + 2;
    return decodeText(this.#buffer, start, end);
  }

  #array(): readonly Reply[] | null | typeof INCOMPLETE | typeof OPENED {
    const header = this.#lineEnd();
    if (header < 0) return INCOMPLETE;
    const length = this.#digits(this.#start + 1, header);
    this.#start = header + 2;
    if (length === -1) return null;
    if (length === 0) return [];
    if (length < 0) throw garbage("an array has a negative length");
    if (length > MAX_ELEMENTS) throw garbage(`a reply has more than ${MAX_ELEMENTS} elements`);
    if (this.#open.length === MAX_DEPTH) {
      throw garbage(`arrays are nested deeper than ${MAX_DEPTH}`);
    }
    // Memory grows with what has come, not with what a header promises.
    this.#open.push({ items: [], missing: Number(length) });
    return OPENED;
  }

  /** Where the line of the element at `#start` ends; -1 when it has not come yet. */
  #lineEnd(): number {
    const buffer = this.#buffer;
    const end = this.#end;
    for (let at = Math.max(this.#scanned, this.#start + 1); at < end; at++) {
      const byte = buffer[at];
      if (byte === LF) throw garbage("a line feed without a carriage return");
      if (byte !== CR) continue;
      if (at - this.#start > MAX_LINE_BYTES) break;
      if (at + 1 === end) {
        this.#scanned = at;
        return -1;
      }
      if (buffer[at + 1] !== LF) throw garbage("a carriage return without a line feed");
      return at;
    }
    if (end - this.#start > MAX_LINE_BYTES) {
      throw garbage(`a line is longer than ${MAX_LINE_BYTES} bytes`);
    }
    this.#scanned = end;
    return -1;
  }

  /** A whole number in decimal between two places: a bigint only where a number is not exact. */
  #digits(start: number, end: number): number | bigint {
    const buffer = this.#buffer;
    const negative = buffer[start] === 0x2d;
    const first = negative ? start + 1 : start;
    const digits = end - first;
    if (digits < 1 || digits > 19) throw garbage("a number has no digits or too many");
    let value = 0;
    for (let at = first; at < end; at++) {
      const digit = (buffer[at] as number) - 0x30;
      if (digit < 0 || digit > 9) throw garbage("a number holds something else than digits");
      value = value * 10 + digit;
    }
    if (value > Number.MAX_SAFE_INTEGER) return BigInt(decodeText(buffer, start, end));
    // Not -0: nobody expects it.
    return negative && value !== 0 ? -value : value;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_REPLY_BYTES) {
      throw garbage(`a reply is longer than ${MAX_REPLY_BYTES} bytes`);
    }
    if (++this.#elements > MAX_ELEMENTS) {
      throw garbage(`a reply has more than ${MAX_ELEMENTS} elements`);
    }
  }

  #empty(): void {
    this.#start = 0;
    this.#end = 0;
    this.#scanned = 0;
    if (this.#buffer.length > RETAINED_BUFFER_BYTES) {
      this.#buffer = new Uint8Array(RETAINED_BUFFER_BYTES);
    }
  }

  /** Moves what is not yet understood to the front, into a larger buffer where it fills half. */
  #makeRoom(): void {
    const rest = this.#end - this.#start;
    if (rest > this.#buffer.length / 2) {
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = larger;
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#scanned = Math.max(0, this.#scanned - this.#start);
    this.#start = 0;
    this.#end = rest;
  }
}

function garbage(what: string): ReconnectError {
  return new ReconnectError(`An answer cannot be read: ${what}`);
}
