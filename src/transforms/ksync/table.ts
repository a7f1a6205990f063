/**
 * The transition table as data, beside chapter 6 of the KSync specification: one row for each
 * state, one cell for each event. What a cell does stands in `actions.ts`; an event without a cell
 * is a stray: it is counted and changes nothing.
 *
 * A cell that names a state goes there. `try…` are the procedures of chapter 5, which decide the
 * next state themselves. What is desired (the owner's events) and what is believed (the sink's
 * answers) is already set when a cell runs.
 *
 * @module
 */
import { type EventName, type StateName } from "./states.ts";

/** What a cell does. */
export type ActionName =
  | "stray"
  | "stay"
  | "duplicate"
  | "tryAdd"
  | "tryChange"
  | "tryDelete"
  | "tryRenew"
  | "unlink, tryAdd"
  | "unlink, tryChange"
  | "unlink, tryDelete"
  | "unlink, tryRenew"
  | "tryChange unless a renew waits"
  | "cancel renew, else duplicate"
  | "drop unless referenced"
  | "delete unless referenced"
  | "tryDelete once released"
  | "NEED_SYNC"
  | "cancel renew, DEL_DEFER_SYNC"
  | "cancel renew, RENEW_WAIT"
  | "cancel renew, stay"
  | "cancel renew, back to the delete"
  | "remember renew, stay"
  | "remember renew, NEED_SYNC"
  | "renew, else IN_SYNC"
  | "renew, else tryAdd"
  | "renew, else tryChange"
  | "renew, else tryDelete"
  | "renew, else drop"
  | "back off"
  | "park"
  | "park, else renew or tryChange"
  | "park a renew, else tryChange"
  | "replace"
  | "withdraw"
  | "try again"
  | "tryChange with another value"
  | "wait for the sink"
  | "defer as found";

/** A row of the table. */
export type Row = Readonly<Partial<Record<EventName, ActionName>>>;

/**
 * What every state with an outstanding request does when that is over without an answer that
 * counts. When the sink is back, whoever is here already was woken and sent earlier in the turn.
 */
const LOST = {
  NACK_TRANSIENT: "back off",
  TIMEOUT: "back off",
  SINK_LOST: "wait for the sink",
  SINK_UP: "stay",
} as const;

/** The whole table. ADD_ACK and CHANGE_ACK are one column in the specification. */
export const TABLE: Readonly<Record<StateName, Row>> = {
  INIT: {
    ADD_CHANGE_REQ: "tryAdd",
    DEL_REQ: "tryDelete", // the sink may hold a row that nobody here has claimed
    DEL_ADD_REQ: "tryRenew",
  },
  TEMP: {
    ADD_CHANGE_REQ: "tryAdd",
    DEL_REQ: "delete unless referenced",
    DEL_ADD_REQ: "tryAdd",
    INT_PTR_REL: "drop unless referenced",
    SINK_LOST: "stay",
    SINK_UP: "stay",
    KEY_CHANGED: "stay",
  },
  ADD_DEFER: {
    ADD_CHANGE_REQ: "unlink, tryAdd",
    DEL_REQ: "unlink, tryDelete",
    DEL_ADD_REQ: "unlink, tryRenew",
    RE_EVAL: "tryAdd",
    INT_PTR_REL: "stay",
    SINK_LOST: "stay",
    SINK_UP: "defer as found",
    KEY_CHANGED: "stay",
  },
  CHANGE_DEFER: {
    ADD_CHANGE_REQ: "unlink, tryChange",
    DEL_REQ: "unlink, tryDelete",
    DEL_ADD_REQ: "unlink, tryRenew",
    RE_EVAL: "tryChange",
    INT_PTR_REL: "stay",
    SINK_LOST: "stay",
    SINK_UP: "defer as found",
    KEY_CHANGED: "stay",
  },
  IN_SYNC: {
    ADD_CHANGE_REQ: "tryChange",
    DEL_REQ: "tryDelete",
    DEL_ADD_REQ: "tryRenew",
    INT_PTR_REL: "stay",
    SINK_LOST: "wait for the sink",
    SINK_UP: "stay",
    KEY_CHANGED: "stay",
  },
  SYNC_WAIT: {
    ADD_CHANGE_REQ: "NEED_SYNC",
    DEL_REQ: "cancel renew, DEL_DEFER_SYNC",
    DEL_ADD_REQ: "remember renew, stay",
    ADD_ACK: "renew, else IN_SYNC",
    CHANGE_ACK: "renew, else IN_SYNC",
    INT_PTR_REL: "stay",
    NACK_PERMANENT: "park, else renew or tryChange",
    ...LOST,
    KEY_CHANGED: "stay",
  },
  NEED_SYNC: {
    ADD_CHANGE_REQ: "stay",
    DEL_REQ: "cancel renew, DEL_DEFER_SYNC",
    DEL_ADD_REQ: "remember renew, stay",
    ADD_ACK: "renew, else tryChange",
    CHANGE_ACK: "renew, else tryChange",
    INT_PTR_REL: "stay",
    NACK_PERMANENT: "park, else renew or tryChange",
    ...LOST,
    KEY_CHANGED: "stay",
  },
  DEL_DEFER_SYNC: {
    ADD_CHANGE_REQ: "NEED_SYNC",
    DEL_REQ: "duplicate",
    DEL_ADD_REQ: "remember renew, NEED_SYNC",
    ADD_ACK: "tryDelete",
    CHANGE_ACK: "tryDelete",
    INT_PTR_REL: "stay",
    NACK_PERMANENT: "tryDelete",
    ...LOST,
    KEY_CHANGED: "stay",
  },
  DEL_DEFER_REF: {
    ADD_CHANGE_REQ: "tryChange unless a renew waits",
    DEL_REQ: "cancel renew, else duplicate",
    DEL_ADD_REQ: "tryRenew",
    INT_PTR_REL: "tryDelete once released",
    SINK_LOST: "stay",
    SINK_UP: "tryDelete once released",
    KEY_CHANGED: "stay",
  },
  DEL_DEFER_DEL_ACK: {
    ADD_CHANGE_REQ: "cancel renew, RENEW_WAIT",
    DEL_REQ: "cancel renew, else duplicate",
    DEL_ADD_REQ: "remember renew, stay",
    DEL_ACK: "renew, else tryDelete",
    INT_PTR_REL: "stay",
    NACK_PERMANENT: "park",
    ...LOST,
    KEY_CHANGED: "stay",
  },
  DEL_ACK_WAIT: {
    ADD_CHANGE_REQ: "cancel renew, RENEW_WAIT",
    DEL_REQ: "cancel renew, else duplicate",
    DEL_ADD_REQ: "remember renew, stay",
    DEL_ACK: "renew, else drop",
    INT_PTR_REL: "stay",
    NACK_PERMANENT: "park",
    ...LOST,
    KEY_CHANGED: "stay",
  },
  RENEW_WAIT: {
    ADD_CHANGE_REQ: "cancel renew, stay",
    DEL_REQ: "cancel renew, back to the delete",
    DEL_ADD_REQ: "remember renew, stay",
    DEL_ACK: "renew, else tryAdd",
    INT_PTR_REL: "stay",
    NACK_PERMANENT: "park a renew, else tryChange",
    ...LOST,
    KEY_CHANGED: "stay",
  },
  FREE_WAIT: {},
  BACKOFF: {
    ADD_CHANGE_REQ: "replace",
    DEL_REQ: "withdraw",
    DEL_ADD_REQ: "remember renew, stay",
    INT_PTR_REL: "stay",
    RETRY: "try again",
    SINK_LOST: "wait for the sink",
    SINK_UP: "try again",
    KEY_CHANGED: "stay",
  },
  FAILED: {
    ADD_CHANGE_REQ: "tryChange with another value",
    DEL_REQ: "withdraw",
    DEL_ADD_REQ: "tryRenew",
    RE_EVAL: "try again",
    INT_PTR_REL: "stay",
    RETRY: "try again",
    SINK_LOST: "stay",
    SINK_UP: "try again",
    KEY_CHANGED: "stay",
  },
};
