/**
 * The procedures of chapter 5 of the KSync specification: each looks at an entry, starts at most
 * one request, and says which state follows.
 *
 * @module
 */
import { APPLIED, type Fields, rejected } from "../../core/change.ts";
import type { Operation } from "../../core/stage.ts";
import { backoffDelay } from "./backoff.ts";
import { dampedUntil } from "./damping.ts";
import {
  type Entry,
  Flag,
  isAbsent,
  isTrusted,
  isWanted,
  lastErrorOf,
  nameOf,
  NO_FIELDS,
  NO_INDEX,
  referrersOf,
  troubleOf,
} from "./entry.ts";
import { difference, NONE, sameFields } from "./fields.ts";
import type { IndexAllocator } from "./index_allocator.ts";
import { firstUnresolved, isDeletable, isOutOfTheWay, link } from "./links.ts";
import type { Kind, Machine } from "./machine.ts";
import { Event, Hold, State } from "./states.ts";

/** Brings the sink to the desired value: an add, a change, or nothing where it is there already. */
export function tryWrite(m: Machine, e: Entry, event: Event): State {
  unhold(m, e);
  const { indexes } = e.container;
  if (indexes !== undefined && e.index === NO_INDEX && !takeIndex(m, e, indexes)) {
    return park(m, e, new Error(`The index space of ${e.container.name} is full`), undefined);
  }
  const dependency = firstUnresolved(m, e);
  if (dependency !== undefined) {
    link(e, dependency);
    return deferredState(e);
  }
  if (isSynced(e)) {
    e.container.counters.elided++;
    return synced(e);
  }
  if (isHeldBack(m, e, event)) return State.BACKOFF;
  return sendWrite(m, e);
}

/** Takes the row out of the sink, once nobody refers to it. */
export function tryDelete(m: Machine, e: Entry, event: Event): State {
  unhold(m, e);
  if (e.container.compresses && isAbsent(e)) return gone(e);
  if (!isDeletable(m, e)) {
    waitForReferrers(m, e);
    return State.DEL_DEFER_REF;
  }
  if (isHeldBack(m, e, event)) return State.BACKOFF;
  return sendDelete(m, e) ? gone(e) : State.DEL_ACK_WAIT;
}

/** Takes the row out, whoever refers to it (unless renews are to hold), and brings it back. */
export function tryRenew(m: Machine, e: Entry, event: Event): State {
  unhold(m, e);
  e.flags &= ~Flag.RENEW;
  if (!isAbsent(e) || !e.container.compresses) {
    const holds = m.options.renew === "hold" || m.options.onDependencyDeleted === "cascade";
    if (holds && !isDeletable(m, e)) {
      e.flags |= Flag.RENEW;
      waitForReferrers(m, e);
      return State.DEL_DEFER_REF;
    }
    if (isHeldBack(m, e, event)) {
      e.flags |= Flag.RENEW;
      return State.BACKOFF;
    }
    if (!sendDelete(m, e)) {
      e.flags |= Flag.RENEWING;
      return State.RENEW_WAIT;
    }
  }
  return tryWrite(m, e, event);
}

/** What follows when nothing of an unwanted entry is in the sink. */
export function gone(e: Entry): State {
  return e.refs > 1 ? State.TEMP : State.FREE_WAIT;
}

/** The state of an entry that waits for a dependency, by what the sink holds of it. */
export function deferredState(e: Entry): State {
  const mayBeThere = isTrusted(e) ? e.believed !== null : false;
  return mayBeThere ? State.CHANGE_DEFER : State.ADD_DEFER;
}

/** Whether the sink is known to hold exactly what is desired. */
export function isSynced(e: Entry): boolean {
  const { believed, trouble } = e;
  return believed !== null && believed !== undefined && isTrusted(e) &&
    (trouble === undefined || trouble.residue === undefined) &&
    sameFields(believed, e.desired, e.container.numericFields);
}

/** The sink holds what is desired: one object for both, and nothing left to tell. */
function synced(e: Entry): State {
  e.believed = e.desired;
  settleTicket(e);
  return State.IN_SYNC;
}

/** Tells whoever waits for the entry's last change that it is as wanted. */
export function settleTicket(e: Entry): void {
  const ticket = e.ticket;
  if (ticket === undefined) return;
  e.ticket = undefined;
  ticket.settle(APPLIED);
}

/** Sets an entry aside until something changes. */
export function park(m: Machine, e: Entry, error: Error, refused: Fields | undefined): State {
  const trouble = troubleOf(e);
  trouble.error = error;
  trouble.refused = refused;
  e.flags &= ~(Flag.RENEW | Flag.RENEWING);
  const ticket = e.ticket;
  e.ticket = undefined;
  ticket?.settle(rejected(error));
  m.report("failed", e, () => error.message);
  return State.FAILED;
}

/** Waits after a failed attempt, or gives up after too many. */
export function backOff(m: Machine, e: Entry): State {
  const { retry } = m.options;
  const trouble = troubleOf(e);
  const attempt = trouble.attempts++;
  if (retry.maxAttempts > 0 && trouble.attempts >= retry.maxAttempts) {
    const last = lastErrorOf(e).message;
    const error = new Error(`Given up after ${trouble.attempts} attempts: ${last}`);
    return park(m, e, error, isWanted(e) ? e.desired : undefined);
  }
  m.report("retry", e, () => lastErrorOf(e).message);
  holdBack(m, e, Hold.RETRY, m.now + backoffDelay(retry, attempt, m.random()));
  return State.BACKOFF;
}

/** Puts an entry aside until the sink is back and was scanned. */
export function waitForSink(m: Machine, e: Entry): State {
  unhold(m, e);
  e.hold = Hold.SINK;
  return State.BACKOFF;
}

/** Ends the wait of an entry in BACKOFF, or of a held delete for its warning. A place in the queue is only forgotten when it comes up. */
export function unhold(m: Machine, e: Entry): void {
  if (e.hold === Hold.NONE && e.state !== State.DEL_DEFER_REF) return;
  if (e.position >= 0) m.timers.remove(e);
  e.hold = Hold.NONE;
}

function holdBack(m: Machine, e: Entry, hold: Hold, due: number): void {
  e.hold = hold;
  m.timers.add(e, due);
}

/** Whether something keeps a request from being sent now; the entry then knows what. */
function isHeldBack(m: Machine, e: Entry, event: Event): boolean {
  const { options, flights } = m;
  if (!e.container.open) {
    e.hold = Hold.SINK;
    return true;
  }
  if (options.damping !== undefined && !m.hurried) {
    const until = dampedUntil(m, e, options.damping);
    if (until > 0) {
      holdBack(m, e, Hold.DAMPED, until);
      return true;
    }
  }
  if (
    options.coalesceMs > 0 && !m.hurried &&
    (event === Event.ADD_CHANGE_REQ || event === Event.DEL_REQ)
  ) {
    holdBack(m, e, Hold.QUIET, m.now + options.coalesceMs);
    return true;
  }
  if (flights.count < options.maxInFlight) {
    if (m.pumping) return false;
    const gathers = options.gatherMs > 0 && flights.count > 0 && !m.hurried;
    if (!gathers && m.readyAt === m.ready.length) return false;
  }
  e.hold = Hold.WINDOW;
  if ((e.flags & Flag.QUEUED) === 0) {
    e.flags |= Flag.QUEUED;
    if (m.readyAt === m.ready.length) m.readySince = m.now;
    m.ready.push(e);
  }
  return true;
}

function sendWrite(m: Machine, e: Entry): State {
  const { believed, desired, container, trouble } = e;
  const isKnown = believed !== null && believed !== undefined;
  let fields = desired;
  let removed = NONE;
  // Of a row that is certainly absent nothing can be left over.
  const residue = believed === null ? undefined : trouble?.residue;
  if (isKnown || residue !== undefined) {
    ({ fields, removed } = difference(
      believed ?? NO_FIELDS,
      desired,
      residue,
      container.numericFields,
    ));
  }
  if (trouble !== undefined) {
    trouble.leaving = residue;
    trouble.residue = undefined;
  }
  const operation: Operation = { op: "set", table: container.name, key: e.key, fields, removed };
  if (!send(m, e, operation, desired, isKnown ? "change" : "add")) return State.SYNC_WAIT;
  confirm(e, desired);
  return synced(e);
}

/** Sends a delete. Returns true when it is done. */
function sendDelete(m: Machine, e: Entry): boolean {
  const done = send(
    m,
    e,
    { op: "delete", table: e.container.name, key: e.key },
    null,
    "delete",
  );
  if (done) confirm(e, null);
  return done;
}

function send(
  m: Machine,
  e: Entry,
  operation: Operation,
  value: Fields | null,
  kind: Kind,
): boolean {
  const { flights } = m;
  const { counters } = e.container;
  if (kind === "add") counters.adds++;
  else if (kind === "change") counters.changes++;
  else counters.deletes++;
  if (e.trouble !== undefined && e.trouble.attempts > 0) counters.retries++;
  // The delete of a renew is not yet what the owner waits for.
  const isRenew = value === null && isWanted(e);
  const ticket = isRenew ? undefined : e.ticket;
  if (!isRenew) e.ticket = undefined;
  const slot = flights.take(e, value, ticket, m.now);
  e.position = slot;
  if (!m.host.send(operation, slot, flights.numbers[slot] as number, kind)) return false;
  endFlight(m, e);
  ticket?.settle(APPLIED);
  return true;
}

/** The request is over, whatever became of it. */
export function endFlight(m: Machine, e: Entry): void {
  m.flights.release(e.position);
  e.position = -1;
}

/** The sink confirmed a value, or `null` for a delete. */
export function confirm(e: Entry, value: Fields | null): void {
  e.believed = value;
  const trouble = e.trouble;
  if (trouble === undefined) return;
  trouble.attempts = 0;
  trouble.error = undefined;
  trouble.refused = undefined;
  if (value === null) {
    trouble.residue = undefined;
    trouble.gone = undefined;
  } else if (trouble.leaving !== undefined) {
    trouble.gone ??= new Set();
    for (const name of trouble.leaving) trouble.gone.add(name);
  }
  trouble.leaving = undefined;
}

/** Nobody knows any more what the sink holds of the entry; `sent` may have reached it. */
export function forget(e: Entry, sent: Fields | null): void {
  const trouble = troubleOf(e);
  const residue = new Set<string>([...trouble.residue ?? [], ...trouble.leaving ?? []]);
  for (const name in e.believed ?? {}) residue.add(name);
  for (const name in sent ?? {}) residue.add(name);
  trouble.residue = residue.size > 0 ? residue : undefined;
  trouble.leaving = undefined;
  trouble.gone = undefined;
  e.believed = undefined;
}

/** Gets the entry an index if one is free, or else a place among those who wait for one. */
function takeIndex(m: Machine, e: Entry, indexes: IndexAllocator): boolean {
  const { container } = e;
  e.index = indexes.take();
  if (e.index !== NO_INDEX) {
    container.starving.delete(e);
    return true;
  }
  container.starving.add(e);
  m.report("index", e, () => `no index is free for ${nameOf(e)}`);
  return false;
}

/** Has the delete wait for referrers, and warns in time. */
function waitForReferrers(m: Machine, e: Entry): void {
  if (m.options.holdWarnMs > 0 && e.position < 0) m.timers.add(e, m.now + m.options.holdWarnMs);
  askReferrers(m, e);
}

/** Where deletes cascade, has everybody who refers to the entry leave first and come back after. */
export function askReferrers(m: Machine, e: Entry): void {
  if (m.options.onDependencyDeleted !== "cascade") return;
  for (const referrer of referrersOf(e)) {
    const stays = (referrer.flags & (Flag.WANTED | Flag.RENEW | Flag.RENEWING)) === Flag.WANTED;
    if (stays && !isOutOfTheWay(referrer)) m.later(referrer, Event.DEL_ADD_REQ);
  }
}
