/**
 * Receipts that come when the sink has a change, or when it has waited too long.
 *
 * @module
 */
import { deferred, type Receipt } from "../../core/change.ts";
import type { Ticket } from "./entry.ts";

/** The receipts of one batch, settled one by one. */
export class PendingBatch {
  /** Resolves once every change has its receipt. */
  readonly promise: Promise<Receipt[]>;
  /** When the rest is told that it is deferred, on the driver's clock. */
  readonly dueAt: number;
  readonly #receipts: (Receipt | undefined)[];
  #left: number;
  #resolve: (receipts: Receipt[]) => void = () => {};

  /** @param count how many changes there are; at least one */
  constructor(count: number, dueAt: number) {
    this.#receipts = new Array<Receipt | undefined>(count).fill(undefined);
    this.#left = count;
    this.dueAt = dueAt;
    this.promise = new Promise((resolve) => this.#resolve = resolve);
  }

  /** Whether every change has its receipt. */
  get isSettled(): boolean {
    return this.#left === 0;
  }

  /** The ticket of one change. */
  ticket(at: number): Ticket {
    return { settle: (receipt) => this.settle(at, receipt) };
  }

  /** Gives a change its receipt; the first one counts. */
  settle(at: number, receipt: Receipt): void {
    if (this.#receipts[at] !== undefined) return;
    this.#receipts[at] = receipt;
    if (--this.#left === 0) {
      this.#resolve(this.#receipts.filter((settled) => settled !== undefined));
    }
  }

  /** Tells every change without a receipt that it is deferred, with the reason for its place. */
  defer(reason: (at: number) => string): void {
    for (const [at, receipt] of this.#receipts.entries()) {
      if (receipt === undefined) this.settle(at, deferred(reason(at)));
    }
  }
}
