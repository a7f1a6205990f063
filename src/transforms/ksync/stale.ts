/**
 * Warm restart and resynchronisation: rows of the sink are adopted without a write, a dump claims
 * what still exists, and what a complete dump did not name is swept (chapters 13 and 18.5).
 *
 * @module
 */
import { type Fields, SUPERSEDED } from "../../core/change.ts";
import type { Container } from "./container.ts";
import { makeEntry } from "./creation.ts";
import { raise } from "./dispatch.ts";
import { type Entry, Flag, isActive, isWanted, NO_FIELDS } from "./entry.ts";
import { restrict } from "./fields.ts";
import type { Machine } from "./machine.ts";
import { Event, State } from "./states.ts";
import { loseFlight } from "./answers.ts";
import { giveUp, refer } from "./update.ts";

/**
 * Takes a row of the sink over as it is, until somebody claims it (CreateStale).
 *
 * @returns undefined, and changes nothing, when an owner has the key already
 */
export function adopt(
  m: Machine,
  container: Container,
  key: string,
  fields: Fields,
): Entry | undefined {
  if (container.deleteScheduled) return undefined;
  let e = container.find(key);
  if (e === undefined) {
    e = makeEntry(m, container, key);
    e.believed = fields;
    e.flags |= Flag.FOUND;
  } else if (isActive(e)) {
    return undefined;
  } else {
    container.onDetached?.(e);
    if (e.state === State.TEMP) {
      e.believed = fields;
      e.flags |= Flag.FOUND;
    }
  }
  e.desired = fields;
  e.flags |= Flag.WANTED | Flag.STALE | Flag.ADOPTED;
  container.stale.add(e);
  container.counters.adopted++;
  refer(m, e, fields);
  raise(m, e, Event.ADD_CHANGE_REQ);
  return e;
}

/**
 * From now on such rows of the table are ours: those that were found already are adopted.
 *
 * @returns whether too little is known of some of them, so that the table has to be read again
 */
export function own(
  m: Machine,
  container: Container,
  owns: (key: string, fields: Fields) => boolean,
): boolean {
  container.owns = owns;
  let isOld = false;
  for (const [key, fields] of [...container.others]) {
    if (fields === undefined) {
      isOld = true;
    } else if (owns(key, fields)) {
      container.others.delete(key);
      adopt(m, container, key, fields);
    }
  }
  expectEnd(m, container);
  return isOld;
}

/** The scan of a table begins: nothing is known of its rows. */
export function beginScan(container: Container): void {
  container.open = false;
  container.others.clear();
  for (const e of container.entries.values()) e.flags &= ~Flag.FOUND;
}

/** The scan read a row. */
export function found(m: Machine, container: Container, key: string, fields: Fields): void {
  const e = container.find(key);
  const ours = container.owns?.(key, fields) ?? false;
  if (e === undefined || e.state === State.TEMP) {
    if (ours && !container.deleteScheduled) adopt(m, container, key, fields);
    else container.others.set(key, fields);
    return;
  }
  if ((e.flags & Flag.ADOPTED) !== 0 && !ours) {
    // It was taken for ours by an earlier scan, and is not: it is forgotten without a write.
    e.flags &= ~Flag.ADOPTED;
    e.desired = NO_FIELDS;
    container.others.set(key, fields);
    return;
  }
  e.flags |= Flag.FOUND;
  e.believed = (e.flags & Flag.ADOPTED) !== 0
    ? fields
    : restrict(fields, (name) => isOurField(e, name));
  if ((e.flags & Flag.STALE) === 0) return;
  // Nobody stands behind it, so nothing of it is written any more.
  supersede(e);
  e.desired = e.believed;
}

function isOurField(e: Entry, name: string): boolean {
  const { believed, trouble } = e;
  return Object.hasOwn(e.desired, name) || Object.hasOwn(believed ?? {}, name) ||
    (trouble?.residue?.has(name) ?? false) || (e.container.ownFields?.has(name) ?? false);
}

/** The scan read every row: what it did not find is absent, and the differences are written. */
export function endScan(m: Machine, container: Container): void {
  for (const e of container.entries.values()) {
    if ((e.flags & Flag.FOUND) === 0) e.believed = null;
    if (e.trouble !== undefined) e.trouble.residue = undefined;
    e.flags &= ~Flag.FOUND;
  }
  container.open = true;
  // What nobody claims, or no longer is, does not come back.
  const gone = [...container.stale].filter((e) => e.believed === null);
  // All of them are given up before the first event, so that none is brought back by another's.
  gone.forEach(abandon);
  for (const e of gone) if (e.refs > 0) raiseDelete(m, e);
  for (const e of container.entries.values()) raise(m, e, Event.SINK_UP);
  expectEnd(m, container);
}

/** What is stale goes after a complete dump: now if that was, or else one has to come in time. */
function expectEnd(m: Machine, container: Container): void {
  if (container.stale.size === 0) return;
  if (m.sweeping) m.sweepAt = Math.min(m.sweepAt, m.now + m.options.sweep.afterMs);
  else if (m.endOverdueAt === Infinity) m.endOverdueAt = m.now + m.options.sweep.maxWaitMs;
}

/** The other side of the sink is gone: requests are over, and what it holds is unknown. */
export function sinkLost(m: Machine, container: Container): void {
  container.open = false;
  container.others.clear();
  for (const e of container.entries.values()) {
    e.flags &= ~Flag.FOUND;
    loseFlight(m, e);
    raise(m, e, Event.SINK_LOST);
  }
}

/** The source lost events, or begins a dump: nothing counts as confirmed any more. */
export function beginDump(m: Machine, begun: boolean): void {
  m.generation++;
  m.dumping = begun;
  m.sweeping = false;
  m.sweepAt = Infinity;
  m.endOverdueAt = m.now + m.options.sweep.maxWaitMs;
}

/** The dump is over. Only if it was complete does what it left out count as gone. */
export function endDump(m: Machine): void {
  if (!m.dumping) return;
  m.dumping = false;
  m.endOverdueAt = Infinity;
  m.isEndOverdue = false;
  for (const container of m.containers.values()) {
    for (const e of container.entries.values()) {
      if (!isWanted(e) || e.generation === m.generation) continue;
      e.flags |= Flag.STALE;
      container.stale.add(e);
    }
    // What is known of rows that nobody claimed grows old; that they exist is enough.
    for (const key of container.others.keys()) container.others.set(key, undefined);
  }
  startSweeping(m);
}

function startSweeping(m: Machine): void {
  m.sweeping = true;
  m.sweepAt = Infinity;
  for (const container of m.containers.values()) {
    if (container.stale.size > 0) m.sweepAt = m.now + m.options.sweep.afterMs;
  }
}

/** Sweeps the next rows, so many of each table. */
export function sweep(m: Machine): void {
  m.sweepAt = Infinity;
  for (const container of m.containers.values()) {
    let left = m.options.sweep.perInterval;
    for (const e of container.stale) {
      if (left-- === 0) break;
      sweepEntry(m, e);
    }
    if (container.stale.size > 0) m.sweepAt = m.now + m.options.sweep.intervalMs;
  }
}

function sweepEntry(m: Machine, e: Entry): void {
  m.host.expiring?.(e);
  e.container.counters.swept++;
  drop(m, e);
}

function supersede(e: Entry): void {
  const ticket = e.ticket;
  e.ticket = undefined;
  ticket?.settle(SUPERSEDED);
}

/** Deletes an entry that no owner stands behind. */
export function drop(m: Machine, e: Entry): void {
  abandon(e);
  raiseDelete(m, e);
}

/** Nobody stands behind the entry any more. */
function abandon(e: Entry): void {
  giveUp(e);
  supersede(e);
  e.flags &= ~(Flag.WANTED | Flag.RENEW);
}

function raiseDelete(m: Machine, e: Entry): void {
  m.wasWanted = true;
  // A held delete is asked for already; it may have been part of a renew.
  raise(m, e, e.state === State.DEL_DEFER_REF ? Event.INT_PTR_REL : Event.DEL_REQ);
}

/** The end of the dump is overdue. */
export function endIsOverdue(m: Machine): void {
  m.endOverdueAt = Infinity;
  m.isEndOverdue = true;
  let stale = 0;
  for (const container of m.containers.values()) {
    stale += container.stale.size;
    for (const key of container.others.keys()) container.others.set(key, undefined);
  }
  const { maxWaitMs, withoutEnd } = m.options.sweep;
  m.report(
    "unswept",
    undefined,
    () =>
      `no complete dump within ${maxWaitMs} ms; ${stale} unclaimed rows ` +
      (withoutEnd ? "are swept all the same" : "stay until one comes"),
  );
  if (withoutEnd) startSweeping(m);
}
