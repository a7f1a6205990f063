/**
 * One stage in front of several.
 *
 * @module
 */
import { APPLIED, type Batch, type Receipt } from "../core/change.ts";
import type { Stage } from "../core/stage.ts";

/** One way that a batch takes. */
export interface Branch {
  /** Where it begins. */
  readonly stage: Stage;
  /** Whether its receipts count. */
  readonly required: boolean;
}

/** From the best to the worst. */
const RANK = { applied: 0, superseded: 1, deferred: 2, rejected: 3 } as const satisfies Record<
  Receipt["outcome"],
  number
>;

/**
 * Gives every batch to every branch, in the same order. Each branch has its own pace; the answer
 * for a change is the worst of the required branches, and comes when they all have answered.
 */
export class FanOut implements Stage {
  readonly #branches: readonly Branch[];

  readonly #fail: (error: Error) => void;

  /** `fail` takes the failure of a branch that nobody waits for. */
  constructor(branches: readonly Branch[], fail: (error: Error) => void) {
    this.#branches = branches;
    this.#fail = fail;
  }

  handle(batch: Batch, signal: AbortSignal): Promise<Receipt[]> {
    const answers: Promise<Receipt[]>[] = [];
    for (const { stage, required } of this.#branches) {
      const answer = stage.handle(batch, signal);
      if (required) answers.push(answer);
      else void answer.catch((error) => this.#fail(asError(error)));
    }
    return this.#worst(batch.changes.length, answers);
  }

  async close(deadline: number): Promise<void> {
    const results = await Promise.allSettled(
      this.#branches.map(({ stage }) => stage.close(deadline)),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async #worst(count: number, answers: Promise<Receipt[]>[]): Promise<Receipt[]> {
    const worst = new Array<Receipt>(count).fill(APPLIED);
    for (const receipts of await Promise.all(answers)) {
      for (const [index, receipt] of receipts.entries()) {
        const known = worst[index] ?? APPLIED;
        if (RANK[receipt.outcome] > RANK[known.outcome]) worst[index] = receipt;
      }
    }
    return worst;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
