/**
 * The `validate` transform: lets through only what may become a row, and says why not.
 *
 * @module
 */
import { type Batch, type Change, deferred, type Receipt, rejected } from "../../core/change.ts";
import type { ComponentConfig, Context, CreateTransform } from "../../core/component.ts";
import { RejectError } from "../../core/errors.ts";
import { escapeControls } from "../../core/escape.ts";
import { compileGlobs } from "../../core/glob.ts";
import { LogRate } from "../../core/log_rate.ts";
import type { Inspectable } from "../../core/introspection.ts";
import type { Stage } from "../../core/stage.ts";
import type { Counter } from "../../core/telemetry.ts";
import { checkChange, type Refusal } from "./checks.ts";
import { KnownPorts } from "./known_ports.ts";
import { readSettings, type ValidateSettings } from "./settings.ts";

/** Between two log lines of one kind, milliseconds. */
const LOG_INTERVAL_MS = 30_000;

const WAITS: Receipt = deferred("its port is not known yet");

/** For a next stage that answers for fewer changes than it was given. */
const LEFT_OPEN: Receipt = deferred("the next stage did not say");

/** Names what is counted, one number for each reason. */
const COUNTERS = {
  name: "validate_rejected_name_total",
  interface: "validate_rejected_interface_total",
  field: "validate_rejected_field_total",
  full: "validate_rejected_full_total",
} as const;

type Reason = keyof typeof COUNTERS;

/** Checks each change and hands the good ones on. */
class Validate implements Stage, Inspectable {
  readonly #context: Context;
  readonly #next: Stage;
  readonly #isWanted: (name: string) => boolean;
  readonly #ports: KnownPorts | undefined;
  readonly #rate = new LogRate(LOG_INTERVAL_MS);
  readonly #rejected: Readonly<Record<Reason, Counter>>;

  constructor(settings: ValidateSettings, context: Context, next: Stage) {
    const { telemetry } = context;
    this.#context = context;
    this.#next = next;
    this.#isWanted = settings.interfaces ? compileGlobs(settings.interfaces) : () => true;
    this.#rejected = {
      name: telemetry.counter(COUNTERS.name),
      interface: telemetry.counter(COUNTERS.interface),
      field: telemetry.counter(COUNTERS.field),
      full: telemetry.counter(COUNTERS.full),
    };
    this.#ports = settings.ports ? new KnownPorts(settings.ports, context, next) : undefined;
  }

  handle(batch: Batch, signal: AbortSignal): Promise<Receipt[]> {
    const { changes } = batch;
    this.#ports?.begin(batch.mark);
    const out: Change[] = [];
    const receipts: (Receipt | undefined)[] = [];
    /** For each change that passes, its place in `out`. */
    const places: number[] = [];
    for (const change of changes) {
      receipts.push(this.#admit(change, out));
      places.push(out.length - 1);
    }
    const mark = this.#ports ? this.#ports.end(batch.mark) : batch.mark;
    const isWhole = mark === batch.mark && !receipts.some(Boolean);
    if (isWhole && out.length === changes.length) return this.#next.handle(batch, signal);
    if (out.length === 0 && mark === undefined) return settle(receipts, places, []);
    const rest: Batch = mark === undefined ? { changes: out } : { changes: out, mark };
    return settle(receipts, places, this.#next.handle(rest, signal));
  }

  async close(): Promise<void> {
    await this.#ports?.close();
  }

  explainKey(key: string): string[] {
    return this.#ports?.explain(key) ?? [];
  }

  retry(key: string): boolean {
    return this.#ports?.retry(key) ?? false;
  }

  counts(): Record<string, number> {
    return { held: this.#ports?.held ?? 0 };
  }

  /** Puts the change at the end of `out`, or says what becomes of it instead. */
  #admit(change: Change, out: Change[]): Receipt | undefined {
    const refusal = checkChange(change, this.#isWanted);
    if (refusal) return this.#reject(change, refusal);
    if (!this.#ports) {
      out.push(change);
      return undefined;
    }
    const admission = this.#ports.admit(change, out);
    if (admission === "pass") return undefined;
    if (admission === "hold") return WAITS;
    return this.#reject(change, {
      counter: "full",
      message: `${escapeControls(change.key)} is not known, and hold_max others wait already`,
    });
  }

  #reject(change: Change, refusal: Omit<Refusal, "counter"> & { counter: Reason }): Receipt {
    const { counter, message } = refusal;
    this.#rejected[counter].value++;
    // A name that no pattern matches is what patterns are for.
    if (counter !== "interface") {
      const silenced = this.#rate.pass(counter, performance.now());
      if (silenced !== undefined) {
        const more = silenced > 0 ? ` (and ${silenced} others since the last line)` : "";
        this.#context.telemetry.log.warn(`Refused a change: ${message}${more}`, {
          port: change.key,
        });
      }
    }
    return rejected(new RejectError(message));
  }
}

/** Puts the next stage's receipts into the gaps. */
async function settle(
  receipts: readonly (Receipt | undefined)[],
  places: readonly number[],
  answers: Receipt[] | Promise<Receipt[]>,
): Promise<Receipt[]> {
  const given = await answers;
  return receipts.map((receipt, index) => receipt ?? given[places[index] ?? -1] ?? LEFT_OPEN);
}

/** Makes the transform. */
const createValidate: CreateTransform<ComponentConfig> = (config, context, next) =>
  new Validate(readSettings(config), context, next);

export default createValidate;
