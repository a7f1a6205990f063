/**
 * The KSync engine: events in, requests out, no clock and no I/O of its own.
 *
 * A driver sets `now` at the beginning of each turn, hands in what owners want and what the sink
 * answered, and calls `tick` when `nextDeadline` has come. Requests leave through `Host.send`.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import { type Answer, answer, endOverdue } from "./answers.ts";
import type { Container, ContainerOptions } from "./container.ts";
import { findOrPlace, makeContainer } from "./creation.ts";
import { pump, raise } from "./dispatch.ts";
import { type Entry, isOutstanding, nameOf, referrersOf, type Ticket } from "./entry.ts";
import { NONE } from "./fields.ts";
import { NO_SLOT } from "./flights.ts";
import { holdFromOutside, releaseFromOutside } from "./links.ts";
import { type EngineOptions, type Host, Machine } from "./machine.ts";
import { observed } from "./observed.ts";
import { removeContainer, unregister, walkOn } from "./removal.ts";
import {
  adopt,
  beginDump,
  beginScan,
  endDump,
  endIsOverdue,
  endScan,
  found,
  own,
  sinkLost,
  sweep,
} from "./stale.ts";
import { Event, Hold, State } from "./states.ts";
import type { Transition } from "./trace.ts";
import { bringAllOn, changeKey, remove, renew, set } from "./update.ts";

/** The settings of an engine for which nothing else was said. */
export const DEFAULT_OPTIONS: EngineOptions = {
  resolveOn: "acked",
  requestTimeoutMs: 5000,
  retry: { initialMs: 100, maxMs: 30_000, factor: 2, jitter: 0.2, maxAttempts: 0 },
  retryOnChange: false,
  maxInFlight: 200,
  coalesceMs: 0,
  gatherMs: 0,
  gatherOperations: 64,
  damping: undefined,
  renew: "ignore",
  onDependencyDeleted: "hold",
  onCycle: "report",
  holdWarnMs: 0,
  sweep: { afterMs: 0, intervalMs: 100, perInterval: 32, maxWaitMs: 300_000, withoutEnd: false },
  walkPerTurn: 100,
  firstNumber: 0,
};

/** One engine: all the tables of one sink. */
export class Engine {
  readonly #m: Machine;

  /**
   * @param now the time at which the engine begins, in milliseconds on any clock that only grows
   * @param random numbers from 0 up to 1, for the jitter of retries
   */
  constructor(
    host: Host,
    options: Partial<EngineOptions> = {},
    now = 0,
    random: () => number = Math.random,
  ) {
    this.#m = new Machine({ ...DEFAULT_OPTIONS, ...options }, host, random, now);
  }

  /** The time of the turn. */
  get now(): number {
    return this.#m.now;
  }

  set now(now: number) {
    if (now > this.#m.now) this.#m.now = now;
  }

  /** How many requests are outstanding. */
  get inFlight(): number {
    return this.#m.flights.count;
  }

  /** How many places of the queue for slots are taken. */
  get waiting(): number {
    return this.#m.ready.length - this.#m.readyAt;
  }

  /** Answers that came late, twice, or for no request at all. */
  get lateAnswers(): number {
    return this.#m.lateAnswers;
  }

  /** Calls that made no sense and were refused. */
  get misuse(): number {
    return this.#m.misuse;
  }

  /** Whether a dump of the source is overdue, so that unclaimed rows cannot be swept. */
  get isDumpOverdue(): boolean {
    return this.#m.isEndOverdue;
  }

  /** Every container by its name. */
  get containers(): ReadonlyMap<string, Container> {
    return this.#m.containers;
  }

  /** How many slots of the trace are in use: one for each entry. */
  get traced(): number {
    return this.#m.trace.size;
  }

  /** How many entries wait for a time. */
  get timed(): number {
    return this.#m.timers.size;
  }

  /** The container of that name, made with these options when there is none. */
  container(name: string, options: ContainerOptions = {}): Container {
    return this.#m.containers.get(name) ?? makeContainer(this.#m, name, options);
  }

  // What owners ask for

  /** Says what a row shall be: `fields` are all that this owner has to say about it. */
  set(
    container: Container,
    key: string,
    fields: Fields,
    removed: readonly string[] = NONE,
    ticket?: Ticket,
  ): Entry | undefined {
    if (!this.#isMine(container, ticket)) return undefined;
    return set(this.#m, container, key, fields, removed, ticket);
  }

  /** Says that a row shall not be. */
  delete(container: Container, key: string, ticket?: Ticket): void {
    if (this.#isMine(container, ticket)) remove(this.#m, container, key, ticket);
  }

  /** Deletes a row and adds it again. False for a row that no owner has. */
  renew(container: Container, key: string, fields?: Fields, ticket?: Ticket): boolean {
    return this.#isMine(container, ticket) && renew(this.#m, container, key, fields, ticket);
  }

  /** Gives an entry another key without a write; exchanges keys when the new one is taken. */
  changeKey(container: Container, key: string, to: string): boolean {
    return this.#isMine(container) && changeKey(this.#m, container, key, to);
  }

  /** Takes a counted reference to a key; a placeholder stands in where nobody owns it. */
  hold(container: Container, key: string): Entry | undefined {
    if (!this.#isMine(container)) return undefined;
    const e = findOrPlace(this.#m, container, key);
    holdFromOutside(e);
    return e;
  }

  /** Gives a counted reference back. */
  release(e: Entry): boolean {
    const released = releaseFromOutside(this.#m, e);
    if (released) raise(this.#m, e, Event.INT_PTR_REL);
    return released;
  }

  /** Gathers what owners ask for until `uncork`, so that each key is looked at once. */
  cork(): void {
    this.#m.corked = true;
  }

  /** Acts on everything that was gathered. */
  uncork(): void {
    bringAllOn(this.#m);
    pump(this.#m);
  }

  // What the sink says

  /** Takes the answer to a request. False for one that is not outstanding. */
  answer(slot: number, number: number, said: Answer): boolean {
    const known = answer(this.#m, slot, number, said);
    pump(this.#m);
    return known;
  }

  /** The other side of the sink is gone. */
  sinkLost(container: Container): void {
    if (this.#isMine(container)) sinkLost(this.#m, container);
  }

  /**
   * Says which rows of a table are ours, where that was not known when the table was made.
   *
   * @returns whether the table has to be read again for that, after `sinkLost`
   */
  own(container: Container, owns: (key: string, fields: Fields) => boolean): boolean {
    return this.#isMine(container) && own(this.#m, container, owns);
  }

  /** The sink is back, and the scan of a table begins. */
  beginScan(container: Container): void {
    if (this.#isMine(container)) beginScan(container);
  }

  /** The scan read a row. */
  found(container: Container, key: string, fields: Fields): void {
    if (this.#isMine(container)) found(this.#m, container, key, fields);
  }

  /** The scan is complete: from now on the table is written. */
  endScan(container: Container): void {
    if (this.#isMine(container)) endScan(this.#m, container);
    pump(this.#m);
  }

  /** Takes a row of the sink over as it is (CreateStale). */
  adopt(container: Container, key: string, fields: Fields): Entry | undefined {
    return this.#isMine(container) ? adopt(this.#m, container, key, fields) : undefined;
  }

  /** The sink saw a row, which may have been changed by somebody else; undefined for none. */
  observed(container: Container, key: string, fields: Fields | undefined, mended: boolean): void {
    if (this.#isMine(container)) observed(this.#m, container, key, fields, mended);
    pump(this.#m);
  }

  // What the source says of itself

  /** A complete dump begins. */
  dumpBegins(): void {
    beginDump(this.#m, true);
  }

  /** The dump is complete: what it did not name is swept. Ignored after a loss. */
  dumpEnds(): void {
    endDump(this.#m);
  }

  /** Events were lost; only a new dump can tell what is gone. */
  eventsLost(): void {
    beginDump(this.#m, false);
  }

  // Time

  /** When `tick` is wanted next; Infinity while nothing waits for a time. */
  nextDeadline(): number {
    const m = this.#m;
    if (m.walks.size > 0) return m.now;
    const slot = m.flights.oldest;
    const overdue = slot === NO_SLOT
      ? Infinity
      : (m.flights.sentAt[slot] as number) + m.options.requestTimeoutMs;
    const gathers = m.options.gatherMs > 0 && m.readyAt < m.ready.length;
    const gathered = gathers ? m.readySince + m.options.gatherMs : Infinity;
    return Math.min(overdue, m.timers.next, m.sweepAt, m.endOverdueAt, gathered);
  }

  /** Does what is due at `now`. */
  tick(now: number): void {
    this.now = now;
    const m = this.#m;
    endOverdue(m);
    for (let e = m.timers.takeDue(m.now); e !== undefined; e = m.timers.takeDue(m.now)) {
      if (e.state === State.DEL_DEFER_REF) this.#reportHeld(e);
      else raise(m, e, Event.RETRY);
    }
    if (m.sweepAt <= m.now) sweep(m);
    if (m.endOverdueAt <= m.now) endIsOverdue(m);
    if (m.walks.size > 0) walkOn(m);
    pump(m);
  }

  /** The end is near: what waited for further changes goes at once, from now on. */
  hurry(): void {
    const m = this.#m;
    m.hurried = true;
    for (const container of m.containers.values()) {
      for (const e of container.entries.values()) {
        if (e.hold === Hold.QUIET || e.hold === Hold.DAMPED) raise(m, e, Event.RETRY);
      }
    }
    pump(m);
  }

  // Containers

  /** Deletes every entry of a container, a bounded number in each turn of `tick`. */
  removeContainer(container: Container): void {
    if (this.#isMine(container)) removeContainer(this.#m, container);
  }

  /** Drops a container as soon as it is empty. */
  unregister(container: Container): void {
    if (this.#isMine(container)) unregister(this.#m, container);
  }

  // What operators ask

  /** Sends what waits for its next attempt, or was set aside, at once. */
  retry(container: Container, key: string): boolean {
    const e = this.#isMine(container) ? container.find(key) : undefined;
    if (e === undefined || (e.state !== State.FAILED && e.state !== State.BACKOFF)) return false;
    raise(this.#m, e, Event.RETRY);
    return true;
  }

  /** The last transitions of an entry, oldest first. */
  history(e: Entry): Transition[] {
    return this.#m.trace.read(e.trace);
  }

  /** Since when an entry is in its state, on the engine's clock. */
  since(e: Entry): number {
    return this.#m.trace.lastTime(e.trace);
  }

  /** When an entry that waits for a time is due; Infinity for others. */
  dueOf(e: Entry): number {
    return e.state === State.BACKOFF ? this.#m.timers.dueOf(e) : Infinity;
  }

  /** When the outstanding request of an entry was sent; Infinity without one. */
  sentAt(e: Entry): number {
    return isOutstanding(e) ? (this.#m.flights.sentAt[e.position] as number) : Infinity;
  }

  #isMine(container: Container, ticket?: Ticket): boolean {
    if (container.machine === this.#m) return true;
    this.#m.misuse++;
    const error = new Error(`Refused: ${container.name} is no table of this engine`);
    this.#m.report("misuse", undefined, () => error.message);
    ticket?.settle({ outcome: "rejected", error });
    return false;
  }

  #reportHeld(e: Entry): void {
    this.#m.report("held", e, () => {
      const names = Array.from(referrersOf(e), nameOf).slice(0, 8);
      return `its delete is held by ${names.join(", ") || "a reference from outside"}`;
    });
  }
}
