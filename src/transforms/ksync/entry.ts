/**
 * One entry: what is desired of one key, what the sink is believed to hold, and what stands
 * between the two.
 *
 * An entry at rest is small, because there is one for each key: what only a request needs is in
 * `flights.ts`, and what only some entries have is in `Links` and `Trouble`.
 *
 * @module
 */
import type { Fields, Receipt } from "../../core/change.ts";
import type { Container } from "./container.ts";
import { Hold, State } from "./states.ts";

/** Somebody who wants to know what becomes of a change. */
export interface Ticket {
  /** Called at most once. */
  settle(receipt: Receipt): void;
}

/** Bits of `Entry.flags`. */
export const Flag = {
  /** An owner wants the entry, or adopted it. */
  WANTED: 1,
  /** Found in the sink, or not named by a dump: swept unless claimed. */
  STALE: 2,
  /** A delete-then-add was asked for and has not begun. */
  RENEW: 4,
  /** The delete of a delete-then-add is outstanding. */
  RENEWING: 8,
  /** The owner's event is put off to the end of the turn. */
  DIRTY: 16,
  /** Stands in the queue for a slot. */
  QUEUED: 32,
  /** Read by the scan that is going on. */
  FOUND: 64,
  /** Taken over from the sink and not claimed yet: its fields may be somebody else's. */
  ADOPTED: 128,
} as const;

/** The value of an entry that never had one. */
export const NO_FIELDS: Fields = Object.freeze({});

/** The index of an entry that has none. */
export const NO_INDEX = -1;

/** References between entries. Sets keep the order in which their members came. */
export class Links {
  /** What this entry refers to; a counted reference each. */
  deps: readonly Entry[] = [];
  /** Who refers to this entry. */
  referrers: Set<Entry> | undefined;
  /** The dependency that this entry waits for. */
  waitsFor: Entry | undefined;
  /** Who waits for this entry. */
  waiters: Set<Entry> | undefined;
  /** References held from outside the engine. */
  holds = 0;
}

/** What an entry has that is or was in difficulties. */
export class Trouble {
  /** Failed attempts since the last success. */
  attempts = 0;
  /** The last error of the sink, until a success. */
  error: Error | undefined;
  /** The value that the sink refused for good. */
  refused: Fields | undefined;
  /** Names of fields of ours that the sink may hold although they are in no value here. */
  residue: Set<string> | undefined;
  /** The residue that the outstanding request takes away. */
  leaving: Set<string> | undefined;
  /** Names known to be gone, so that taking them away again costs nothing. */
  gone: Set<string> | undefined;
  /** The flap penalty as it stood at `penaltyAt`, and whether writes are held for it. */
  penalty = 0;
  penaltyAt = 0;
  damped = false;
}

/** The mirror of one row of the sink. */
export class Entry {
  readonly container: Container;
  key: string;
  state: State = State.INIT;
  /** 1 for the container, 1 for each reference, 1 on both ends of a wait link; 0 once freed. */
  refs = 1;
  flags = 0;
  /** The value that the owner wanted last; it survives a delete, for a renew. */
  desired: Fields = NO_FIELDS;
  /** The value that the sink confirmed last; `null` for absent, `undefined` for unknown. */
  believed: Fields | null | undefined;
  /** The slot of the outstanding request, or else the place in the heap of timers; -1 for none. */
  position = -1;
  /** Why an entry in BACKOFF waits. */
  hold: Hold = Hold.NONE;
  index: number = NO_INDEX;
  /** The slot of its transitions in the trace. */
  trace = -1;
  /** The dump in which the owner named it last. */
  generation = 0;
  /** Who waits for the value that is desired and not sent. */
  ticket: Ticket | undefined = undefined;
  links: Links | undefined = undefined;
  trouble: Trouble | undefined = undefined;

  constructor(container: Container, key: string, believed: Fields | null | undefined) {
    this.container = container;
    this.key = key;
    this.believed = believed;
  }
}

/** The full name of an entry, `TABLE|key`. */
export function nameOf(entry: Entry): string {
  return `${entry.container.name}|${entry.key}`;
}

/** Whether an owner wants the entry. */
export function isWanted(entry: Entry): boolean {
  return (entry.flags & Flag.WANTED) !== 0;
}

/** Whether the entry was given up and leaves, or has left, the sink. */
export function isDeleted(entry: Entry): boolean {
  switch (entry.state) {
    case State.DEL_DEFER_SYNC:
    case State.DEL_DEFER_REF:
    case State.DEL_DEFER_DEL_ACK:
    case State.DEL_ACK_WAIT:
      return true;
    case State.BACKOFF:
    case State.FAILED:
      return !isWanted(entry);
    default:
      return false;
  }
}

/** Whether an owner created the entry and has not given it up; it may still wait. */
export function isActive(entry: Entry): boolean {
  return entry.state !== State.TEMP && !isDeleted(entry);
}

/** Whether a request of this entry is at the sink. */
export function isOutstanding(entry: Entry): boolean {
  switch (entry.state) {
    case State.SYNC_WAIT:
    case State.NEED_SYNC:
    case State.DEL_DEFER_SYNC:
    case State.DEL_DEFER_DEL_ACK:
    case State.DEL_ACK_WAIT:
    case State.RENEW_WAIT:
      return true;
    default:
      return false;
  }
}

/** Whether the entry waits for a dependency. */
export function isDeferred(entry: Entry): boolean {
  return entry.state === State.ADD_DEFER || entry.state === State.CHANGE_DEFER;
}

/** Whether what is believed can be relied on: the sink is there and was scanned. */
export function isTrusted(entry: Entry): boolean {
  return entry.container.open || (entry.flags & Flag.FOUND) !== 0;
}

/** Whether nothing of this entry is in the sink, for certain. */
export function isAbsent(entry: Entry): boolean {
  return entry.believed === null && isTrusted(entry);
}

const NO_ANSWER = new Error("No answer came");

/** Why the last attempt failed. */
export function lastErrorOf(entry: Entry): Error {
  return entry.trouble?.error ?? NO_ANSWER;
}

/** How many attempts have failed since the last success. */
export function attemptsOf(entry: Entry): number {
  return entry.trouble?.attempts ?? 0;
}

const NOBODY: readonly Entry[] = Object.freeze([]);

/** What the entry refers to. */
export function dependenciesOf(entry: Entry): readonly Entry[] {
  return entry.links?.deps ?? NOBODY;
}

/** Who refers to the entry, in the order in which they came. */
export function referrersOf(entry: Entry): Iterable<Entry> {
  return entry.links?.referrers ?? NOBODY;
}

/** Who waits for the entry, first waiting first. */
export function waitersOf(entry: Entry): Iterable<Entry> {
  return entry.links?.waiters ?? NOBODY;
}

/** Whether a reference to the entry is held from outside the engine. */
export function isHeldFromOutside(entry: Entry): boolean {
  return entry.links !== undefined && entry.links.holds > 0;
}

/** The entry's trouble, made when it first has some. */
export function troubleOf(entry: Entry): Trouble {
  return entry.trouble ??= new Trouble();
}
