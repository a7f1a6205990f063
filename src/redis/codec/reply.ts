/**
 * What a Redis server answers, as values.
 *
 * @module
 */

/** An error reply. A value and not an `Error`: a pipeline of a thousand may hold a thousand. */
export class ErrorReply {
  /** The first word when it is in capitals, as in `WRONGTYPE`; otherwise `ERR`. */
  readonly code: string;
  /** The whole line, with its code. */
  readonly message: string;

  /** @param message the line without its `-` and its end */
  constructor(message: string) {
    this.message = message;
    this.code = /^[A-Z][A-Z0-9_]*(?= |$)/.exec(message)?.[0] ?? "ERR";
  }
}

/**
 * One reply of RESP2. Bulk and simple strings are text, see `text.ts` for bytes that are none;
 * integers beyond 2^53 are bigints; null bulk strings and null arrays are null.
 */
export type Reply = string | number | bigint | null | ErrorReply | readonly Reply[];
