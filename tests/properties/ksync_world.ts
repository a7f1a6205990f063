/**
 * A sink that exists only in memory, and histories of events that are read from bytes, so that a
 * random history is cheap to make and a failing one can be made smaller.
 *
 * @module
 */
import fc from "fast-check";
import type { Fields } from "../../src/core/change.ts";
import type { Operation } from "../../src/core/stage.ts";
import type { Kind } from "../../src/transforms/ksync/machine.ts";

/** A request that was sent and not answered. */
export interface Outstanding {
  readonly operation: Operation;
  readonly slot: number;
  readonly number: number;
  readonly kind: Kind;
}

/** The rows of the sink, and what is outstanding, by key. */
export class World {
  readonly rows = new Map<string, Fields>();
  readonly outstanding = new Map<string, Outstanding>();
  /** Everything that was sent since the last look. */
  sent: Outstanding[] = [];
  /** The last request that was answered, to be answered again. */
  last: Outstanding | undefined;

  /** Takes a request. Two at a time for one key must never be. */
  send(operation: Operation, slot: number, number: number, kind: Kind): void {
    const request = { operation, slot, number, kind };
    if (this.outstanding.has(operation.key)) {
      throw new Error(`Two requests of ${operation.key} are outstanding`);
    }
    this.outstanding.set(operation.key, request);
    this.sent.push(request);
  }

  /** Takes an outstanding request out, and applies it or not. */
  end(key: string, isApplied: boolean): Outstanding {
    const request = this.outstanding.get(key);
    if (request === undefined) throw new Error(`No request of ${key} is outstanding`);
    this.outstanding.delete(key);
    this.last = request;
    if (isApplied) this.apply(request.operation);
    return request;
  }

  /** Does what a sink does. */
  apply(operation: Operation): void {
    if (operation.op === "delete") {
      this.rows.delete(operation.key);
      return;
    }
    const row: Record<string, string> = { ...this.rows.get(operation.key), ...operation.fields };
    for (const name of operation.removed) delete row[name];
    this.rows.set(operation.key, row);
  }
}

/** Reads a history from bytes; past the end everything is 0. */
export class Bytes {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether another event can be read. */
  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** The next byte. */
  next(): number {
    return this.#bytes[this.#at++] ?? 0;
  }
}

/** Something that lives through a history. */
export interface Run {
  /** What happened, for the report of a failure. */
  readonly log: readonly string[] | undefined;
  run(bytes: Bytes): void;
}

/**
 * Lets something live through many random histories, and makes the first that fails as short as
 * it can. One run of the property takes many histories, so that making them costs little.
 */
export function checkHistories(
  runs: number,
  events: number,
  make: (bytes: Bytes, withLog: boolean) => Run,
): void {
  const history = fc.uint8Array({ minLength: 1, maxLength: 2 + 2 * events, size: "max" });
  const some = fc.array(history, { minLength: 1, maxLength: 80, size: "max" });
  let count = 0;
  while (count < runs) {
    const property = fc.property(some, (all) => {
      for (const bytes of all) check(bytes, make);
      count += all.length;
    });
    fc.assert(property, { numRuns: Math.ceil((runs - count) / 40) });
  }
}

function check(bytes: Uint8Array, make: (bytes: Bytes, withLog: boolean) => Run): void {
  const isFine = (withLog: boolean) => {
    const events = new Bytes(bytes);
    const run = make(events, withLog);
    try {
      run.run(events);
      return true;
    } catch (error) {
      // The second time every event is written down.
      if (withLog) throw new Error(run.log?.join("\n"), { cause: error });
      return false;
    }
  };
  if (!isFine(false)) isFine(true);
}

/** How many random histories a test runs: `deno test … -- --ksync-runs=5000000` for a long run. */
export function wantedRuns(otherwise: number): number {
  const given = Deno.args.find((argument) => argument.startsWith("--ksync-runs="));
  const runs = Number(given?.split("=")[1] ?? otherwise);
  if (!Number.isSafeInteger(runs) || runs < 1) throw new Error(`What is ${given}?`);
  return runs;
}
