/**
 * What owners ask for: set, delete, renew, another key.
 *
 * @module
 */
import { APPLIED, type Fields, type Receipt, rejected, SUPERSEDED } from "../../core/change.ts";
import type { Container, Reference } from "./container.ts";
import { circleOf, lookUp, makeEntry } from "./creation.ts";
import { noteFlap } from "./damping.ts";
import { raise } from "./dispatch.ts";
import {
  dependenciesOf,
  type Entry,
  Flag,
  isOutstanding,
  isWanted,
  NO_FIELDS,
  type Ticket,
  troubleOf,
} from "./entry.ts";
import { NONE, restrict, sameFields } from "./fields.ts";
import { setDependencies } from "./links.ts";
import type { Machine } from "./machine.ts";
import { Event, Hold, State } from "./states.ts";

/** Says what a row shall be; makes the entry where there is none. */
export function set(
  m: Machine,
  container: Container,
  key: string,
  fields: Fields,
  removed: readonly string[],
  ticket: Ticket | undefined,
): Entry | undefined {
  if (container.deleteScheduled) {
    refuse(m, `a change for ${container.name}, which is being removed`, ticket);
    return undefined;
  }
  const e = container.entries.get(key) ?? makeEntry(m, container, key);
  if (container.dependencies !== undefined && !refer(m, e, fields, ticket)) return undefined;
  if ((e.flags & Flag.STALE) !== 0 || e.state <= State.TEMP) claim(e, fields, removed);
  const { counters } = container;
  if (e.state === State.NEED_SYNC || e.state === State.BACKOFF) counters.coalesced++;
  if (m.options.damping !== undefined && isFlap(e, fields)) noteFlap(m, e, m.options.damping);
  take(e, ticket, m.generation);
  e.desired = fields;
  e.flags |= Flag.WANTED;
  if (removed.length > 0) noteRemoved(e, removed);
  if (m.corked && !isOutstanding(e)) putOff(m, e);
  else raise(m, e, Event.ADD_CHANGE_REQ);
  return e;
}

/** Says that a row shall not be. Of a row that is known to be absent nothing is written. */
export function remove(
  m: Machine,
  container: Container,
  key: string,
  ticket: Ticket | undefined,
): void {
  let e = container.entries.get(key);
  if (e === undefined) {
    if ((container.open && !container.others.has(key)) || container.deleteScheduled) {
      container.counters.duplicates++;
      ticket?.settle(APPLIED);
      return;
    }
    e = makeEntry(m, container, key);
  }
  if ((e.flags & Flag.DIRTY) !== 0 && !isWanted(e)) {
    container.counters.duplicates++;
    take(e, ticket, m.generation);
    return;
  }
  const waits = m.corked && container.compresses && isWanted(e) && !isOutstanding(e);
  if (!waits) bringOn(m, e);
  if (e.state <= State.TEMP) claim(e, e.desired, NONE);
  if (m.options.damping !== undefined && isWanted(e)) noteFlap(m, e, m.options.damping);
  giveUp(e);
  m.wasWanted = isWanted(e);
  take(e, ticket, m.generation);
  e.flags &= ~Flag.WANTED;
  if (waits) putOff(m, e);
  else raise(m, e, Event.DEL_REQ);
}

/**
 * Deletes a row and adds it again, with the value it had unless another is given.
 *
 * @returns false, and changes nothing, for an entry that does not exist or that nobody claimed
 */
export function renew(
  m: Machine,
  container: Container,
  key: string,
  fields: Fields | undefined,
  ticket: Ticket | undefined,
): boolean {
  const dirty = container.entries.get(key);
  if (dirty !== undefined) bringOn(m, dirty);
  const found = container.entries.get(key);
  const last = found?.desired === NO_FIELDS ? undefined : found?.desired;
  const value = fields ?? last;
  const isStale = found !== undefined && (found.flags & Flag.STALE) !== 0;
  if (container.deleteScheduled || isStale || value === undefined) {
    container.counters.misuse++;
    refuse(m, `a renew of ${container.name}|${key}, which no owner has`, ticket);
    return false;
  }
  const e = found ?? makeEntry(m, container, key);
  if (container.dependencies !== undefined && !refer(m, e, value, ticket)) return false;
  if (e.state <= State.TEMP) claim(e, value, NONE);
  take(e, ticket, m.generation);
  e.desired = value;
  e.flags |= Flag.WANTED;
  raise(m, e, Event.DEL_ADD_REQ);
  return true;
}

/**
 * Gives an entry another key without a write, for sinks that choose the key themselves. Two entries
 * exchange their keys when the new one is taken.
 */
export function changeKey(m: Machine, container: Container, key: string, to: string): boolean {
  const e = container.find(key);
  if (e === undefined || key === to) return false;
  const other = container.find(to);
  container.remove(e);
  if (other !== undefined) {
    container.remove(other);
    rekey(m, other, key);
  }
  rekey(m, e, to);
  return true;
}

function rekey(m: Machine, e: Entry, key: string): void {
  e.key = key;
  e.container.insert(e);
  m.trace.add(e.trace, e.state, e.state, Event.KEY_CHANGED, Hold.NONE, m.now);
  raise(m, e, Event.KEY_CHANGED);
}

/** Makes an entry refer to what its value names. False, with the change refused, for a circle. */
export function refer(
  m: Machine,
  e: Entry,
  fields: Fields,
  ticket?: Ticket,
): boolean {
  const references = e.container.dependencies?.(e.key, fields) ?? [];
  if (references.length === 0) {
    if (e.links !== undefined) setDependencies(m, e, []);
    return true;
  }
  if (refersTo(e, references)) return true;
  const circle = circleOf(m, e, references);
  if (circle !== undefined) {
    e.container.counters.cycles++;
    const text = `the dependencies close a circle: ${circle.join(", ")}`;
    m.report("cycle", e, () => text);
    if (m.options.onCycle === "reject") {
      ticket?.settle(rejected(new Error(`Refused, because ${text}`)));
      return false;
    }
  }
  setDependencies(m, e, lookUp(m, e, references));
  return true;
}

function refersTo(e: Entry, references: readonly Reference[]): boolean {
  const deps = dependenciesOf(e);
  return deps.length === references.length &&
    deps.every((dep, at) =>
      dep.key === references[at]?.key && dep.container.name === references[at]?.table
    );
}

/** The turn is over: owners' events that were put off take place. */
export function bringAllOn(m: Machine): void {
  m.corked = false;
  const { dirty } = m;
  for (const e of dirty) bringOn(m, e);
  dirty.length = 0;
}

function putOff(m: Machine, e: Entry): void {
  if ((e.flags & Flag.DIRTY) !== 0) {
    e.container.counters.coalesced++;
    return;
  }
  e.flags |= Flag.DIRTY;
  m.dirty.push(e);
}

function bringOn(m: Machine, e: Entry): void {
  if ((e.flags & Flag.DIRTY) === 0) return;
  e.flags &= ~Flag.DIRTY;
  // What was raised for it meanwhile was left out, see `dispatch.ts`.
  if (e.state === State.DEL_DEFER_REF) m.later(e, Event.INT_PTR_REL);
  m.wasWanted = true;
  raise(m, e, isWanted(e) ? Event.ADD_CHANGE_REQ : Event.DEL_REQ);
}

/** The change takes the place of one that was not sent. */
function take(e: Entry, ticket: Ticket | undefined, generation: number): void {
  const older = e.ticket;
  e.ticket = ticket;
  e.generation = generation;
  older?.settle(SUPERSEDED);
}

/**
 * An owner names a key that nobody had: of what was found in the sink, only the fields that the
 * owner names are compared; the others belong to somebody else.
 */
function claim(e: Entry, fields: Fields, removed: readonly string[]): void {
  const isFound = (e.flags & Flag.ADOPTED) !== 0 || e.state <= State.TEMP;
  unclaim(e);
  if (!isFound) return;
  const { container } = e;
  if (container.others.has(e.key)) {
    e.believed = container.others.get(e.key);
    container.others.delete(e.key);
    e.flags |= Flag.FOUND;
  }
  if (e.believed === null || e.believed === undefined) return;
  e.believed = restrict(
    e.believed,
    (name) =>
      Object.hasOwn(fields, name) || removed.includes(name) ||
      (container.ownFields?.has(name) ?? false),
  );
}

/**
 * An entry is to be deleted. If nobody has claimed it, none of its fields is known to be ours: the
 * row goes as a whole, and nothing of it is taken away or written later.
 */
export function giveUp(e: Entry): void {
  if ((e.flags & Flag.ADOPTED) !== 0) {
    claim(e, NO_FIELDS, NONE);
    e.desired = NO_FIELDS;
  }
  unclaim(e);
}

/** The entry will not be swept. */
function unclaim(e: Entry): void {
  if ((e.flags & Flag.STALE) === 0) return;
  e.flags &= ~(Flag.STALE | Flag.ADOPTED);
  e.container.stale.delete(e);
}

/** Fields that the owner takes away although no value here has them: the sink may. */
function noteRemoved(e: Entry, removed: readonly string[]): void {
  const believed = e.believed ?? {};
  const trouble = troubleOf(e);
  for (const name of removed) {
    if (Object.hasOwn(e.desired, name) || Object.hasOwn(believed, name)) continue;
    if (trouble.gone?.has(name) || trouble.leaving?.has(name)) continue;
    (trouble.residue ??= new Set()).add(name);
  }
}

function isFlap(e: Entry, fields: Fields): boolean {
  return !isWanted(e) || !sameFields(e.desired, fields, e.container.numericFields);
}

function refuse(m: Machine, text: string, ticket: Ticket | undefined): void {
  m.misuse++;
  m.report("misuse", undefined, () => text);
  const receipt: Receipt = rejected(new Error(`Refused: ${text}`));
  ticket?.settle(receipt);
}
