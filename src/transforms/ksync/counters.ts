/**
 * What a container counts.
 *
 * @module
 */
import { itemAt } from "./item_at.ts";
import {
  type Event,
  EVENT_NAMES,
  type EventName,
  type State,
  STATE_NAMES,
  type StateName,
} from "./states.ts";

/** How many events there are: the width of a row in flat tables of the machine. */
export const EVENT_COUNT: number = EVENT_NAMES.length;

/** Numbers that only grow, and the number of entries in each state. */
export class Counters {
  /** Requests sent, by kind. */
  adds = 0;
  changes = 0;
  deletes = 0;
  /** Requests that were not needed, because the sink holds the wanted value already. */
  elided = 0;
  /** Updates that took the place of one that was not sent yet. */
  coalesced = 0;
  /** Requests sent again after a failure. */
  retries = 0;
  timeouts = 0;
  /** Answers that said "later" or "never". */
  transient = 0;
  permanent = 0;
  /** Answers whose number is not the one outstanding. */
  late = 0;
  /** Deletes of what is deleted or not there. */
  duplicates = 0;
  /** Cycles of dependencies that were closed. */
  cycles = 0;
  /** Calls that make no sense: a container of another engine, a renew of a stale entry. */
  misuse = 0;
  /** Rows adopted from the sink, and rows swept from it. */
  adopted = 0;
  swept = 0;
  /** Entries made and freed. */
  created = 0;
  freed = 0;
  /** Times that a key began to be damped. */
  damped = 0;
  /** Rows that somebody else had changed in the sink. */
  drifted = 0;
  /** Entries by state. */
  readonly states: Uint32Array = new Uint32Array(STATE_NAMES.length);
  /** Events that a state has no use for, at `state * EVENT_COUNT + event`. */
  readonly strays: Uint32Array = new Uint32Array(STATE_NAMES.length * EVENT_COUNT);

  /** An entry goes from one state to another. */
  move(from: State, to: State): void {
    this.states[from] = (this.states[from] as number) - 1;
    this.states[to] = (this.states[to] as number) + 1;
  }

  /** An entry came into a state from nowhere. */
  enter(state: State): void {
    this.states[state] = (this.states[state] as number) + 1;
  }

  /** An entry in that state is no more. */
  leave(state: State): void {
    this.states[state] = (this.states[state] as number) - 1;
  }

  /** How many entries are in a state. */
  inState(name: StateName): number {
    return itemAt(this.states, STATE_NAMES.indexOf(name));
  }

  /** An event came that the state has no use for. */
  addStray(state: State, event: Event): void {
    const at = state * EVENT_COUNT + event;
    this.strays[at] = (this.strays[at] as number) + 1;
  }

  /** Stray events of a kind in a state, or all of them. */
  strayEvents(state?: StateName, event?: EventName): number {
    let sum = 0;
    this.strays.forEach((count, at) => {
      const matches =
        (state === undefined || STATE_NAMES[Math.trunc(at / EVENT_COUNT)] === state) &&
        (event === undefined || EVENT_NAMES[at % EVENT_COUNT] === event);
      if (matches) sum += count;
    });
    return sum;
  }
}
