/**
 * What the calls of a client write and read.
 *
 * @module
 */
import { BatchBuilder } from "./codec/batch.ts";
import { encodeSnapshotRequest, SnapshotView } from "./codec/cgroups_snapshot.ts";
import { CodecError } from "./codec/errors.ts";
import { Method } from "./codec/header.ts";
import {
  decodeIncrement,
  decodeIncrements,
  encodeIncrement,
  encodeIncrements,
} from "./codec/increment.ts";
import type { Span } from "./codec/span.ts";

/** What a method's call writes and reads. */
export interface MethodCall<T> {
  /** The method's number. */
  readonly method: number;
  /** Items of a batch; default a plain message. */
  readonly items?: number;
  /** Writes the request's payload and returns its length; a CodecError "overflow" asks for room. */
  write(target: Span): number;
  /** Reads the response's payload, in place. */
  read(payload: Span, items: number): T;
}

/** Asks for the next number. */
export class IncrementCall implements MethodCall<bigint> {
  readonly method: number = Method.increment;
  /** What to increment. */
  value = 0n;

  write(target: Span): number {
    return encodeIncrement(target, this.value);
  }

  read(payload: Span): bigint {
    return decodeIncrement(payload);
  }
}

/** Asks for the next numbers. */
export class IncrementsCall implements MethodCall<BigUint64Array> {
  readonly method: number = Method.increment;
  readonly items: number;
  readonly #values: BigUint64Array;
  readonly #answers: BigUint64Array;

  constructor(values: BigUint64Array, answers: BigUint64Array) {
    this.items = values.length;
    this.#values = values;
    this.#answers = answers;
  }

  write(target: Span): number {
    return encodeIncrements(target, this.#values);
  }

  read(payload: Span, items: number): BigUint64Array {
    return decodeIncrements(payload, items, this.#answers);
  }
}

/** Asks for all cgroups. */
export const SNAPSHOT: MethodCall<SnapshotView> = {
  method: Method.cgroupsSnapshot,
  write: encodeSnapshotRequest,
  read: (payload) => new SnapshotView(payload),
};

/** Writes an item that is ready. */
export function copyInto(target: Span, item: Uint8Array): number {
  if (item.length > target.length) throw new CodecError("overflow", "request");
  target.bytes.set(item, target.start);
  return item.length;
}

/** Writes items that are ready. */
export function writeBatch(target: Span, items: readonly Uint8Array[]): number {
  const builder = new BatchBuilder(target, items.length);
  for (const item of items) builder.add(item);
  return builder.finish();
}
