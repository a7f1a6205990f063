/**
 * What holds of the engine's own structures at every quiet point (chapter 16).
 *
 * @module
 */
import type { Fields } from "../../src/core/change.ts";
import type { Container } from "../../src/transforms/ksync/container.ts";
import type { Engine } from "../../src/transforms/ksync/engine.ts";
import {
  dependenciesOf,
  type Entry,
  Flag,
  isDeferred,
  isOutstanding,
  isWanted,
  nameOf,
  referrersOf,
} from "../../src/transforms/ksync/entry.ts";
import { State, STATE_NAMES } from "../../src/transforms/ksync/states.ts";
import { text } from "./ksync_oracle.ts";

/** Throws where links, counts, slots, timers, indexes or sets do not fit each other. */
export function checkStructure(engine: Engine, outstanding: number): void {
  if (engine.inFlight !== outstanding) {
    throw new Error(`${engine.inFlight} slots are taken for ${outstanding} requests`);
  }
  let size = 0;
  for (const container of engine.containers.values()) {
    size += container.size;
    checkContainer(container);
    for (const e of container.entries.values()) checkEntry(e);
  }
  if (engine.traced !== size) throw new Error(`${engine.traced} traces for ${size} entries`);
}

function checkContainer(container: Container): void {
  const { counters, entries, stale, indexes } = container;
  const states = new Uint32Array(STATE_NAMES.length);
  const taken = new Set<number>();
  let marked = 0;
  for (const [key, e] of entries) {
    if (e.key !== key) throw new Error(`${e.key} stands under ${key}`);
    states[e.state] = (states[e.state] ?? 0) + 1;
    if ((e.flags & Flag.STALE) !== 0) {
      marked++;
      if (!stale.has(e)) throw new Error(`${key} is stale and not in the set`);
    }
    if (e.index >= 0 && taken.has(e.index)) throw new Error(`Index ${e.index} is out twice`);
    if (e.index >= 0) taken.add(e.index);
  }
  if (marked !== stale.size) throw new Error(`${stale.size} are in the stale set, not ${marked}`);
  if (indexes !== undefined && indexes.size !== taken.size) {
    throw new Error(`${indexes.size} indexes are out, ${taken.size} are used`);
  }
  states.forEach((count, state) => {
    if (counters.states[state] !== count) {
      throw new Error(
        `${counters.states[state]} are counted in ${STATE_NAMES[state]}, not ${count}`,
      );
    }
  });
  if (counters.created - counters.freed !== entries.size) {
    throw new Error(`${counters.created} made, ${counters.freed} freed, ${entries.size} left`);
  }
}

function checkEntry(e: Entry): void {
  const { links, container } = e;
  if (e.state === State.INIT || e.state === State.FREE_WAIT) {
    throw new Error(`${nameOf(e)} is ${STATE_NAMES[e.state]} between two events`);
  }
  if (isOutstanding(e) && e.position < 0) throw new Error(`${nameOf(e)} has no slot`);
  if (isDeferred(e) !== (links?.waitsFor !== undefined)) {
    throw new Error(`${nameOf(e)} is ${STATE_NAMES[e.state]} with another link than that says`);
  }
  if (links === undefined) {
    if (e.refs !== 1) throw new Error(`${nameOf(e)} has ${e.refs} references from nowhere`);
    return;
  }
  const { waitsFor, waiters, referrers, deps, holds } = links;
  if (waitsFor !== undefined && !waitsFor.links?.waiters?.has(e)) {
    throw new Error(`${nameOf(waitsFor)} does not know that ${nameOf(e)} waits`);
  }
  for (const waiter of waiters ?? []) {
    if (waiter.links?.waitsFor !== e) throw new Error(`${nameOf(waiter)} does not wait`);
  }
  for (const dep of deps) {
    if (!dep.links?.referrers?.has(e)) throw new Error(`${nameOf(dep)} does not know ${nameOf(e)}`);
    if (dep.container.find(dep.key) !== dep) throw new Error(`${nameOf(dep)} is freed`);
  }
  for (const referrer of referrers ?? []) {
    if (!referrer.links?.deps.includes(e)) throw new Error(`${nameOf(referrer)} does not refer`);
    if (referrer.refs === 0) throw new Error(`${nameOf(referrer)} is freed and refers`);
  }
  const expected = 1 + holds + (referrers?.size ?? 0) + (waiters?.size ?? 0) +
    (waitsFor === undefined ? 0 : 1);
  if (e.refs !== expected) {
    throw new Error(`${nameOf(e)} counts ${e.refs} references, not ${expected}`);
  }
  if (e.refs === 1 && e.state === State.TEMP) throw new Error(`${nameOf(e)} is held by nobody`);
  if (container.machine === undefined) throw new Error(`${nameOf(e)} has no engine`);
}

/** Throws where an entry whose table was read says another thing of its row than is there. */
export function checkRow(e: Entry, row: Fields | undefined): void {
  const name = `${e.key} is ${STATE_NAMES[e.state]}`;
  if (e.state === State.IN_SYNC) {
    const isThere = Object.entries(e.desired).every(([field, value]) => row?.[field] === value);
    if (isThere) return;
    throw new Error(`${name} with ${text(e.desired)}, the sink has ${row && text(row)}`);
  }
  const isNobodys = e.container.others.has(e.key);
  if ((e.state === State.TEMP || e.state === State.ADD_DEFER) && row && !isNobodys) {
    throw new Error(`${name} with ${text(row)}`);
  }
}

/** Throws where an entry is not where it must be once everything has come to rest. */
export function checkRest(entries: readonly Entry[]): void {
  const satisfied = satisfiedOf(entries);
  for (const e of entries) {
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
      const believed = Object.keys(e.believed ?? {}).sort().join();
      const desired = Object.keys(e.desired).sort().join();
      if (state === State.IN_SYNC && believed !== desired) {
        throw new Error(`${name} with the fields ${believed}, for ${desired}`);
      }
    } else if (!isNeeded(e)) {
      throw new Error(`${name}, and nobody wants it or needs it`);
    } else if (state !== State.TEMP && state !== State.DEL_DEFER_REF) {
      throw new Error(`${name} without an owner`);
    }
  }
}

/** Entries that are wanted, and whose dependencies are so in turn, without going in a circle. */
function satisfiedOf(entries: readonly Entry[]): Set<Entry> {
  const satisfied = new Set<Entry>();
  for (let grown = true; grown;) {
    grown = false;
    for (const e of entries) {
      const isReady = isWanted(e) && e.state !== State.DEL_DEFER_REF &&
        e.state !== State.FAILED && dependenciesOf(e).every((dep) => satisfied.has(dep));
      if (!isReady || satisfied.has(e)) continue;
      satisfied.add(e);
      grown = true;
    }
  }
  return satisfied;
}

/** Whether somebody who is wanted refers to an entry, over however many others. */
function isNeeded(e: Entry): boolean {
  const members = new Set([e]);
  for (const member of members) {
    if (member !== e && isWanted(member)) return true;
    for (const referrer of referrersOf(member)) members.add(referrer);
  }
  return false;
}
