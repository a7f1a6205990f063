/**
 * Changes that were received, on their way into the pipeline, and receipts on their way back.
 *
 * @module
 */
import { ACCEPTED, type Batch, type Receipt, rejected } from "../../core/change.ts";
import type { Context } from "../../core/component.ts";
import { RejectError } from "../../core/errors.ts";
import { LogRate } from "../../core/log_rate.ts";
import type { Counter } from "../../core/telemetry.ts";
import type { ReceivedChanges } from "../../netipc/changes/codec.ts";

const LOG_INTERVAL_MS = 30_000;

/** Counts what producers send, and says what of it cannot be used. */
export class Reception {
  readonly #log: Context["telemetry"]["log"];
  readonly #rate = new LogRate(LOG_INTERVAL_MS);
  readonly #messages: Counter;
  readonly #changes: Counter;
  readonly #unusable: Counter;
  readonly #malformed: Counter;

  /** @param name what the numbers' names begin with: `uds` */
  constructor(name: string, { telemetry }: Context) {
    this.#log = telemetry.log;
    this.#messages = telemetry.counter(`${name}_messages_total`);
    this.#changes = telemetry.counter(`${name}_changes_total`);
    this.#unusable = telemetry.counter(`${name}_unusable_changes_total`);
    this.#malformed = telemetry.counter(`${name}_malformed_messages_total`);
  }

  /** The batch of a message. */
  batchOf({ mark, changes, count, faults }: ReceivedChanges): Batch {
    this.#messages.value++;
    this.#changes.value += count;
    if (faults.size > 0) {
      this.#unusable.value += faults.size;
      const [reason] = faults.values();
      this.warn("unusable", "A producer sent changes that cannot be used; they are rejected", {
        count: faults.size,
        reason,
      });
    }
    return mark === undefined ? { changes } : { changes, mark };
  }

  /** Counts a message that could not be read, and says what happens with it. */
  malformed(what: string, error: Error): void {
    this.#malformed.value++;
    this.warn("malformed", what, { error });
  }

  /** Warns, but not too often for one kind of trouble. */
  warn(kind: string, message: string, properties: Record<string, unknown>): void {
    const silenced = this.#rate.pass(kind, performance.now());
    if (silenced === undefined) return;
    this.#log.warn(message, silenced > 0 ? { ...properties, silenced } : properties);
  }
}

/**
 * Whether a pipeline that stops has given changes up that it did not bring to an end. Nobody is
 * told that they were dealt with: whoever sent or keeps them offers them to the next pipeline.
 */
export function isGivenUp(receipts: readonly Receipt[], { aborted }: AbortSignal): boolean {
  return aborted &&
    receipts.some((receipt) => receipt.outcome === "deferred" && receipt !== ACCEPTED);
}

/** One receipt for every change of the message, in its order. */
export function receiptsFor(
  { count, faults }: ReceivedChanges,
  receipts: readonly Receipt[],
): readonly Receipt[] {
  if (faults.size === 0) return receipts;
  let next = 0;
  return Array.from({ length: count }, (_, place): Receipt => {
    const fault = faults.get(place);
    const receipt = fault === undefined ? receipts[next++] : undefined;
    return receipt ?? rejected(new RejectError(fault ?? "no receipt was given"));
  });
}
