/**
 * The heart of the engine: one event for one entry, then everything that follows from it.
 *
 * @module
 */
import { type Action, CELLS } from "./actions.ts";
import { EVENT_COUNT } from "./counters.ts";
import { dependenciesOf, type Entry, Flag, NO_INDEX } from "./entry.ts";
import { isStillWoken, recheckDependencies, setDependencies, wake } from "./links.ts";
import type { Machine } from "./machine.ts";
import { settleTicket, unhold } from "./procedures.ts";
import { Event, Hold, State } from "./states.ts";

/** Raises an event and everything that follows from it. */
export function raise(m: Machine, e: Entry, event: Event): void {
  dispatch(m, e, event);
  if (m.workEntries.length > 0) finishWork(m);
}

/** Lets queued entries have the free slots. */
export function pump(m: Machine): void {
  const { flights, options } = m;
  if (m.readyAt === m.ready.length) return;
  if (options.gatherMs > 0 && flights.count > 0 && !m.hurried) {
    const isFull = m.ready.length - m.readyAt >= options.gatherOperations;
    if (!isFull && m.now < m.readySince + options.gatherMs) return;
  }
  m.pumping = true;
  while (flights.count < options.maxInFlight && m.readyAt < m.ready.length) {
    const e = m.ready[m.readyAt++] as Entry;
    e.flags &= ~Flag.QUEUED;
    if (e.hold === Hold.WINDOW) raise(m, e, Event.RETRY);
  }
  m.pumping = false;
  forgetServed(m);
  m.readySince = m.now;
}

/** Takes served places off the queue, seldom enough to cost nothing for each. */
function forgetServed(m: Machine): void {
  if (m.readyAt === m.ready.length) {
    m.ready.length = 0;
    m.readyAt = 0;
  } else if (m.readyAt > 1024 && m.readyAt * 2 > m.ready.length) {
    m.ready = m.ready.slice(m.readyAt);
    m.readyAt = 0;
  }
}

function finishWork(m: Machine): void {
  const { workEntries, workEvents } = m;
  for (let at = 0; at < workEntries.length; at++) {
    const e = workEntries[at] as Entry;
    const event = workEvents[at] as Event;
    if (e.refs === 0) continue;
    // What the owner has asked for in this turn looks at everything anew.
    if ((e.flags & Flag.DIRTY) !== 0) continue;
    if (event === Event.RE_EVAL && !isStillWoken(e) && e.state !== State.FAILED) continue;
    dispatch(m, e, event);
  }
  workEntries.length = 0;
  workEvents.length = 0;
}

function dispatch(m: Machine, e: Entry, event: Event): void {
  const from = e.state;
  const to = (CELLS[from * EVENT_COUNT + event] as Action)(m, e, event);
  if (to !== from) transit(m, e, from, to, event);
  if (e.links?.waiters !== undefined) wake(m, e);
}

function transit(m: Machine, e: Entry, from: State, to: State, event: Event): void {
  e.container.counters.move(from, to);
  e.state = to;
  m.trace.add(e.trace, from, to, event, e.hold, m.now);
  if (from === State.RENEW_WAIT) e.flags &= ~Flag.RENEWING;
  if (from === State.FAILED && e.container.starving.size > 0) e.container.starving.delete(e);
  switch (to) {
    case State.FREE_WAIT:
      settleTicket(e);
      e.container.onDetached?.(e);
      free(m, e);
      break;
    case State.TEMP:
      settleTicket(e);
      e.container.onDetached?.(e);
      recheckDependencies(m, e);
      if (dependenciesOf(e).length > 0) m.later(e, Event.INT_PTR_REL);
      break;
    case State.ADD_DEFER:
    case State.CHANGE_DEFER:
    case State.DEL_DEFER_REF:
      recheckDependencies(m, e);
      break;
  }
}

/** The end of an entry. What it refers to may be the next to go. */
export function free(m: Machine, e: Entry): void {
  const { container } = e;
  unhold(m, e);
  e.refs = 0;
  container.remove(e);
  m.trace.release(e.trace);
  container.counters.freed++;
  container.counters.leave(State.FREE_WAIT);
  if (dependenciesOf(e).length > 0) setDependencies(m, e, []);
  if (e.index !== NO_INDEX && container.indexes?.give(e.index)) {
    const [next] = container.starving;
    if (next !== undefined) m.later(next, Event.RE_EVAL);
  }
  m.host.freed?.(e);
  if (container.size === 0) m.host.emptied?.(container);
}
