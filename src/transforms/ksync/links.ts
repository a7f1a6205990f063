/**
 * References between entries and wait links, as in chapter 9 of the KSync specification.
 *
 * A reference says "my value names that entry" and lasts as long as the value. A wait link says
 * "I was not sent because of that entry"; an entry has one if and only if it is deferred.
 *
 * @module
 */
import {
  dependenciesOf,
  type Entry,
  Flag,
  isAbsent,
  isDeferred,
  isHeldFromOutside,
  isOutstanding,
  isWanted,
  Links,
  nameOf,
  referrersOf,
} from "./entry.ts";
import type { Machine } from "./machine.ts";
import { Event, Hold, State } from "./states.ts";

/** The entry's links, made when it first has some. */
export function linksOf(e: Entry): Links {
  return e.links ??= new Links();
}

/** Takes a counted reference from outside the engine. */
export function holdFromOutside(e: Entry): void {
  linksOf(e).holds++;
  e.refs++;
}

/** Gives a counted reference from outside back. */
export function releaseFromOutside(m: Machine, e: Entry): boolean {
  if (!isHeldFromOutside(e)) return false;
  linksOf(e).holds--;
  drop(m, e);
  return true;
}

/** One reference less. What only references kept alive is looked at after the present event. */
function drop(m: Machine, e: Entry): void {
  e.refs--;
  const held = e.state === State.TEMP || e.state === State.DEL_DEFER_REF;
  // With several references left it may still be free, if they are only its own circle.
  if (held && (e.refs === 1 || dependenciesOf(e).length > 0)) m.later(e, Event.INT_PTR_REL);
}

/** Makes the entry refer to exactly these entries. */
export function setDependencies(m: Machine, e: Entry, deps: readonly Entry[]): void {
  const links = linksOf(e);
  const old = links.deps;
  if (old.length === deps.length && old.every((dep, at) => dep === deps[at])) return;
  // The new ones first, so that what is in both is never let go.
  links.deps = deps;
  for (const dep of deps) {
    dep.refs++;
    (linksOf(dep).referrers ??= new Set()).add(e);
  }
  for (const dep of old) {
    if (!deps.includes(dep)) dep.links?.referrers?.delete(e);
    drop(m, dep);
  }
}

/** Links an entry to the dependency that it has to wait for. */
export function link(e: Entry, dependency: Entry): void {
  linksOf(e).waitsFor = dependency;
  (linksOf(dependency).waiters ??= new Set()).add(e);
  e.refs++;
  dependency.refs++;
}

/** Takes the wait link away, if there is one. */
export function unlink(m: Machine, e: Entry): void {
  const { links } = e;
  if (links?.waitsFor === undefined) return;
  const dependency = links.waitsFor;
  links.waitsFor = undefined;
  dependency.links?.waiters?.delete(e);
  drop(m, e);
  drop(m, dependency);
}

/** Whether others may refer to the entry now. */
export function isResolved(m: Machine, e: Entry): boolean {
  const present = e.believed !== null && e.believed !== undefined;
  switch (e.state) {
    case State.IN_SYNC:
      break;
    case State.SYNC_WAIT:
    case State.NEED_SYNC:
      if (!present && m.options.resolveOn === "acked") return false;
      break;
    case State.BACKOFF:
      // It waits with a newer value, and the older one is there. After a loss of the sink it has
      // to be looked at first: what it needs may be gone.
      if (!present || e.hold === Hold.SINK) return false;
      if ((e.flags & (Flag.WANTED | Flag.RENEW)) !== Flag.WANTED) return false;
      break;
    default:
      return false;
  }
  const container = e.container;
  if (container.needsIndex && e.index < 0) return false;
  return container.isDataResolved === undefined ||
    container.isDataResolved(e.believed ?? e.desired, e.key);
}

/** The first dependency that is not resolved. */
export function firstUnresolved(m: Machine, e: Entry): Entry | undefined {
  for (const dep of dependenciesOf(e)) {
    if (!isResolved(m, dep)) return dep;
  }
  return undefined;
}

/** Unlinks everybody who waits for a resolved entry, first waiting first, and wakes them. */
export function wake(m: Machine, e: Entry): void {
  const waiters = e.links?.waiters;
  if (waiters === undefined || waiters.size === 0) return;
  if (!e.container.wakesWaiters || !isResolved(m, e)) return;
  for (const waiter of [...waiters]) {
    unlink(m, waiter);
    m.later(waiter, Event.RE_EVAL);
  }
}

/** Whether a woken entry still has to be looked at: it may have been freed or linked again. */
export function isStillWoken(e: Entry): boolean {
  return isDeferred(e) && e.links?.waitsFor === undefined;
}

/**
 * Whether the entry may leave the sink as far as references go: nobody refers to it, or (when
 * deletes cascade) nobody of those is in the sink, or all that do were given up together with it
 * and refer to each other in a circle, which would otherwise hold itself for ever.
 */
export function isDeletable(m: Machine, e: Entry): boolean {
  if (e.refs === 1) return true;
  if (isHeldFromOutside(e)) return false;
  const cascades = m.options.onDependencyDeleted === "cascade";
  for (const referrer of referrersOf(e)) {
    if (!(cascades && isOutOfTheWay(referrer)) && !isGivenUp(referrer, cascades)) return false;
  }
  const below = closure(e, dependenciesOf);
  for (const member of closure(e, referrersOf)) {
    if (member === e || (cascades && isOutOfTheWay(member))) continue;
    if (!isGivenUp(member, cascades) || !below.has(member)) return false;
    if (isHeldFromOutside(member)) return false;
  }
  return true;
}

/** Whether nothing of the entry is in the sink or on its way there. */
export function isOutOfTheWay(e: Entry): boolean {
  return isAbsent(e) && !isOutstanding(e);
}

function isGivenUp(e: Entry, cascades: boolean): boolean {
  return e.state === State.TEMP || (e.state === State.DEL_DEFER_REF && (cascades || !isWanted(e)));
}

/** An entry and everybody who can be reached from it. */
function closure(e: Entry, step: (e: Entry) => Iterable<Entry>): Set<Entry> {
  const members = new Set([e]);
  for (const member of members) {
    for (const next of step(member)) members.add(next);
  }
  return members;
}

/**
 * Frees placeholders that only each other refer to, by letting go of what they refer to.
 *
 * @returns false, and changes nothing, where somebody else is behind them
 */
export function dissolveCircle(m: Machine, e: Entry): boolean {
  const circle = closure(e, referrersOf);
  for (const member of circle) {
    if (member.state !== State.TEMP || isHeldFromOutside(member)) return false;
  }
  for (const member of circle) setDependencies(m, member, []);
  return true;
}

/** Has the deletes that this entry may have held back, over however many others, looked at again. */
export function recheckDependencies(m: Machine, e: Entry): void {
  if (dependenciesOf(e).length === 0) return;
  const throughGivenUp = (member: Entry) =>
    member === e || isGivenUp(member, true) ? dependenciesOf(member) : [];
  for (const dep of closure(e, throughGivenUp)) {
    if (dep !== e && dep.state === State.DEL_DEFER_REF) m.later(dep, Event.INT_PTR_REL);
  }
}

/**
 * The way from a dependency back to the entry that is about to refer to it, for people: the names
 * from the dependency through the entry to the dependency again.
 *
 * @returns undefined when there is no such way
 */
export function findCycle(e: Entry, dependency: Entry): string[] | undefined {
  // Whoever nobody refers to is in no circle; this spares new entries the search.
  if (e.links?.referrers === undefined) return undefined;
  const cameFrom = new Map<Entry, Entry | undefined>([[dependency, undefined]]);
  for (const [member] of cameFrom) {
    if (member === e) {
      const path = [dependency];
      for (let at: Entry | undefined = e; at !== undefined; at = cameFrom.get(at)) path.push(at);
      return path.reverse().map(nameOf);
    }
    for (const next of dependenciesOf(member)) {
      if (!cameFrom.has(next)) cameFrom.set(next, member);
    }
  }
  return undefined;
}
