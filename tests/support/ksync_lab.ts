/**
 * An engine, one table and a scripted sink, with the words of the KSync specification: keys are
 * names, adds, changes and deletes are counted, and answers come when the test says so.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Fields } from "../../src/core/change.ts";
import type { Operation } from "../../src/core/stage.ts";
import { type Answer, OK } from "../../src/transforms/ksync/answers.ts";
import type { Container, ContainerOptions } from "../../src/transforms/ksync/container.ts";
import { Engine } from "../../src/transforms/ksync/engine.ts";
import type { Entry } from "../../src/transforms/ksync/entry.ts";
import type { EngineOptions, Kind, ReportKind } from "../../src/transforms/ksync/machine.ts";
import { STATE_NAMES, type StateName } from "../../src/transforms/ksync/states.ts";

/** A request that the sink has not answered. */
export interface Request {
  readonly operation: Operation;
  readonly slot: number;
  readonly number: number;
  readonly kind: Kind;
}

/** What a lab is made of. */
export interface LabOptions extends Partial<EngineOptions> {
  /** Which kinds of requests the sink completes at once. Every kind when left out. */
  readonly atOnce?: readonly Kind[];
  readonly table?: ContainerOptions;
}

/** An engine under test. */
export class Lab {
  readonly engine: Engine;
  readonly table: Container;
  /** Every write in order: `A X`, `C X`, `D X`. */
  readonly writes: string[] = [];
  /** The operations of the writes. */
  readonly operations: Operation[] = [];
  readonly reports: { readonly kind: ReportKind; readonly text: string }[] = [];
  freed = 0;
  emptied = 0;
  /** Whether one request of this kind for this key is completed at once. */
  completes: (kind: Kind, key: string) => boolean;
  readonly #outstanding: Request[] = [];
  #value = 0;

  constructor(options: LabOptions = {}) {
    const { atOnce = ["add", "change", "delete"], table = {}, ...engineOptions } = options;
    this.completes = (kind) => atOnce.includes(kind);
    this.engine = new Engine(
      {
        send: (operation, slot, number, kind) => {
          this.writes.push(`${kind[0]?.toUpperCase()} ${operation.key}`);
          this.operations.push(operation);
          if (this.completes(kind, operation.key)) return true;
          this.#outstanding.push({ operation, slot, number, kind });
          return false;
        },
        report: (kind, _entry, describe) => this.reports.push({ kind, text: describe() }),
        freed: () => this.freed++,
        emptied: () => this.emptied++,
        openTable: () => table,
      },
      { resolveOn: "sent", ...engineOptions },
      0,
      () => 0.5,
    );
    this.table = this.engine.container("T", {
      // A test names what a row needs in its field `needs`.
      dependencies: (_key, fields) =>
        (fields["needs"] ?? "").split(",").filter((key) => key !== "").map((key) => ({
          table: "T",
          key,
        })),
      ...table,
    });
  }

  /** Creates or changes a row, each time with another value, unless one is given. */
  set(key: string, needs = "", value?: string): void {
    const fields: Fields = { value: value ?? String(++this.#value), needs };
    this.engine.set(this.table, key, fields);
  }

  /** Deletes rows. */
  delete(...keys: string[]): void {
    for (const key of keys) this.engine.delete(this.table, key);
  }

  /** Deletes a row and adds it again. */
  renew(key: string): boolean {
    return this.engine.renew(this.table, key);
  }

  /** Takes a reference to a key from outside. */
  hold(key: string): Entry {
    const e = this.engine.hold(this.table, key);
    assert.ok(e);
    return e;
  }

  /** Answers the outstanding requests of these keys, in this order. */
  ack(...keys: string[]): void {
    for (const key of keys) this.answer(key, OK);
  }

  /** Answers the outstanding request of a key. */
  answer(key: string, answer: Answer): void {
    assert.ok(this.reply(this.request(key), answer), `the answer for ${key} was not expected`);
  }

  /** Answers a request. */
  reply({ slot, number }: Request, answer: Answer): boolean {
    return this.engine.answer(slot, number, answer);
  }

  /** Takes the outstanding request of a key out, to be answered by `reply` or never. */
  request(key: string): Request {
    const at = this.#outstanding.findIndex(({ operation }) => operation.key === key);
    const [request] = at < 0 ? [] : this.#outstanding.splice(at, 1);
    assert.ok(request, `no request of ${key} is outstanding`);
    return request;
  }

  /** How many requests were neither answered nor taken out. */
  get outstanding(): number {
    return this.#outstanding.length;
  }

  /** The entry of a key. */
  entry(key: string): Entry {
    const e = this.table.find(key);
    assert.ok(e, `there is no entry ${key}`);
    return e;
  }

  /** The state of a key, or `gone`. */
  state(key: string): StateName | "gone" {
    const e = this.table.find(key);
    return e === undefined ? "gone" : STATE_NAMES[e.state];
  }

  /** The states of several keys. */
  states(...keys: string[]): (StateName | "gone")[] {
    return keys.map((key) => this.state(key));
  }

  /** The reference count of a key. */
  refs(key: string): number {
    return this.entry(key).refs;
  }

  /** Asserts the numbers of writes so far, and of freed entries where given. */
  counts(adds: number, changes: number, deletes: number, freed?: number): void {
    const { counters } = this.table;
    assert.deepEqual(
      { A: counters.adds, C: counters.changes, D: counters.deletes },
      { A: adds, C: changes, D: deletes },
    );
    if (freed !== undefined) assert.equal(this.freed, freed, "freed entries");
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.engine.tick(this.engine.now + ms);
  }

  /** Does everything that is due now, however many turns it takes. */
  settle(): void {
    while (this.engine.nextDeadline() <= this.engine.now) this.engine.tick(this.engine.now);
  }
}
