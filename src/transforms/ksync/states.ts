/**
 * The states and events of an entry, by the names of the KSync library, so that traces compare.
 *
 * @module
 */

/** The states, in the order of their numbers. */
export const STATE_NAMES = [
  "INIT",
  "TEMP",
  "ADD_DEFER",
  "CHANGE_DEFER",
  "IN_SYNC",
  "SYNC_WAIT",
  "NEED_SYNC",
  "DEL_DEFER_SYNC",
  "DEL_DEFER_REF",
  "DEL_DEFER_DEL_ACK",
  "DEL_ACK_WAIT",
  "RENEW_WAIT",
  "FREE_WAIT",
  "BACKOFF",
  "FAILED",
] as const;

/** The name of a state. */
export type StateName = typeof STATE_NAMES[number];

/** The number of each state. */
export const State = {
  /** Just made, no event yet; never seen from outside. */
  INIT: 0,
  /** A placeholder: somebody refers to the key, nobody owns it, nothing is in the sink. */
  TEMP: 1,
  /** Wanted and not sent: a dependency is unresolved. */
  ADD_DEFER: 2,
  /** In the sink with an older value; the newer one waits for a dependency. */
  CHANGE_DEFER: 3,
  /** The sink holds what is desired. */
  IN_SYNC: 4,
  /** A write is outstanding. */
  SYNC_WAIT: 5,
  /** A write is outstanding, and desired moved on meanwhile. */
  NEED_SYNC: 6,
  /** A delete is wanted while a write is outstanding. */
  DEL_DEFER_SYNC: 7,
  /** A delete is wanted while others still refer to the entry. */
  DEL_DEFER_REF: 8,
  /** Deleted again while a delete is outstanding: one more follows (without compression). */
  DEL_DEFER_DEL_ACK: 9,
  /** A delete is outstanding. */
  DEL_ACK_WAIT: 10,
  /** A delete is outstanding, and the owner wants the entry back. */
  RENEW_WAIT: 11,
  /** Freed before the event ends; never seen from outside. */
  FREE_WAIT: 12,
  /** Nothing is outstanding and a write is due: it waits for its time, a slot or the sink. */
  BACKOFF: 13,
  /** The sink refused for good; another value, a delete or an operator ends it. */
  FAILED: 14,
} as const satisfies Record<StateName, number>;

/** The number of a state. */
export type State = typeof State[StateName];

/** The events, in the order of their numbers. */
export const EVENT_NAMES = [
  "ADD_CHANGE_REQ",
  "ADD_ACK",
  "CHANGE_ACK",
  "DEL_REQ",
  "DEL_ADD_REQ",
  "DEL_ACK",
  "RE_EVAL",
  "INT_PTR_REL",
  "INVALID",
  "NACK_TRANSIENT",
  "NACK_PERMANENT",
  "TIMEOUT",
  "RETRY",
  "SINK_LOST",
  "SINK_UP",
  "KEY_CHANGED",
] as const;

/** The name of an event. */
export type EventName = typeof EVENT_NAMES[number];

/** The number of each event. */
export const Event = {
  /** Owner: create or change. */
  ADD_CHANGE_REQ: 0,
  /** Sink: an add is done. */
  ADD_ACK: 1,
  /** Sink: a change is done; the same as ADD_ACK everywhere. */
  CHANGE_ACK: 2,
  /** Owner: delete. */
  DEL_REQ: 3,
  /** Owner: delete, then add again. */
  DEL_ADD_REQ: 4,
  /** Sink: a delete is done. */
  DEL_ACK: 5,
  /** Engine: the dependency that the entry waited for is resolved. */
  RE_EVAL: 6,
  /** Engine: the references that held a placeholder or a delete are gone. */
  INT_PTR_REL: 7,
  /** Never processed: the filler of the reference's unused history. */
  INVALID: 8,
  /** Sink: the request failed and may succeed later. */
  NACK_TRANSIENT: 9,
  /** Sink: the request will never succeed as it is. */
  NACK_PERMANENT: 10,
  /** Clock: no answer came in time. */
  TIMEOUT: 11,
  /** Clock, window or operator: what waited may go. */
  RETRY: 12,
  /** Sink: the other side is gone, and what it holds is unknown. */
  SINK_LOST: 13,
  /** Sink: the other side is back and was scanned. */
  SINK_UP: 14,
  /** Owner: the entry has another key; nothing is written. */
  KEY_CHANGED: 15,
} as const satisfies Record<EventName, number>;

/** The number of an event. */
export type Event = typeof Event[EventName];

/** Why an entry is in BACKOFF, in the order of their numbers. */
export const HOLD_NAMES = ["none", "window", "retry", "quiet", "damped", "sink"] as const;

/** Why an entry is in BACKOFF. */
export const Hold = {
  NONE: 0,
  /** Every slot is taken; the entry stands in the queue. */
  WINDOW: 1,
  /** The last attempt failed; the next has its time. */
  RETRY: 2,
  /** The quiet period of an idle key. */
  QUIET: 3,
  /** The key flaps. */
  DAMPED: 4,
  /** The sink is away, or not scanned yet. */
  SINK: 5,
} as const;

/** Why an entry is in BACKOFF. */
export type Hold = typeof Hold[keyof typeof Hold];
