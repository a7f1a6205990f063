/**
 * What a sink sees of its rows without being asked: somebody else has changed one, or what kept a
 * write from succeeding is gone.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import type { Container } from "./container.ts";
import { raise } from "./dispatch.ts";
import { type Entry, Flag, isDeferred, isOutstanding } from "./entry.ts";
import { difference } from "./fields.ts";
import type { Machine } from "./machine.ts";
import { isSynced } from "./procedures.ts";
import { drop, found } from "./stale.ts";
import { Event, Hold, State } from "./states.ts";

/**
 * Takes a row as the sink holds it now; `undefined` when it is gone. What is desired wins: the
 * difference is written, as far as nothing else stands in its way.
 *
 * @param mended whether what failed before may succeed now
 */
export function observed(
  m: Machine,
  container: Container,
  key: string,
  fields: Fields | undefined,
  mended: boolean,
): void {
  const e = container.find(key);
  if (e === undefined || e.state === State.TEMP) {
    if (fields === undefined) container.others.delete(key);
    else container.others.set(key, fields);
    return;
  }
  // The answer says more than a row that may be older than the request.
  if (isOutstanding(e)) return;
  believe(m, e, fields);
  if (container.open && e.refs > 0) act(m, e, mended);
}

function believe(m: Machine, e: Entry, fields: Fields | undefined): void {
  const { container, trouble } = e;
  if (fields !== undefined) found(m, container, e.key, fields);
  else if ((e.flags & Flag.STALE) === 0) e.believed = null;
  else if (container.open) {
    // Nobody claims it, and it is gone: there is nothing left to sweep.
    e.believed = null;
    drop(m, e);
  }
  if (container.open || fields === undefined) e.flags &= ~Flag.FOUND;
  // The whole row is known.
  if (trouble !== undefined) trouble.residue = undefined;
}

function act(m: Machine, e: Entry, mended: boolean): void {
  if (isDeferred(e) || e.state === State.DEL_DEFER_REF) {
    raise(m, e, Event.SINK_UP);
  } else if ((e.flags & Flag.STALE) !== 0) {
    // Nobody stands behind it: it is swept or claimed, and not put right before.
    return;
  } else if (e.state === State.IN_SYNC) {
    if (isSynced(e)) return;
    e.container.counters.drifted++;
    m.report("drift", e, () => describe(e));
    raise(m, e, Event.ADD_CHANGE_REQ);
  } else if (mended && (e.state === State.FAILED || e.hold === Hold.RETRY)) {
    raise(m, e, Event.RETRY);
  }
}

/** How the row differs from what it shall be. */
function describe(e: Entry): string {
  if (e.believed === null || e.believed === undefined) return "it is gone";
  const { fields, removed } = difference(
    e.believed,
    e.desired,
    undefined,
    e.container.numericFields,
  );
  const row = e.believed;
  const changed = Object.entries(fields).map(([name, value]) =>
    `${name} is ${row[name] ?? "missing"} and shall be ${value}`
  );
  return [...changed, ...removed.map((name) => `${name} shall not be there`)].join(", ");
}
