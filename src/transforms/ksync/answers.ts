/**
 * What the sink says, or fails to say, about requests (chapter 8.2).
 *
 * @module
 */
import { APPLIED, type Fields, rejected, SUPERSEDED } from "../../core/change.ts";
import { raise } from "./dispatch.ts";
import { type Entry, isOutstanding, isWanted, type Ticket, troubleOf } from "./entry.ts";
import type { Machine } from "./machine.ts";
import { confirm, endFlight, forget } from "./procedures.ts";
import { Event } from "./states.ts";

/** What became of a request. */
export type Answer =
  /**
   * Done, or in the wanted condition already. `index` is a number that the sink chose, `added` says
   * how many fields the row did not have before.
   */
  | {
    readonly kind: "ok";
    readonly index?: number | undefined;
    readonly added?: number | undefined;
  }
  /** It may succeed later. `untouched` says that certainly nothing was applied. */
  | { readonly kind: "transient"; readonly error: Error; readonly untouched?: boolean }
  /** It never will, and nothing was applied. */
  | { readonly kind: "permanent"; readonly error: Error };

/** The answer of every request that went well. */
export const OK: Answer = Object.freeze({ kind: "ok" });

/** Takes the answer to a request. False for one that is not outstanding: late, twice or stray. */
export function answer(m: Machine, slot: number, number: number, said: Answer): boolean {
  const e = m.flights.find(slot, number);
  if (e === undefined) {
    m.lateAnswers++;
    return false;
  }
  const value = m.flights.values[slot] as Fields | null;
  const ticket = m.flights.tickets[slot];
  endFlight(m, e);
  const { counters } = e.container;
  switch (said.kind) {
    case "ok": {
      if (said.index !== undefined && e.container.indexes === undefined) e.index = said.index;
      const wasThere = e.believed !== null && e.believed !== undefined;
      if (said.added !== undefined) countAdded(m, e, value, said.added);
      confirm(e, value);
      ticket?.settle(APPLIED);
      raise(m, e, value === null ? Event.DEL_ACK : wasThere ? Event.CHANGE_ACK : Event.ADD_ACK);
      break;
    }
    case "transient":
      counters.transient++;
      failed(e, value, ticket, said.error, said.untouched ?? false);
      raise(m, e, Event.NACK_TRANSIENT);
      break;
    case "permanent":
      counters.permanent++;
      untouched(e);
      troubleOf(e).error = said.error;
      troubleOf(e).refused = value ?? undefined;
      ticket?.settle(rejected(said.error));
      raise(m, e, Event.NACK_PERMANENT);
      break;
  }
  return true;
}

/**
 * A write that had to add what should have been there already: somebody else has emptied the row,
 * and nobody tells which others. The table is to be read again.
 */
function countAdded(m: Machine, e: Entry, value: Fields | null, added: number): void {
  if (e.believed === null || e.believed === undefined || value === null) return;
  for (const name in value) if (!Object.hasOwn(e.believed, name)) added--;
  if (added <= 0) return;
  e.container.robbed = true;
  e.container.counters.drifted++;
  m.report("drift", e, () => "fields of it were gone, so all rows of its table are read again");
}

/** Ends the requests that had no answer in time. */
export function endOverdue(m: Machine): void {
  const { requestTimeoutMs } = m.options;
  for (;;) {
    const slot = m.flights.oldest;
    const e = m.flights.entries[slot];
    if (e === undefined || m.now < (m.flights.sentAt[slot] as number) + requestTimeoutMs) return;
    e.container.counters.timeouts++;
    loseFlight(m, e, new Error(`The sink did not answer within ${requestTimeoutMs} ms`));
    raise(m, e, Event.TIMEOUT);
  }
}

/** The request is over and nobody knows whether it took effect; the caller raises the event. */
export function loseFlight(
  m: Machine,
  e: Entry,
  error: Error = new Error("The connection to the sink was lost"),
): void {
  if (!isOutstanding(e)) return;
  const value = m.flights.values[e.position] as Fields | null;
  const ticket = m.flights.tickets[e.position];
  endFlight(m, e);
  failed(e, value, ticket, error, false);
}

/** Notes a failure. Whoever waits for the value waits on, unless a newer one took its place. */
function failed(
  e: Entry,
  value: Fields | null,
  ticket: Ticket | undefined,
  error: Error,
  isUntouched: boolean,
): void {
  if (isUntouched) untouched(e);
  else forget(e, value);
  troubleOf(e).error = error;
  if (ticket === undefined) return;
  const isStillWanted = value === null ? !isWanted(e) : isWanted(e) && e.desired === value;
  if (e.ticket === undefined && isStillWanted) e.ticket = ticket;
  else ticket.settle(SUPERSEDED);
}

/** Nothing was applied, so what the request took away is still to be taken away. */
function untouched(e: Entry): void {
  const trouble = troubleOf(e);
  if (trouble.leaving === undefined) return;
  trouble.residue ??= new Set();
  for (const name of trouble.leaving) trouble.residue.add(name);
  trouble.leaving = undefined;
}
