/**
 * The gate for unknown ports, joined to the database that knows them.
 *
 * @module
 */
import { age } from "../../core/age.ts";
import type { Batch, Change, Mark } from "../../core/change.ts";
import type { Context } from "../../core/component.ts";
import { escapeControls } from "../../core/escape.ts";
import { LogRate } from "../../core/log_rate.ts";
import type { RowChange, Stage } from "../../core/stage.ts";
import type { Counter } from "../../core/telemetry.ts";
import { linkOptions } from "../../sonic/link_options.ts";
import { TableWatch } from "../../sonic/table_watch.ts";
import { type Admission, PortGate } from "./port_gate.ts";
import type { PortsSettings } from "./settings.ts";

/** Between two log lines of one kind, milliseconds. */
const LOG_INTERVAL_MS = 30_000;

/** Asks for ports, and hands on what waited for them. */
export class KnownPorts {
  readonly #settings: PortsSettings;
  readonly #context: Context;
  readonly #next: Stage;
  readonly #gate: PortGate;
  readonly #watch: TableWatch;
  readonly #closing = new AbortController();
  readonly #rate = new LogRate(LOG_INTERVAL_MS);
  readonly #held: Counter;
  readonly #released: Counter;

  /** @param next takes what had to wait */
  constructor(settings: PortsSettings, context: Context, next: Stage) {
    const { telemetry } = context;
    this.#settings = settings;
    this.#context = context;
    this.#next = next;
    this.#gate = new PortGate(settings.holdMax);
    this.#held = telemetry.counter("validate_held_total");
    this.#released = telemetry.counter("validate_released_total");
    telemetry.gauge("validate_held", () => this.#gate.held);
    this.#watch = new TableWatch({
      link: linkOptions(settings.server, context),
      table: settings.table,
      separator: settings.server.separator,
      scope: "asked",
      pollMs: settings.pollMs,
      onRows: (changes) => this.#answered(changes),
    });
    this.#watch.open();
  }

  /** Takes a mark that applies before its batch's changes. */
  begin(mark: Mark | undefined): void {
    if (mark === "dump-begin") this.#gate.dumpBegins();
    else if (mark === "lost") this.#gate.eventsLost();
  }

  /** Takes a change; what passes now is put at the end of `out`. */
  admit(change: Change, out: Change[]): Admission {
    if (change.op === "delete") {
      this.#gate.delete(change, out);
      return "pass";
    }
    const admission = this.#gate.set(change, out);
    if (admission === "hold") this.#held.value++;
    return admission;
  }

  /**
   * Takes the end of a batch's changes.
   *
   * @returns the mark to hand on with them: an end of a dump may have to wait
   */
  end(mark: Mark | undefined): Mark | undefined {
    const isHeldBack = mark === "dump-end" && !this.#gate.dumpEnds();
    this.#afterTurn();
    return isHeldBack ? undefined : mark;
  }

  /** How many changes are held back. */
  get held(): number {
    return this.#gate.held;
  }

  /** Why changes of a key, `TABLE|key` or the key alone, are held back: lines for people. */
  explain(key: string): string[] {
    const { table, server } = this.#settings;
    return this.#waiting(key).flatMap(({ change, isUnknown }) => {
      const why = isUnknown ? "does not know it" : "has not said yet whether it knows it";
      const fields = Object.entries(change.fields).map(([name, value]) => `${name}=${value}`);
      return [
        `${change.table}|${change.key} is held back for ${age(Date.now() - change.time)}: ` +
        `${table} of ${server.name} ${why}`,
        `desired: ${fields.join(" ")}`,
      ];
    });
  }

  /** Asks the database once more about a key that waits. False if none does. */
  retry(key: string): boolean {
    const keys = new Set(this.#waiting(key).map(({ change }) => change.key));
    if (keys.size > 0) this.#watch.ask(keys);
    return keys.size > 0;
  }

  #waiting(key: string): { readonly change: Change; readonly isUnknown: boolean }[] {
    const [table, ...rest] = key.split("|");
    const of = (key: string) => {
      const { changes, isUnknown } = this.#gate.waiting(key);
      return changes.map((change) => ({ change, isUnknown }));
    };
    return [...of(key), ...of(rest.join("|")).filter(({ change }) => change.table === table)];
  }

  /** Lets go of the database; what waits is dropped. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watch.close();
  }

  #answered(changes: readonly RowChange[]): void {
    const out: Change[] = [];
    for (const { key, fields } of changes) {
      this.#gate.answer(key, fields !== undefined, out);
      if (fields === undefined) this.#sayUnknown(key);
    }
    this.#released.value += out.length;
    const isEnd = this.#gate.takeEnd();
    this.#afterTurn();
    if (out.length === 0 && !isEnd) return;
    const batch: Batch = isEnd ? { changes: out, mark: "dump-end" } : { changes: out };
    this.#next.handle(batch, this.#closing.signal).catch((error) => {
      this.#context.fail(error instanceof Error ? error : new Error(String(error)));
    });
  }

  #sayUnknown(key: string): void {
    if (this.#rate.pass("unknown", performance.now()) === undefined) return;
    const { table, server } = this.#settings;
    const waiting = this.#gate.held > 1 ? ` (${this.#gate.held} changes wait)` : "";
    this.#context.telemetry.log.info(
      `${escapeControls(key)} waits until ${table} of ${server.name} knows it${waiting}`,
      { port: key },
    );
  }

  #afterTurn(): void {
    const asked: string[] = [];
    for (const [key, question] of this.#gate.takeQuestions()) {
      if (question === "ask") asked.push(key);
      else this.#watch.forget(key);
    }
    if (asked.length > 0) this.#watch.ask(asked);
    if (this.#gate.takeWish()) this.#context.resync();
  }
}
