/**
 * Requests on their way to the sink, cut into batches.
 *
 * @module
 */
import type { Operation } from "../../core/stage.ts";
import { valueOf } from "./fields.ts";

/** Operations for one call of the sink, and to which slots and numbers their outcomes belong. */
export interface OperationBatch {
  readonly operations: Operation[];
  readonly slots: number[];
  readonly numbers: number[];
}

/** Gathers the requests of a turn. */
export class Outbox {
  #operations: Operation[] = [];
  #slots: number[] = [];
  #numbers: number[] = [];
  readonly #maxOperations: number;
  readonly #maxBytes: number;

  constructor(maxOperations: number, maxBytes: number) {
    this.#maxOperations = maxOperations;
    this.#maxBytes = maxBytes;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#operations.length === 0;
  }

  /** Adds a request. */
  add(operation: Operation, slot: number, number: number): void {
    this.#operations.push(operation);
    this.#slots.push(slot);
    this.#numbers.push(number);
  }

  /** Takes everything out, in order, in batches within the limits. There must be something. */
  take(): OperationBatch[] {
    const whole = { operations: this.#operations, slots: this.#slots, numbers: this.#numbers };
    this.#operations = [];
    this.#slots = [];
    this.#numbers = [];
    return whole.operations.length === 1 ? [whole] : this.#cut(whole);
  }

  #cut(whole: OperationBatch): OperationBatch[] {
    const { operations, slots, numbers } = whole;
    const batches: OperationBatch[] = [];
    let from = 0;
    let bytes = 0;
    const cutAt = (to: number) => {
      batches.push({
        operations: operations.slice(from, to),
        slots: slots.slice(from, to),
        numbers: numbers.slice(from, to),
      });
      from = to;
      bytes = 0;
    };
    for (const [at, operation] of operations.entries()) {
      const size = sizeOf(operation);
      const isFull = at - from >= this.#maxOperations || bytes + size > this.#maxBytes;
      if (isFull && at > from) cutAt(at);
      bytes += size;
    }
    if (from === 0) return [whole];
    cutAt(operations.length);
    return batches;
  }
}

/** About how many bytes an operation takes: its names and values. */
export function sizeOf(operation: Operation): number {
  let size = operation.table.length + operation.key.length + 1;
  if (operation.op === "delete") return size;
  for (const name in operation.fields) {
    size += name.length + valueOf(operation.fields, name).length;
  }
  for (const name of operation.removed) size += name.length;
  return size;
}
