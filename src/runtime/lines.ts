/**
 * Lines of JSON between processes, bounded in both directions.
 *
 * @module
 */

const NEWLINE = 10;

/** The other side sent a line that is longer than allowed. */
export class LineTooLongError extends Error {
  /** For `error.name`. */
  override readonly name = "LineTooLongError";
}

/** Cuts a stream of bytes into lines. */
export class LineSplitter {
  readonly #longest: number;
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #length = 0;

  /** `longest` is the longest line that is taken, in bytes. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /**
   * Takes the next bytes, which the caller may use again afterwards.
   *
   * @returns the lines that they complete, without their ends
   * @throws {LineTooLongError} after which the stream cannot be followed any more
   */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (
      let end = bytes.indexOf(NEWLINE);
      end >= 0;
      end = bytes.indexOf(NEWLINE, start)
    ) {
      lines.push(this.#finish(bytes.subarray(start, end)));
      start = end + 1;
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
    return lines;
  }

  #finish(tail: Uint8Array): string {
    if (this.#length === 0) {
      if (tail.length > this.#longest) throw this.#tooLong();
      return this.#decoder.decode(tail);
    }
    this.#keep(tail);
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    return this.#decoder.decode(whole);
  }

  #keep(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#longest) throw this.#tooLong();
    this.#parts.push(bytes.slice());
    this.#length += bytes.length;
  }

  #tooLong(): LineTooLongError {
    return new LineTooLongError(`A line is longer than ${this.#longest} bytes`);
  }
}

/** Where a `LineWriter` writes to: a file, a connection, a writer of a stream. */
export interface ByteSink {
  /** Writes some or all of the bytes; a number says how many, anything else that it was all. */
  write(bytes: Uint8Array): Promise<unknown>;
}

/**
 * Writes messages as lines of JSON, in order, without ever waiting for the reader: what the reader
 * has not taken stays in memory up to a bound, and beyond it messages are left out and counted.
 */
export class LineWriter {
  readonly #sink: ByteSink;
  readonly #bound: number;
  readonly #encoder = new TextEncoder();
  #waiting = "";
  #writing: Promise<void> | undefined;
  #isBroken = false;
  /** How many messages were left out. */
  dropped = 0;

  /** `bound` is how many characters may wait. */
  constructor(sink: ByteSink, bound = 1024 * 1024) {
    this.#sink = sink;
    this.#bound = bound;
  }

  /**
   * Queues a message.
   *
   * @returns false when it was left out, because the reader is slow or gone
   */
  send(message: unknown): boolean {
    const line = JSON.stringify(message) + "\n";
    if (this.#isBroken || this.#waiting.length + line.length > this.#bound) {
      this.dropped++;
      return false;
    }
    this.#waiting += line;
    this.#writing ??= this.#drain();
    return true;
  }

  /** Resolves when all that was sent has been written, or cannot be. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    await undefined; // messages of one turn go out together
    try {
      while (this.#waiting !== "") {
        const bytes = this.#encoder.encode(this.#waiting);
        this.#waiting = "";
        await this.#writeAll(bytes);
      }
    } catch {
      // The reader is gone. Whoever owns the other end notices by itself.
      this.#isBroken = true;
      this.#waiting = "";
    }
    this.#writing = undefined;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const written = await this.#sink.write(rest);
      // A writer of a stream takes everything and says nothing.
      if (typeof written !== "number") return;
      rest = rest.subarray(written);
    }
  }
}
