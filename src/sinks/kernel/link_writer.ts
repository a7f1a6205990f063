/**
 * Writes rows to the kernel: plans, sends, and tells what became of each.
 *
 * @module
 */
import { RejectError, RetryLaterError, StopError } from "../../core/errors.ts";
import { LogRate } from "../../core/log_rate.ts";
import type { Operation, Outcome } from "../../core/stage.ts";
import type { Counter, Logger, Telemetry } from "../../core/telemetry.ts";
import type { LinkComplaint, LinkSetter } from "../../../ffi/linkset.ts";
import { Awaiting } from "./awaiting.ts";
import type { Corrections } from "./corrections.ts";
import type { Links } from "./links.ts";
import { type Plan, planSet, type Step } from "./plan.ts";
import { forbidden, isForbidden, isStaleMaster, verdictOf, worstOf } from "./verdict.ts";

/** Between two log lines of one kind, milliseconds. */
const LOG_INTERVAL_MS = 30_000;
/** An index that no link has. */
const NO_LINK = 0x7fff_ffff;

const OK: Outcome = Object.freeze({ ok: true });
const NOTHING: Plan = { steps: [], errors: [], awaits: undefined };

/** What changes links. */
export type Setter = Pick<LinkSetter, "apply">;

/** What is written through. */
export interface Target {
  /** The socket. */
  readonly setter: Setter;
  /** The links as they are now. */
  readonly links: Links;
}

/** An operation on its way. */
interface Task {
  readonly operation: Operation;
  readonly plan: Plan;
  /** Where its steps begin among all that are sent. */
  readonly from: number;
}

/** Knows which rows are on their way and which wait for a master. */
export class LinkWriter {
  readonly #corrections: Corrections;
  readonly #log: Logger;
  readonly #requests: Counter;
  readonly #failures: Counter;
  readonly #rate = new LogRate(LOG_INTERVAL_MS);
  readonly #inFlight = new Set<string>();
  readonly #awaiting = new Awaiting();
  /** The index of a master that the kernel did not know, by the link that was to join it. */
  readonly #doubted = new Map<string, number>();

  /** What is written is noted in `corrections`. */
  constructor(corrections: Corrections, telemetry: Telemetry) {
    this.#corrections = corrections;
    this.#log = telemetry.log;
    this.#requests = telemetry.counter("kernel_requests_total");
    this.#failures = telemetry.counter("kernel_failures_total");
    telemetry.gauge("kernel_awaiting_master", () => this.#awaiting.size);
  }

  /** Whether the outcome of a write of this row is not known yet. */
  isWriting(key: string): boolean {
    return this.#inFlight.has(key);
  }

  /** The links that wait for this master, once. */
  takeAwaiting(master: string): Iterable<string> {
    return this.#awaiting.take(master);
  }

  /** Forgets what was written to a link: it is gone, or nobody's any more. */
  forget(key: string): void {
    this.#corrections.forget(key);
    this.#awaiting.set(key, undefined);
    this.#doubted.delete(key);
  }

  /** Forgets who waits. */
  clear(): void {
    this.#awaiting.clear();
    this.#doubted.clear();
  }

  /** Writes in order; one outcome for each operation. Never rejects. */
  async write(operations: readonly Operation[], target: Target): Promise<Outcome[]> {
    const steps: Step[] = [];
    const tasks = operations.map((operation): Task => {
      const plan = this.#begin(operation, target.links);
      const from = steps.length;
      steps.push(...plan.steps);
      return { operation, plan, from };
    });
    const answers = await this.#ask(steps, target.setter);
    for (const { key } of operations) this.#inFlight.delete(key);
    const outcomes = tasks.map((task) => this.#conclude(task, answers));
    // Names of links that never were must not pile up.
    for (const { key } of operations) if (!target.links.find(key)) this.forget(key);
    return outcomes;
  }

  /**
   * Makes sure that links may be changed.
   *
   * @throws {StopError} when they may not
   */
  async probe(setter: Setter): Promise<void> {
    const [complaint] = await setter.apply([{ link: NO_LINK, up: true }]);
    if (isForbidden(complaint)) throw forbidden();
  }

  #begin(operation: Operation, links: Links): Plan {
    const { key } = operation;
    // Nobody made the link for its row, so nobody takes it away with the row, or changes it back.
    if (operation.op === "delete") {
      this.forget(key);
      return NOTHING;
    }
    this.#inFlight.add(key);
    this.#corrections.begin(key, operation.removed, performance.now());
    const plan = planSet(operation, (name) => links.find(name));
    this.#awaiting.set(key, plan.awaits);
    return plan;
  }

  /** The kernel's answers; an error where it could not even be asked. */
  async #ask(
    steps: readonly Step[],
    setter: Setter,
  ): Promise<readonly (LinkComplaint | undefined)[]> {
    if (steps.length === 0) return [];
    this.#requests.value += steps.length;
    try {
      const complaints = await setter.apply(steps.map(({ wish }) => wish));
      if (!complaints.some(isForbidden)) return complaints;
      // One driver's refusal must not end everything; a missing permission must.
      await this.probe(setter);
      return complaints;
    } catch (error) {
      const failure = isComplaint(error) ? error : new StopError(String(error), { cause: error });
      return steps.map(() => failure);
    }
  }

  #conclude(task: Task, answers: readonly (LinkComplaint | undefined)[]): Outcome {
    const { operation, plan, from } = task;
    const errors: Error[] = [...plan.errors];
    for (const [at, step] of plan.steps.entries()) {
      const complaint = answers[from + at];
      if (complaint !== undefined) errors.push(this.#judge(operation.key, step, complaint));
      else if (step.field !== undefined && operation.op === "set") {
        const [name] = step.field;
        const isWanted = Object.hasOwn(operation.fields, name);
        this.#corrections.wrote(operation.key, step.field, isWanted);
        if (name === "master") this.#doubted.delete(operation.key);
      }
    }
    const error = worstOf(errors);
    if (error === undefined) return OK;
    this.#failures.value++;
    this.#corrections.failed(operation.key);
    this.#say(operation.key, error);
    return { ok: false, error };
  }

  #judge(key: string, step: Step, complaint: LinkComplaint): Error {
    const { master } = step.wish;
    if (master === undefined || master === 0 || !isStaleMaster(complaint)) {
      return verdictOf(step, complaint);
    }
    // The master may have been made again meanwhile; then its event brings the new index.
    if (this.#doubted.get(key) === master) return verdictOf(step, complaint);
    this.#doubted.set(key, master);
    return new RetryLaterError(`The kernel knows no link with the index ${master} any more`, {
      cause: complaint,
    });
  }

  /** What is refused is reported by whoever sets the row aside. */
  #say(key: string, error: Error): void {
    if (!(error instanceof RetryLaterError)) return;
    const isAbsent = /^There is no link/.test(error.message);
    const silenced = this.#rate.pass(isAbsent ? "absent" : "busy", performance.now());
    if (silenced === undefined) return;
    const more = silenced > 0 ? ` (and ${silenced} more since the last line)` : "";
    this.#log[isAbsent ? "info" : "warn"](error.message + more, { port: key });
  }
}

function isComplaint(error: unknown): error is LinkComplaint {
  return error instanceof RetryLaterError || error instanceof RejectError ||
    error instanceof StopError;
}
