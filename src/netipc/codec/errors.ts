/**
 * What can be wrong with a message.
 *
 * @module
 */

/** The faults of messages, with the numbers that the C programs of netipc print. */
export const CodecFault = {
  truncated: 1,
  "bad magic": 2,
  "bad version": 3,
  "bad header length": 4,
  "bad kind": 5,
  "bad layout": 6,
  "out of bounds": 7,
  "missing NUL": 8,
  "bad alignment": 9,
  "bad item count": 10,
  overflow: 11,
} as const;

/** A fault's name. */
export type CodecFault = keyof typeof CodecFault;

/** A message that cannot be read, or does not fit where it should be written. */
export class CodecError extends RangeError {
  override readonly name = "CodecError";
  /** Which fault it is. */
  readonly fault: CodecFault;
  /** The number that the C programs of netipc print for it. */
  readonly number: number;

  /** @param what the part of the message that is at fault: `label key` */
  constructor(fault: CodecFault, what: string) {
    super(`The ${what} is at fault: ${fault}`);
    this.fault = fault;
    this.number = CodecFault[fault];
  }
}

/** Throws unless `holds`. */
export function require(holds: boolean, fault: CodecFault, what: string): asserts holds {
  if (!holds) throw new CodecError(fault, what);
}
