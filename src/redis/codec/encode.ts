/**
 * Writes commands as RESP arrays of bulk strings, many of them into one buffer that is used again.
 *
 * @module
 */
import { RejectError } from "../../core/errors.ts";
import { encodedLength, encodeText } from "./text.ts";

/** Size of the buffer at first, bytes. */
export const INITIAL_BUFFER_BYTES = 16 * 1024;

/** A buffer larger than this is given back after it was sent, bytes. */
export const RETAINED_BUFFER_BYTES = 1024 * 1024;

/** More than this is never gathered, bytes: a caller that goes on is at fault. */
export const MAX_BUFFER_BYTES = 256 * 1024 * 1024;

/** Room for a type byte, a length of up to 16 digits and two line ends. */
const HEADER_BYTES = 24;

/** Above this, the call into the built-in encoder costs less than encoding here. */
const LONG_TEXT = 48;

const CR = 0x0d;
const LF = 0x0a;

const utf8 = new TextEncoder();

/**
 * A growing buffer of commands.
 *
 * @example
 * ```ts
 * import { CommandWriter } from "./encode.ts";
 * const writer = new CommandWriter();
 * writer.command("HSET", "PORT_TABLE|Ethernet0", "state", "ok");
 * writer.begin(2); // or part by part, without an array
 * writer.text("DEL");
 * writer.text("PORT_TABLE|Ethernet4");
 * ```
 */
export class CommandWriter {
  #buffer = new Uint8Array(INITIAL_BUFFER_BYTES);
  #length = 0;
  #commands = 0;
  #missing = 0;

  /** Bytes written since the last `reset`. */
  get length(): number {
    return this.#length;
  }

  /** Commands begun since the last `reset`, each of which the server answers with one reply. */
  get commands(): number {
    return this.#commands;
  }

  /** Writes one whole command. */
  command(...parts: readonly string[]): void {
    this.begin(parts.length);
    for (const part of parts) this.text(part);
  }

  /** Begins a command of `parts` parts, its name included, which must follow. */
  begin(parts: number): void {
    this.#checkComplete();
    if (parts < 1) throw new RangeError("A command has at least its name");
    this.#reserve(HEADER_BYTES);
    this.#header(0x2a, parts); // `*`
    this.#missing = parts;
    this.#commands++;
  }

  /**
   * Writes one part of the command that was begun.
   *
   * @throws {RejectError} for text that stands for no bytes; see `text.ts`
   */
  text(part: string): void {
    if (this.#missing === 0) throw new RangeError("The command has all its parts already");
    const length = part.length;
    this.#reserve(length + HEADER_BYTES);
    const start = this.#length;
    this.#header(0x24, length); // `$`
    if (!this.#ascii(part)) {
      this.#length = start;
      this.#any(part);
    }
    this.#lineEnd();
    this.#missing--;
  }

  /** Takes back everything after `length` bytes and `commands` commands, as read before. */
  rewind(length: number, commands: number): void {
    this.#length = length;
    this.#commands = commands;
    this.#missing = 0;
  }

  /** Checks that the last command has all its parts. */
  finish(): void {
    this.#checkComplete();
  }

  /** What was written: a view that holds until the next call of `reset`. */
  take(): Uint8Array<ArrayBuffer> {
    this.#checkComplete();
    return this.#buffer.subarray(0, this.#length);
  }

  /** Begins anew, in the same buffer unless it has grown too large to keep. */
  reset(): void {
    this.rewind(0, 0);
    if (this.#buffer.length > RETAINED_BUFFER_BYTES) {
      this.#buffer = new Uint8Array(INITIAL_BUFFER_BYTES);
    }
  }

  #checkComplete(): void {
    if (this.#missing !== 0) throw new RangeError(`A command lacks ${this.#missing} of its parts`);
  }

  /** Writes the text if it is ASCII only; otherwise says so, and what it wrote does not count. */
  #ascii(part: string): boolean {
    const buffer = this.#buffer;
    let at = this.#length;
    if (part.length > LONG_TEXT) {
      const { read, written } = utf8.encodeInto(part, buffer.subarray(at, at + part.length));
      // One byte for each unit is only possible for ASCII.
      if (read !== part.length || written !== part.length) return false;
      this.#length = at + written;
      return true;
    }
    for (let from = 0; from < part.length; from++) {
      const unit = part.charCodeAt(from);
      if (unit > 0x7f) return false;
      buffer[at++] = unit;
    }
    this.#length = at;
    return true;
  }

  #any(part: string): void {
    const length = encodedLength(part);
    this.#reserve(length + HEADER_BYTES);
    this.#header(0x24, length);
    this.#length = encodeText(part, this.#buffer, this.#length);
  }

  #header(type: number, value: number): void {
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = type;
    if (value < 10) {
      buffer[at++] = 0x30 + value;
    } else if (value < 100) {
      const tens = value / 10 | 0;
      buffer[at++] = 0x30 + tens;
      buffer[at++] = 0x30 + value - tens * 10;
    } else {
      for (const digit of String(value)) buffer[at++] = digit.charCodeAt(0);
    }
    this.#length = at;
    this.#lineEnd();
  }

  #lineEnd(): void {
    this.#buffer[this.#length++] = CR;
    this.#buffer[this.#length++] = LF;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    let size = this.#buffer.length;
    while (size < needed) size *= 2;
    if (size > MAX_BUFFER_BYTES) {
      throw new RejectError(`One write takes ${MAX_BUFFER_BYTES} bytes of commands at most`);
    }
    const larger = new Uint8Array(size);
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
