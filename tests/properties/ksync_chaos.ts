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
import { Engine } from "../../src/transforms/ksync/engine.ts";
import { type Entry, Flag, type Ticket } from "../../src/transforms/ksync/entry.ts";
import { State, STATE_NAMES } from "../../src/transforms/ksync/states.ts";
import { optionsOf, REQUEST_TIMEOUT_MS } from "./ksync_chaos_options.ts";
import { checkRest, checkRow, checkStructure } from "./ksync_invariants.ts";
import { text } from "./ksync_oracle.ts";
import { type Bytes, World } from "./ksync_world.ts";

/** Keys are the names of both tables: the first three stand in T, the others in U. */
const KEYS = ["a", "b", "c", "d", "e"] as const;
const VALUES: readonly Fields[] = [{ v: "0" }, { v: "1" }, { v: "1", w: "1" }, { w: "2" }];
const FOREIGN = "foreign";

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
    if (this.#engine.waiting > 0) throw new Error("Somebody still stands in the queue");
    checkRest(this.#entries());
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
    else if (kind < 23) this.#drift(key, more);
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
      const e = this.#engine.hold(this.#tableOf(key), key);
      if (e !== undefined) this.#held.push(e);
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

  /** Somebody else changes a row, and the sink tells of it. */
  #drift(key: string, more: number): void {
    const table = this.#tableOf(key);
    if (!table.open || this.#world.outstanding.has(key)) return;
    const row = (more & 3) === 3 ? undefined : { ...VALUES[more & 3], [FOREIGN]: "y" };
    if (row === undefined) this.#world.rows.delete(key);
    else this.#world.rows.set(key, row);
    this.log?.push(`somebody makes ${key} ${row && text(row)}`);
    this.#engine.observed(table, key, row, (more & 4) !== 0);
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
      if (e.container.open) checkRow(e, this.#world.rows.get(e.key));
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
