/**
 * What the cells of the transition table do: each takes the entry and the event and says which
 * state follows.
 *
 * @module
 */
import { rejected } from "../../core/change.ts";
import { type Entry, Flag, isAbsent, isWanted, lastErrorOf } from "./entry.ts";
import { sameFields } from "./fields.ts";
import { dissolveCircle, isDeletable, recheckDependencies, unlink } from "./links.ts";
import type { Machine } from "./machine.ts";
import {
  askReferrers,
  backOff,
  deferredState,
  gone,
  isSynced,
  park,
  settleTicket,
  tryDelete,
  tryRenew,
  tryWrite,
  waitForSink,
} from "./procedures.ts";
import { type Event, EVENT_NAMES, Hold, State, STATE_NAMES } from "./states.ts";
import { type ActionName, TABLE } from "./table.ts";

/** What a cell does. Returns the next state, which may be the same. */
export type Action = (m: Machine, e: Entry, event: Event) => State;

function stray(m: Machine, e: Entry, event: Event): State {
  e.container.counters.addStray(e.state, event);
  m.report("stray", e, () => `${EVENT_NAMES[event]} in ${STATE_NAMES[e.state]}`);
  return e.state;
}

function duplicate(_m: Machine, e: Entry): State {
  e.container.counters.duplicates++;
  return e.state;
}

function renews(e: Entry): boolean {
  return (e.flags & Flag.RENEW) !== 0;
}

/** Forgets a renew, then goes to a state. */
function cancelRenew(to: State): Action {
  return (_m, e) => {
    e.flags &= ~Flag.RENEW;
    return to;
  };
}

/** Begins the renew that was remembered, or does the other thing. */
function renewElse(otherwise: Action): Action {
  return (m, e, event) => renews(e) ? tryRenew(m, e, event) : otherwise(m, e, event);
}

function unlinkThen(then: Action): Action {
  return (m, e, event) => {
    unlink(m, e);
    return then(m, e, event);
  };
}

function dropUnlessReferenced(m: Machine, e: Entry): State {
  if (e.refs === 1) return State.FREE_WAIT;
  if (!dissolveCircle(m, e)) recheckDependencies(m, e);
  return State.TEMP;
}

function inSync(_m: Machine, e: Entry): State {
  // Desired cannot have moved since the request, so the value that was sent is the wanted one.
  settleTicket(e);
  return State.IN_SYNC;
}

function backToDelete(_m: Machine, e: Entry): State {
  e.flags &= ~(Flag.RENEW | Flag.RENEWING);
  return e.container.compresses ? State.DEL_ACK_WAIT : State.DEL_DEFER_DEL_ACK;
}

function backOffFrom(m: Machine, e: Entry, event: Event): State {
  if (e.state === State.RENEW_WAIT && (e.flags & Flag.RENEWING) !== 0) e.flags |= Flag.RENEW;
  if (!isWanted(e) && isAbsent(e) && e.container.compresses) return tryDelete(m, e, event);
  return backOff(m, e);
}

function sinkIsAway(m: Machine, e: Entry): State {
  if (e.state === State.RENEW_WAIT && (e.flags & Flag.RENEWING) !== 0) e.flags |= Flag.RENEW;
  return waitForSink(m, e);
}

function parkRefused(m: Machine, e: Entry): State {
  return park(m, e, lastErrorOf(e), e.trouble?.refused);
}

function parkOrNewer(m: Machine, e: Entry, event: Event): State {
  return isRefusedValue(e) ? parkRefused(m, e) : tryAgain(m, e, event);
}

function isRefusedValue(e: Entry): boolean {
  const refused = e.trouble?.refused;
  return refused !== undefined && sameFields(refused, e.desired, e.container.numericFields);
}

/** A newer value for an entry in BACKOFF: it replaces the older one and does not shorten the wait. */
function replace(m: Machine, e: Entry, event: Event): State {
  if (renews(e)) return State.BACKOFF;
  const now = e.hold === Hold.RETRY && m.options.retryOnChange;
  return now || isSynced(e) ? tryWrite(m, e, event) : State.BACKOFF;
}

/** A delete of an entry that has nothing outstanding, and waits or was parked. */
function withdraw(m: Machine, e: Entry, event: Event): State {
  if (!m.wasWanted) return duplicate(m, e);
  e.flags &= ~Flag.RENEW;
  const atOnce = e.state === State.FAILED || e.hold === Hold.RETRY || isAbsent(e);
  return atOnce ? tryDelete(m, e, event) : State.BACKOFF;
}

function tryAgain(m: Machine, e: Entry, event: Event): State {
  if (!isWanted(e)) return tryDelete(m, e, event);
  return renews(e) ? tryRenew(m, e, event) : tryWrite(m, e, event);
}

function tryAnotherValue(m: Machine, e: Entry, event: Event): State {
  if (!isRefusedValue(e)) return tryWrite(m, e, event);
  const ticket = e.ticket;
  e.ticket = undefined;
  ticket?.settle(rejected(lastErrorOf(e)));
  return State.FAILED;
}

const ACTIONS: Readonly<Record<ActionName, Action>> = {
  "stray": stray,
  "stay": (_m, e) => e.state,
  "duplicate": duplicate,
  "tryAdd": tryWrite,
  "tryChange": tryWrite,
  "tryDelete": tryDelete,
  "tryRenew": tryRenew,
  "unlink, tryAdd": unlinkThen(tryWrite),
  "unlink, tryChange": unlinkThen(tryWrite),
  "unlink, tryDelete": unlinkThen(tryDelete),
  "unlink, tryRenew": unlinkThen(tryRenew),
  "tryChange unless a renew waits": (m, e, event) => renews(e) ? e.state : tryWrite(m, e, event),
  "cancel renew, else duplicate": (m, e, event) => {
    if (!renews(e)) return duplicate(m, e);
    e.flags &= ~Flag.RENEW;
    return e.state === State.DEL_DEFER_REF ? tryDelete(m, e, event) : e.state;
  },
  "drop unless referenced": dropUnlessReferenced,
  "delete unless referenced": (m, e, event) => {
    if (!isAbsent(e)) return tryDelete(m, e, event);
    settleTicket(e);
    return dropUnlessReferenced(m, e);
  },
  "tryDelete once released": (m, e, event) => {
    if (isAbsent(e) || isDeletable(m, e)) return tryAgainOrDelete(m, e, event);
    askReferrers(m, e);
    return e.state;
  },
  "NEED_SYNC": () => State.NEED_SYNC,
  "cancel renew, DEL_DEFER_SYNC": cancelRenew(State.DEL_DEFER_SYNC),
  "cancel renew, RENEW_WAIT": cancelRenew(State.RENEW_WAIT),
  "cancel renew, stay": (_m, e) => {
    e.flags &= ~Flag.RENEW;
    return e.state;
  },
  "cancel renew, back to the delete": backToDelete,
  "remember renew, stay": (_m, e) => {
    e.flags |= Flag.RENEW;
    return e.state;
  },
  "remember renew, NEED_SYNC": (_m, e) => {
    e.flags |= Flag.RENEW;
    return State.NEED_SYNC;
  },
  "renew, else IN_SYNC": renewElse(inSync),
  "renew, else tryAdd": renewElse(tryWrite),
  "renew, else tryChange": renewElse(tryWrite),
  "renew, else tryDelete": renewElse(tryDelete),
  "renew, else drop": renewElse((_m, e) => gone(e)),
  "back off": backOffFrom,
  "park": parkRefused,
  "park, else renew or tryChange": parkOrNewer,
  "park a renew, else tryChange": (m, e, event) =>
    // A delete that is refused for good makes a renew impossible.
    (e.flags & (Flag.RENEW | Flag.RENEWING)) !== 0 ? parkRefused(m, e) : tryWrite(m, e, event),
  "replace": replace,
  "withdraw": withdraw,
  "try again": tryAgain,
  "tryChange with another value": tryAnotherValue,
  "wait for the sink": sinkIsAway,
  "defer as found": (_m, e) => deferredState(e),
};

/** A delete that references held back: of an entry given up, or one to be brought back. */
function tryAgainOrDelete(m: Machine, e: Entry, event: Event): State {
  return renews(e) ? tryRenew(m, e, event) : tryDelete(m, e, event);
}

/** The action of each cell, at `state * EVENT_COUNT + event`. */
export const CELLS: readonly Action[] = STATE_NAMES.flatMap((state) =>
  EVENT_NAMES.map((event) => ACTIONS[TABLE[state][event] ?? "stray"])
);
