/**
 * Receipts that come when the sink has a change, or when it has waited too long.
 *
 * @module
 */
import { type Batch, type Change, deferred, type Receipt } from "../../core/change.ts";
import type { Ticket } from "./entry.ts";
import { itemAt } from "./item_at.ts";

/** Changes that only the sink holds up are looked at again after so long, milliseconds. */
const LOOK_MS = 100;

/** The receipts of one batch, settled one by one. */
export class PendingBatch {
  /** Resolves once every change has its receipt. */
  readonly promise: Promise<Receipt[]>;
  /** When the rest is told that it is deferred, or looked at again, on the driver's clock. */
  dueAt: number;
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

  /**
   * Tells changes without a receipt that they are deferred, with the reason for each place; those
   * without a reason go on waiting.
   */
  defer(reason: (at: number) => string | undefined): void {
    for (const [at, receipt] of this.#receipts.entries()) {
      const why = receipt === undefined ? reason(at) : undefined;
      if (why !== undefined) this.settle(at, deferred(why));
    }
  }
}

/** Batches with open receipts, in the order in which they are due. */
export class OpenReceipts {
  readonly #settleMs: number;
  readonly #open: { readonly batch: Batch; readonly receipts: PendingBatch }[] = [];

  /** @param settleMs how long a change may wait */
  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** When the first of them has waited long enough. */
  get nextDue(): number {
    return this.#open[0]?.receipts.dueAt ?? Infinity;
  }

  /** The receipts of a batch of at least one change; to be added if they stay open. */
  begin({ changes }: Batch, now: number): PendingBatch {
    return new PendingBatch(changes.length, now + this.#settleMs);
  }

  /** Keeps an eye on receipts. */
  add(batch: Batch, receipts: PendingBatch): void {
    this.#open.push({ batch, receipts });
  }

  /** Forgets what is settled, from the oldest on. */
  tidy(): void {
    while (this.#open[0]?.receipts.isSettled) this.#open.shift();
  }

  /**
   * Tells what has waited long enough why it waits. What has no reason of its own, because only the
   * sink holds it up, is looked at again later.
   */
  defer(now: number, reasonOf: (change: Change) => string | undefined): void {
    for (let first = this.#open[0]; first !== undefined; first = this.#open[0]) {
      const { batch: { changes }, receipts } = first;
      if (receipts.dueAt > now) break;
      this.#open.shift();
      receipts.defer((at) => reasonOf(itemAt(changes, at)));
      if (receipts.isSettled) continue;
      receipts.dueAt = now + Math.max(this.#settleMs, LOOK_MS);
      this.#open.push(first);
    }
  }

  /** Tells everything that is left one reason. */
  deferAll(reason: string): void {
    for (const { receipts } of this.#open.splice(0)) receipts.defer(() => reason);
  }
}
