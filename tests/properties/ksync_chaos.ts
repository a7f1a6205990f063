/**
 * The whole engine under everything at once: circles, a narrow window, gathering, quiet periods,
 * damping, cascades, adoption, foreign rows and fields, scans that other events interrupt, sinks
 * that answer at once. There is no second model here; what must hold of any history is checked
 * after every event, and where it must end when the faults have ended.
 *
 * @module
 */
import type { Fields } from "../../src/core/change.ts";
import { type Answer, OK } from "../../src/transforms/ksync/answers.ts";
import type { Container } from "../../src/transforms/ksync/container.ts";
import { DEFAULT_OPTIONS, Engine } from "../../src/transforms/ksync/engine.ts";
import {
  type Entry,
  Flag,
  isDeferred,
  isWanted,
  type Ticket,
} from "../../src/transforms/ksync/entry.ts";
import type { EngineOptions } from "../../src/transforms/ksync/machine.ts";
import { State, STATE_NAMES } from "../../src/transforms/ksync/states.ts";
import { checkStructure } from "./ksync_invariants.ts";
import { text } from "./ksync_oracle.ts";
import { type Bytes, World } from "./ksync_world.ts";

/** Keys are the names of both tables: the first three stand in T, the others in U. */
const KEYS = ["a", "b", "c", "d", "e"] as const;
const VALUES: readonly Fields[] = [{ v: "0" }, { v: "1" }, { v: "1", w: "1" }, { w: "2" }];
const FOREIGN = "foreign";
const REQUEST_TIMEOUT_MS = 50;

function optionsOf(first: number, second: number): Partial<EngineOptions> {
  const bit = (byte: number, at: number) => (byte >> at & 1) !== 0;
  return {
    resolveOn: bit(first, 0) ? "sent" : "acked",
    renew: bit(first, 1) ? "hold" : "ignore",
    onDependencyDeleted: bit(first, 2) ? "cascade" : "hold",
    onCycle: bit(first, 3) ? "reject" : "report",
    retryOnChange: bit(first, 4),
    maxInFlight: bit(first, 5) ? 1 + (second & 1) : 100,
    coalesceMs: bit(first, 6) ? 20 : 0,
    gatherMs: bit(first, 7) ? 15 : 0,
    gatherOperations: 2,
    holdWarnMs: bit(second, 1) ? 30 : 0,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    retry: {
      initialMs: 10,
      maxMs: 80,
      factor: 2,
      jitter: 0.2,
      maxAttempts: bit(second, 2) ? 2 : 0,
    },
    damping: bit(second, 3)
      ? { penalty: 1, suppressAbove: 2, reuseBelow: 1, halfLifeMs: 20, maxSuppressMs: 60 }
      : undefined,
    sweep: {
      ...DEFAULT_OPTIONS.sweep,
      afterMs: bit(second, 4) ? 10 : 0,
      intervalMs: 5,
      perInterval: 2,
      maxWaitMs: 200,
      withoutEnd: bit(second, 5),
    },
  };
}

/** What an owner asked for: a row with these fields, or no row. */
interface Wish {
  readonly key: string;
  readonly fields: Fields | undefined;
}

/** One history. */
export class Chaos {
  readonly log: string[] | undefined;
  readonly #world = new World();
  readonly #engine: Engine;
  readonly #tables: readonly Container[];
  readonly #needs = new Map<string, readonly string[]>();
  readonly #held: Entry[] = [];
  readonly #compresses: boolean;
  /** Who asked for something and has not been told what became of it. */
  readonly #unsettled = new Set<Wish>();
  /** Keys whose requests the sink completes at once, as bits. */
  #atOnce = 0;
  /** A table that is being read, and what is left to read of it. */
  #scan: { readonly table: Container; readonly left: [string, Fields][] } | undefined;

  constructor(bytes: Bytes, withLog: boolean) {
    this.log = withLog ? [] : undefined;
    const first = bytes.next();
    const second = bytes.next();
    const options = optionsOf(first, second);
    this.log?.push(JSON.stringify(options));
    this.#compresses = (second & 192) !== 192;
    this.#engine = new Engine(
      {
        send: (operation, slot, number, kind) => {
          this.#checkForeign(operation);
          const at = KEYS.findIndex((key) => key === operation.key);
          this.log?.push(`  ${kind} ${operation.key}`);
          if ((this.#atOnce >> at & 1) === 0) {
            this.#world.send(operation, slot, number, kind);
            return false;
          }
          if (this.#world.outstanding.has(operation.key)) throw new Error("two requests");
          this.#world.apply(operation);
          return true;
        },
        report: (_kind, _entry, describe) => describe(),
      },
      options,
      0,
      () => 0.5,
    );
    const table = (name: string) =>
      this.#engine.container(name, {
        compressDeletes: this.#compresses,
        owns: (key, fields) => (second & 1) === 0 && key !== "e" && Object.hasOwn(fields, "v"),
        dependencies: (key) => (this.#needs.get(key) ?? []).map(referenceTo),
        index: (second & 2) === 0 ? undefined : { allocate: "engine", max: 4 },
      });
    this.#tables = [table("T"), table("U")];
  }

  run(bytes: Bytes): void {
    while (bytes.hasMore) {
      this.#event(bytes.next(), bytes.next(), bytes);
      this.#check();
    }
    this.#drain();
    this.#checkEnd();
    this.#leaveNothing();
  }

  #event(op: number, argument: number, bytes: Bytes): void {
    const key = KEYS[(argument & 7) % KEYS.length] ?? "a";
    const more = argument >> 3;
    const kind = op & 31;
    if (kind < 12) this.#own(kind, key, more | (op & 0xe0));
    else if (kind < 13) this.#corked(bytes);
    else if (kind < 14) this.#holdOrRelease(key);
    else if (kind < 19) this.#answer(argument, OK, true);
    else if (kind < 20) {
      this.#answer(argument, { kind: "transient", error: new Error("busy") }, (more & 1) === 1);
    } else if (kind < 21) {
      this.#answer(argument, { kind: "permanent", error: new Error("never") }, false);
    } else if (kind < 22) this.#stray(argument);
    else if (kind < 25) this.#pass(argument >> 2);
    else if (kind < 28) this.#sink(argument);
    else if (kind < 30) this.#dump(argument);
    else if (kind < 31) this.#atOnce = argument & 31;
    else this.#retry(key);
  }

  /** One of the things that an owner can ask for. */
  #own(kind: number, key: string, more: number): void {
    const table = this.#tableOf(key);
    if (kind < 8) {
      const needs = KEYS.filter((_need, at) => (more >> 2 & more >> 1 & 1 << at) !== 0);
      const value = VALUES[more & 3] ?? {};
      const removed = (more & 32) === 0 ? [] : ["w"];
      this.log?.push(`set ${key} ${text(value)} needs ${needs} without ${removed}`);
      const before = this.#needs.get(key) ?? [];
      this.#needs.set(key, needs);
      const e = this.#engine.set(table, key, value, removed, this.#ticket(key, value));
      if (e === undefined) this.#needs.set(key, before);
    } else if (kind < 11) {
      this.log?.push(`delete ${key}`);
      this.#engine.delete(table, key, this.#ticket(key, undefined));
    } else {
      this.log?.push(`renew ${key}`);
      this.#engine.renew(table, key);
    }
  }

  /** Every wish is answered once, and is there when the answer says so. */
  #ticket(key: string, fields: Fields | undefined): Ticket {
    const wish = { key, fields };
    this.#unsettled.add(wish);
    return {
      settle: ({ outcome }) => {
        this.log?.push(`  ${fields === undefined ? "delete" : text(fields)} of ${key}: ${outcome}`);
        if (!this.#unsettled.delete(wish)) throw new Error(`A wish for ${key} is answered twice`);
        if (outcome === "deferred") throw new Error("The engine does not defer");
        if (outcome !== "applied") return;
        const row = this.#world.rows.get(key);
        const isThere = fields === undefined
          ? row === undefined
          : Object.entries(fields).every(([name, value]) => row?.[name] === value);
        if (!isThere) throw new Error(`Applied, and the row is ${row && text(row)}`);
      },
    };
  }

  /** Several wishes in one turn. */
  #corked(bytes: Bytes): void {
    this.log?.push("cork");
    this.#engine.cork();
    for (let left = 4; left > 0 && bytes.hasMore; left--) {
      const byte = bytes.next();
      this.#own(byte % 12, KEYS[byte % KEYS.length] ?? "a", bytes.next());
    }
    this.log?.push("uncork");
    this.#engine.uncork();
  }

  #holdOrRelease(key: string): void {
    const at = this.#held.findIndex((e) => e.key === key);
    this.log?.push(`${at < 0 ? "hold" : "release"} ${key}`);
    if (at < 0) {
      this.#held.push(this.#engine.hold(this.#tableOf(key), key));
      return;
    }
    const [e] = this.#held.splice(at, 1);
    if (e === undefined || !this.#engine.release(e)) throw new Error(`${key} was not held`);
  }

  #answer(which: number, answer: Answer, isApplied: boolean): void {
    const waiting = [...this.#world.outstanding.keys()];
    const key = waiting[which % Math.max(1, waiting.length)];
    if (key === undefined) return;
    this.log?.push(`answer ${key} ${answer.kind}`);
    const { slot, number } = this.#world.end(key, isApplied);
    if (!this.#engine.answer(slot, number, answer)) throw new Error(`Nobody waited for ${key}`);
  }

  #stray(argument: number): void {
    const { slot, number } = this.#world.last ?? { slot: argument, number: argument };
    if (this.#engine.answer(slot, number, OK)) throw new Error("A stray answer was taken");
  }

  #pass(ms: number): void {
    this.log?.push(`pass ${ms}`);
    const now = this.#engine.now + ms;
    for (const key of [...this.#world.outstanding.keys()]) {
      const e = this.#tableOf(key).find(key);
      const sentAt = e === undefined ? -Infinity : this.#engine.sentAt(e);
      if (now >= sentAt + REQUEST_TIMEOUT_MS) {
        this.#world.end(key, (ms & 1) === 1);
      }
    }
    this.#engine.tick(now);
  }

  /** The sink goes away, comes back with other rows, and is read bit by bit. */
  #sink(argument: number): void {
    const closed = this.#tables.filter(({ open }) => !open);
    if (closed.length === 0 || (argument & 31) === 31) {
      this.log?.push("sink lost");
      let bit = argument >> 2;
      for (const key of [...this.#world.outstanding.keys()]) {
        this.#world.end(key, (bit & 1) === 1);
        bit >>= 1;
      }
      for (const table of this.#tables) this.#engine.sinkLost(table);
      this.#scan = undefined;
      this.#changeRows(argument);
      return;
    }
    const table = closed[argument % closed.length];
    if (this.#scan === undefined && table !== undefined) {
      const rows = [...this.#world.rows].filter(([key]) => this.#tableOf(key) === table);
      this.#scan = { table, left: rows };
      this.#engine.beginScan(table);
    }
    this.#scanOn(1 + (argument & 3));
  }

  #scanOn(count: number): void {
    if (this.#scan === undefined) return;
    const { table, left } = this.#scan;
    for (const [key, row] of left.splice(0, count)) {
      this.log?.push(`found ${key} ${text(row)}`);
      this.#engine.found(table, key, row);
    }
    if (left.length > 0) return;
    this.log?.push(`${table.name} is read`);
    this.#scan = undefined;
    this.#engine.endScan(table);
  }

  #changeRows(argument: number): void {
    const { rows } = this.#world;
    const key = KEYS[argument % KEYS.length] ?? "a";
    switch (argument >> 3 & 3) {
      case 0:
        return;
      case 1:
        rows.clear();
        return;
      case 2:
        rows.delete(key);
        return;
      default:
        rows.set(key, { ...VALUES[argument >> 5 & 3], [FOREIGN]: "x" });
    }
  }

  #dump(argument: number): void {
    const what = argument & 3;
    this.log?.push(`dump ${what}`);
    if (what < 2) this.#engine.dumpBegins();
    else if (what === 2) this.#engine.dumpEnds();
    else this.#engine.eventsLost();
  }

  #retry(key: string): void {
    this.log?.push(`retry ${key}`);
    this.#engine.retry(this.#tableOf(key), key);
  }

  #tableOf(key: string): Container {
    const table = this.#tables[key < "d" ? 0 : 1];
    if (table === undefined) throw new Error("There are two tables");
    return table;
  }

  #entries(): Entry[] {
    return this.#tables.flatMap((table) => [...table.entries.values()]);
  }

  /** Nothing that is said to the sink may name what belongs to others. */
  #checkForeign(operation: World["sent"][number]["operation"]): void {
    if (operation.op !== "set") return;
    if (Object.hasOwn(operation.fields, FOREIGN) && !this.#isForeignWanted(operation.key)) {
      throw new Error(`A foreign field of ${operation.key} is written`);
    }
    if (operation.removed.includes(FOREIGN)) {
      throw new Error(`A foreign field of ${operation.key} is removed`);
    }
    if (!this.#tableOf(operation.key).open) throw new Error("A table is written that is not read");
  }

  /** An unclaimed row is taken over whole, so that it may come back whole. */
  #isForeignWanted(key: string): boolean {
    const e = this.#tableOf(key).find(key);
    return e !== undefined && (e.flags & Flag.ADOPTED) !== 0;
  }

  #check(): void {
    checkStructure(this.#engine, this.#world.outstanding.size);
    for (const e of this.#entries()) {
      if (!e.container.open) continue;
      const row = this.#world.rows.get(e.key);
      if (e.state === State.IN_SYNC) this.#checkInSync(e, row);
      const isNobodys = e.container.others.has(e.key);
      if ((e.state === State.TEMP || e.state === State.ADD_DEFER) && row && !isNobodys) {
        throw new Error(`${e.key} is ${STATE_NAMES[e.state]} with ${text(row)}`);
      }
    }
  }

  #checkInSync(e: Entry, row: Fields | undefined): void {
    for (const [name, value] of Object.entries(e.desired)) {
      if (row?.[name] !== value) {
        throw new Error(
          `${e.key} is IN_SYNC with ${text(e.desired)}, the sink has ${row && text(row)}`,
        );
      }
    }
  }

  /** A sink without faults, and time enough. */
  #drain(): void {
    this.log?.push("drain");
    for (const e of this.#held.splice(0)) this.#engine.release(e);
    for (let round = 0; round < 2000; round++) {
      const failed = this.#entries().filter((e) =>
        e.state === State.FAILED && !e.container.starving.has(e)
      );
      const closed = this.#tables.find(({ open }) => !open);
      if (this.#scan !== undefined) this.#scanOn(100);
      else if (closed !== undefined) this.#sink(0);
      else if (this.#world.outstanding.size > 0) this.#answer(0, OK, true);
      else if (round < 1000 && failed.length > 0) { for (const e of failed) this.#retry(e.key); }
      else if (this.#engine.nextDeadline() < Infinity) {
        this.#pass(Math.max(0, this.#engine.nextDeadline() - this.#engine.now));
      } else {
        this.#check();
        return;
      }
      this.#check();
    }
    throw new Error("It does not come to rest");
  }

  /** Every key is where it must be. */
  #checkEnd(): void {
    if (this.#engine.waiting > 0) throw new Error("Somebody still stands in the queue");
    const satisfied = this.#satisfied();
    for (const e of this.#entries()) {
      const { state } = e;
      const name = `${e.key} is ${STATE_NAMES[state]}`;
      if (isDeferred(e)) {
        if (satisfied.has(e)) throw new Error(`${name}, and all that it needs is there`);
      } else if (isWanted(e)) {
        const isHeldRenew = state === State.DEL_DEFER_REF && (e.flags & Flag.RENEW) !== 0;
        const hasNoIndex = state === State.FAILED && e.container.starving.has(e);
        if (state !== State.IN_SYNC && !isHeldRenew && !hasNoIndex) {
          throw new Error(`${name} in the end`);
        }
        if (state === State.IN_SYNC) this.#checkNothingElse(e);
      } else if (!this.#isNeeded(e)) {
        throw new Error(`${name}, and nobody wants it or needs it`);
      } else if (state !== State.TEMP && state !== State.DEL_DEFER_REF) {
        throw new Error(`${name} without an owner`);
      }
    }
  }

  /** Fields of ours that are not wanted any more are gone. */
  #checkNothingElse(e: Entry): void {
    const row = this.#world.rows.get(e.key) ?? {};
    const believed = Object.keys(e.believed ?? {}).sort().join();
    const desired = Object.keys(e.desired).sort().join();
    if (believed !== desired) throw new Error(`${e.key} has ${text(row)}, for ${desired}`);
  }

  /** Entries that are wanted, and whose dependencies are so in turn, without going in a circle. */
  #satisfied(): Set<Entry> {
    const satisfied = new Set<Entry>();
    for (let grown = true; grown;) {
      grown = false;
      for (const e of this.#entries()) {
        const isReady = isWanted(e) && e.state !== State.DEL_DEFER_REF &&
          e.state !== State.FAILED && (e.links?.deps ?? []).every((dep) => satisfied.has(dep));
        if (!isReady || satisfied.has(e)) continue;
        satisfied.add(e);
        grown = true;
      }
    }
    return satisfied;
  }

  /** Whether somebody who is wanted refers to an entry, over however many others. */
  #isNeeded(e: Entry): boolean {
    const members = new Set([e]);
    for (const member of members) {
      if (member !== e && isWanted(member)) return true;
      for (const referrer of member.links?.referrers ?? []) members.add(referrer);
    }
    return false;
  }

  /** When everything is deleted nothing is left: no entry, no slot, no timer, no index. */
  #leaveNothing(): void {
    this.log?.push("leave nothing");
    for (const e of this.#entries()) this.#engine.delete(e.container, e.key);
    this.#drain();
    const left = this.#entries().map((e) => `${e.key} ${STATE_NAMES[e.state]}`);
    if (left.length > 0) throw new Error(`${left} are left`);
    if (this.#unsettled.size > 0) throw new Error("Somebody still waits to be told");
    const { traced, timed, inFlight, waiting } = this.#engine;
    if (traced + timed + inFlight + waiting > 0) throw new Error("Something is left of no entry");
    for (const { indexes, stale, starving, others } of this.#tables) {
      if ((indexes?.size ?? 0) + stale.size + starving.size > 0) throw new Error("A set is left");
      for (const key of this.#world.rows.keys()) {
        if (!others.has(key) && this.#tables.every((table) => !table.others.has(key))) {
          throw new Error(`The row ${key} is left`);
        }
      }
    }
    const strays = this.#tables.map(({ counters }) => counters.strayEvents());
    if (strays.some((count) => count > 0)) throw new Error(`${strays} stray events`);
  }
}

function referenceTo(key: string): { table: string; key: string } {
  return { table: key < "d" ? "T" : "U", key };
}
