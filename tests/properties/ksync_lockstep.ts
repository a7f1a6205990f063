/**
 * The engine and its oracle, side by side: one history, two machines, compared after every event.
 *
 * @module
 */
import type { Fields } from "../../src/core/change.ts";
import { type Answer, OK } from "../../src/transforms/ksync/answers.ts";
import type { Container } from "../../src/transforms/ksync/container.ts";
import { DEFAULT_OPTIONS, Engine } from "../../src/transforms/ksync/engine.ts";
import { STATE_NAMES } from "../../src/transforms/ksync/states.ts";
import { checkStructure } from "./ksync_invariants.ts";
import { Oracle, type Rules, text } from "./ksync_oracle.ts";
import { type Bytes, World } from "./ksync_world.ts";

const KEYS = ["a", "b", "c", "d"] as const;

/** The values that rows take: some share fields, so that changes and removals are seen. */
const VALUES: readonly Fields[] = [{ v: "0" }, { v: "1" }, { v: "1", w: "1" }];

const BUSY = new Error("busy");
const NEVER = new Error("refused");

/** What differs from run to run, from one byte. */
function rulesOf(byte: number): Rules {
  return {
    resolveOn: (byte & 1) === 0 ? "acked" : "sent",
    compress: (byte & 2) === 0,
    renew: (byte & 4) === 0 ? "ignore" : "hold",
    retryOnChange: (byte & 8) !== 0,
    maxAttempts: (byte & 16) === 0 ? 0 : 2,
    requestTimeoutMs: 50,
    delay: (attempt) => Math.min(80, 10 * 2 ** attempt),
  };
}

/** One history. */
export class Lockstep {
  readonly #world = new World();
  readonly #oracle: Oracle;
  readonly #engine: Engine;
  readonly #table: Container;
  readonly #needs = new Map<string, readonly string[]>();
  readonly #held: string[] = [];
  /** What happened, for the report of a failure. */
  readonly log: string[] | undefined;

  constructor(bytes: Bytes, withLog: boolean) {
    const rules = rulesOf(bytes.next());
    this.log = withLog ? [JSON.stringify(rules)] : undefined;
    this.#oracle = new Oracle(rules);
    this.#engine = new Engine(
      {
        send: (operation, slot, number, kind) => {
          this.#world.send(operation, slot, number, kind);
          return false;
        },
      },
      {
        resolveOn: rules.resolveOn,
        renew: rules.renew,
        retryOnChange: rules.retryOnChange,
        requestTimeoutMs: rules.requestTimeoutMs,
        retry: {
          initialMs: 10,
          maxMs: 80,
          factor: 2,
          jitter: 0,
          maxAttempts: rules.maxAttempts,
        },
        sweep: { ...DEFAULT_OPTIONS.sweep, perInterval: 1000 },
      },
    );
    this.#table = this.#engine.container("T", {
      compressDeletes: rules.compress,
      dependencies: (key) =>
        (this.#needs.get(key) ?? []).map((need) => ({ table: "T", key: need })),
    });
  }

  /** Runs a history to its end, then lets the sink answer everything and looks again. */
  run(bytes: Bytes): void {
    while (bytes.hasMore) {
      this.#event(bytes.next(), bytes.next());
      this.#compare();
    }
    this.#drain();
  }

  #event(op: number, argument: number): void {
    const key = KEYS[argument & 3] ?? "a";
    const more = argument >> 2;
    const kind = op & 31;
    if (kind < 9) this.#set(key, more);
    else if (kind < 12) this.#delete(key);
    else if (kind < 13) this.#renew(key);
    else if (kind < 14) this.#holdOrRelease(key);
    else if (kind < 20) this.#answer(argument, OK, true);
    else if (kind < 21) {
      this.#answer(argument, { kind: "transient", error: BUSY }, (more & 1) === 1);
    } else if (kind < 22) {
      this.#answer(argument, { kind: "transient", error: BUSY, untouched: true }, false);
    } else if (kind < 23) this.#answer(argument, { kind: "permanent", error: NEVER }, false);
    else if (kind < 24) this.#stray(argument);
    else if (kind < 27) this.#pass(argument >> 1);
    else if (kind < 29) this.#sink(argument);
    else if (kind < 31) this.#dump(argument);
    else this.#retry(key);
  }

  #set(key: string, more: number): void {
    // Only earlier keys are needed, so there are no circles.
    const needs = KEYS.filter((need, at) => need < key && (more >> 2 & 1 << at) !== 0);
    const value = VALUES[more & 3] ?? { v: "2" };
    this.log?.push(`set ${key} ${text(value)} needs ${needs}`);
    this.#needs.set(key, needs);
    this.#engine.set(this.#table, key, value);
    this.#oracle.set(key, value, needs);
  }

  #delete(key: string): void {
    this.log?.push(`delete ${key}`);
    this.#engine.delete(this.#table, key);
    this.#oracle.delete(key);
  }

  #renew(key: string): void {
    this.log?.push(`renew ${key}`);
    const renewed = this.#engine.renew(this.#table, key);
    if (renewed !== this.#oracle.renew(key)) throw new Error(`A renew of ${key}: ${renewed}`);
  }

  #holdOrRelease(key: string): void {
    const at = this.#held.indexOf(key);
    this.log?.push(`${at < 0 ? "hold" : "release"} ${key}`);
    if (at < 0) {
      this.#held.push(key);
      this.#engine.hold(this.#table, key);
      this.#oracle.hold(key);
      return;
    }
    this.#held.splice(at, 1);
    const e = this.#table.find(key);
    if (e === undefined || !this.#engine.release(e)) throw new Error(`${key} was not held`);
    this.#oracle.release(key);
  }

  #answer(which: number, answer: Answer, isApplied: boolean): void {
    const waiting = [...this.#world.outstanding.keys()];
    const key = waiting[which % Math.max(1, waiting.length)];
    if (key === undefined) return;
    this.log?.push(`answer ${key} ${answer.kind} ${isApplied ? "applied" : ""}`);
    const { slot, number } = this.#world.end(key, isApplied);
    if (!this.#engine.answer(slot, number, answer)) throw new Error(`Nobody waited for ${key}`);
    if (answer.kind === "ok") this.#oracle.ok(key);
    else if (answer.kind === "permanent") this.#oracle.permanent(key);
    else this.#oracle.transient(key, answer.untouched ?? false);
  }

  /** An answer that belongs to no request, or that comes for the second time. */
  #stray(argument: number): void {
    this.log?.push("stray answer");
    const { slot, number } = this.#world.last ?? { slot: argument, number: argument };
    const before = this.#engine.lateAnswers;
    if (this.#engine.answer(slot, number, OK)) throw new Error("A stray answer was taken");
    if (this.#engine.lateAnswers !== before + 1) throw new Error("A stray answer was not counted");
  }

  #pass(ms: number): void {
    this.log?.push(`pass ${ms}`);
    const now = this.#engine.now + ms;
    // What is overdue is never answered; half of it took effect all the same.
    for (const key of [...this.#world.outstanding.keys()]) {
      const e = this.#table.find(key);
      const sentAt = e === undefined ? -Infinity : this.#engine.sentAt(e);
      if (now >= sentAt + 50) this.#world.end(key, (ms & 1) === 1);
    }
    this.#engine.tick(now);
    this.#oracle.pass(ms);
  }

  #sink(argument: number): void {
    if (this.#table.open) {
      this.log?.push("sink lost");
      let bit = argument;
      for (const key of [...this.#world.outstanding.keys()]) {
        this.#world.end(key, (bit & 1) === 1);
        bit >>= 1;
      }
      this.#engine.sinkLost(this.#table);
      this.#oracle.lost();
      return;
    }
    this.#change(argument);
    this.log?.push(`sink up with ${JSON.stringify([...this.#world.rows])}`);
    this.#engine.beginScan(this.#table);
    for (const [key, row] of this.#world.rows) this.#engine.found(this.#table, key, row);
    this.#engine.endScan(this.#table);
    this.#oracle.scanned(this.#world.rows);
  }

  /** What became of the sink's rows while it was away. */
  #change(argument: number): void {
    const { rows } = this.#world;
    const key = KEYS[argument >> 2 & 3] ?? "a";
    switch (argument & 3) {
      case 0: // as they were
        return;
      case 1: // the server came back empty
        rows.clear();
        return;
      case 2: // one row is gone
        rows.delete(key);
        return;
      default: // one row is another, or new
        rows.set(key, VALUES[argument >> 4 & 1] ?? {});
    }
  }

  #dump(argument: number): void {
    const what = argument & 3;
    this.log?.push(`dump ${what}`);
    if (what < 2) {
      this.#engine.dumpBegins();
      this.#oracle.dumpBegins(true);
    } else if (what === 2) {
      this.#engine.dumpEnds();
      this.#oracle.dumpEnds();
    } else {
      this.#engine.eventsLost();
      this.#oracle.dumpBegins(false);
    }
  }

  #retry(key: string): void {
    this.log?.push(`retry ${key}`);
    this.#engine.retry(this.#table, key);
    this.#oracle.retry(key);
  }

  /** Both say the same of every key, and have sent the same. */
  #compare(): void {
    for (const { operation, kind } of this.#world.sent) {
      this.#compareRequest(operation.key, kind, operation);
    }
    if (this.#oracle.sent.size > 0) {
      throw new Error(`The model also sends for ${[...this.#oracle.sent.keys()]}`);
    }
    this.#world.sent = [];
    for (const key of KEYS) {
      const e = this.#table.find(key);
      const state = e === undefined ? "gone" : STATE_NAMES[e.state];
      const expected = this.#oracle.stateOf(key);
      if (state !== expected) throw new Error(`${key} is ${state}, and should be ${expected}`);
      const refs = e?.refs ?? 0;
      if (refs !== this.#oracle.referencesOf(key)) {
        throw new Error(`${key} has ${refs} references, not ${this.#oracle.referencesOf(key)}`);
      }
      if (e !== undefined && this.#table.open) this.#compareRow(key, state, e.desired);
    }
    checkStructure(this.#engine, this.#world.outstanding.size);
  }

  #compareRequest(key: string, kind: string, operation: World["sent"][number]["operation"]): void {
    const expected = this.#oracle.sent.get(key);
    this.#oracle.sent.delete(key);
    const fields = operation.op === "set" ? operation.fields : {};
    const removed = operation.op === "set" ? [...operation.removed].sort() : [];
    const isEqual = expected?.kind === kind && text(expected.fields) === text(fields) &&
      expected.removed.join() === removed.join();
    if (isEqual) return;
    throw new Error(
      `${kind} ${key} ${text(fields)} without ${removed}, not ${JSON.stringify(expected)}`,
    );
  }

  #compareRow(key: string, state: string, desired: Fields): void {
    const row = this.#world.rows.get(key);
    if (state === "IN_SYNC" && (row === undefined || text(row) !== text(desired))) {
      // Of rows that others made before us, only the fields that we name are ours.
      const isForeign = row !== undefined &&
        Object.entries(desired).every(([name, value]) => row[name] === value);
      if (!isForeign) throw new Error(`${key} is IN_SYNC with ${JSON.stringify(row)}`);
    }
    const isOurs = this.#oracle.others.has(key);
    if ((state === "TEMP" || state === "ADD_DEFER") && row !== undefined && !isOurs) {
      throw new Error(`${key} is ${state} with ${JSON.stringify(row)}`);
    }
  }

  /** A sink without faults, and time enough: everything ends where it should. */
  #drain(): void {
    this.log?.push("drain");
    for (let round = 0; round < 200; round++) {
      if (!this.#table.open) this.#sink(0);
      else if (this.#world.outstanding.size > 0) this.#answer(0, OK, true);
      else if (KEYS.some((key) => this.#oracle.stateOf(key) === "FAILED")) {
        for (const key of KEYS) this.#retry(key);
      } else if (this.#engine.nextDeadline() < Infinity && !this.#isOnlyTheDump()) {
        this.#pass(Math.max(0, this.#engine.nextDeadline() - this.#engine.now));
      } else {
        this.#compare();
        const strays = this.#table.counters.strayEvents();
        if (strays > 0) throw new Error(`${strays} stray events`);
        return;
      }
      this.#compare();
    }
    throw new Error("It does not come to rest");
  }

  /** Whether the only thing waited for is the end of a dump. */
  #isOnlyTheDump(): boolean {
    return this.#engine.timed === 0 && this.#engine.nextDeadline() - this.#engine.now > 1000;
  }
}
