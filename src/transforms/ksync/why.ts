/**
 * What the engine makes of a key, in words.
 *
 * @module
 */
import { age } from "../../core/age.ts";
import type { Fields } from "../../core/change.ts";
import { escapeControls } from "../../core/escape.ts";
import type { Engine } from "./engine.ts";
import {
  attemptsOf,
  type Entry,
  Flag,
  isTrusted,
  isWanted,
  lastErrorOf,
  nameOf,
  referrersOf,
  waitersOf,
} from "./entry.ts";
import { EVENT_NAMES, Hold, HOLD_NAMES, State, STATE_NAMES } from "./states.ts";

/** How many links of a chain of dependencies are spelt out. */
const CHAIN = 8;

/** One line: the state, since when, and what the entry waits for. */
export function why(engine: Engine, e: Entry): string {
  const since = age(engine.now - engine.since(e));
  return `${STATE_NAMES[e.state]} ${since}: ${reason(engine, e)}`;
}

/** Whether nothing but the sink holds an entry up: it has a request, or is away, or is full. */
export function waitsForSink(e: Entry): boolean {
  switch (e.state) {
    case State.SYNC_WAIT:
    case State.NEED_SYNC:
    case State.DEL_DEFER_SYNC:
    case State.DEL_ACK_WAIT:
    case State.DEL_DEFER_DEL_ACK:
    case State.RENEW_WAIT:
      return true;
    case State.BACKOFF:
      return e.hold === Hold.WINDOW || e.hold === Hold.SINK;
    default:
      return false;
  }
}

/** Everything that is known of an entry, as lines for people. */
export function explain(engine: Engine, e: Entry): string[] {
  const lines = [`${nameOf(e)} ${why(engine, e)}`];
  lines.push(`desired: ${isWanted(e) ? text(e.desired) : "no row"}`);
  lines.push(`believed: ${believedText(e)}`);
  if (e.index >= 0) lines.push(`index: ${e.index}`);
  const waiters = Array.from(waitersOf(e), nameOf);
  if (waiters.length > 0) lines.push(`waited for by: ${shortened(waiters)}`);
  const referrers = Array.from(referrersOf(e), nameOf);
  if (referrers.length > 0) lines.push(`referred to by: ${shortened(referrers)}`);
  const failed = attemptsOf(e);
  if (failed > 0 || e.state === State.FAILED) {
    lines.push(`last error: ${lastErrorOf(e).message} (failed attempts: ${failed})`);
  }
  for (const { time, from, to, event, hold } of engine.history(e)) {
    const held = hold === Hold.NONE ? "" : ` (${HOLD_NAMES[hold]})`;
    lines.push(
      `${age(engine.now - time)} ago: ${STATE_NAMES[from]} → ${STATE_NAMES[to]}${held} by ` +
        EVENT_NAMES[event],
    );
  }
  return lines.map(escapeControls);
}

function reason(engine: Engine, e: Entry): string {
  switch (e.state) {
    case State.ADD_DEFER:
    case State.CHANGE_DEFER:
      return `waits for ${chain(e)}`;
    case State.IN_SYNC:
      return (e.flags & Flag.STALE) === 0
        ? "the sink holds what is desired"
        : "found in the sink, and no source has named it yet";
    case State.SYNC_WAIT:
    case State.NEED_SYNC:
    case State.DEL_DEFER_SYNC:
      return `a write is ${outstanding(engine, e)}${then(e)}`;
    case State.DEL_ACK_WAIT:
    case State.DEL_DEFER_DEL_ACK:
    case State.RENEW_WAIT:
      return `a delete is ${outstanding(engine, e)}${then(e)}`;
    case State.DEL_DEFER_REF:
      return `its delete waits for ${holders(e)}`;
    case State.BACKOFF:
      return held(engine, e);
    case State.FAILED:
      return `set aside: ${lastErrorOf(e).message}`;
    default: // TEMP; the others are never seen from outside
      return "nobody owns it, others refer to it";
  }
}

function outstanding(engine: Engine, e: Entry): string {
  return `outstanding for ${age(engine.now - engine.sentAt(e))}`;
}

function then(e: Entry): string {
  switch (e.state) {
    case State.NEED_SYNC:
      return ", a newer value follows";
    case State.DEL_DEFER_SYNC:
    case State.DEL_DEFER_DEL_ACK:
      return ", a delete follows";
    case State.RENEW_WAIT:
      return ", then it is added again";
    default:
      return "";
  }
}

function held(engine: Engine, e: Entry): string {
  const what = isWanted(e) ? "a write" : "a delete";
  switch (e.hold) {
    case Hold.WINDOW:
      return `${what} waits for a free slot, ${engine.inFlight} requests are outstanding`;
    case Hold.SINK:
      return `${what} waits for the sink to be back and read`;
    case Hold.QUIET:
      return `${what} waits ${dueIn(engine, e)} for further changes`;
    case Hold.DAMPED:
      return `it changes too often; ${what} waits ${dueIn(engine, e)}`;
    default:
      return `attempt ${attemptsOf(e) + 1} of ${what} in ` +
        `${dueIn(engine, e)}, after: ${lastErrorOf(e).message}`;
  }
}

function dueIn(engine: Engine, e: Entry): string {
  return age(engine.dueOf(e) - engine.now);
}

function chain(e: Entry): string {
  const seen = new Set([e]);
  const names: string[] = [];
  for (let at = e.links?.waitsFor; at !== undefined; at = at.links?.waitsFor) {
    const owner = isWanted(at) ? "" : ", no owner";
    names.push(`${nameOf(at)} (${STATE_NAMES[at.state]}${owner})`);
    if (seen.has(at)) return `${names.join(", which waits for ")}: a circle`;
    if (names.length === CHAIN) break;
    seen.add(at);
  }
  return names.join(", which waits for ");
}

function holders(e: Entry): string {
  const names = Array.from(referrersOf(e), nameOf);
  return names.length === 0 ? "a reference from outside" : shortened(names);
}

function shortened(names: readonly string[]): string {
  const rest = names.length - CHAIN;
  return names.slice(0, CHAIN).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

function believedText(e: Entry): string {
  if (e.believed === undefined) return "unknown";
  const known = e.believed === null ? "no row" : text(e.believed);
  return isTrusted(e) ? known : `${known}, as last known`;
}

function text(fields: Fields): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return parts.join(" ") || "no fields";
}
