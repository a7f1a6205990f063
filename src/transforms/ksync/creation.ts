/**
 * How entries come into being, and how they get to know what they refer to.
 *
 * @module
 */
import { Container, type ContainerOptions, type Reference } from "./container.ts";
import { Entry, nameOf, NO_INDEX } from "./entry.ts";
import { findCycle } from "./links.ts";
import type { Machine } from "./machine.ts";
import { Event, Hold, State } from "./states.ts";

/** Makes a container. The name must be new. */
export function makeContainer(m: Machine, name: string, options: ContainerOptions): Container {
  const container = new Container(m, name, options);
  m.containers.set(name, container);
  return container;
}

/** Makes an entry in INIT; the caller raises its first event. */
export function makeEntry(m: Machine, container: Container, key: string): Entry {
  const e = new Entry(container, key, container.open ? null : undefined);
  e.trace = m.trace.take();
  e.index = container.indexes?.take() ?? NO_INDEX;
  e.generation = m.generation;
  container.insert(e);
  container.counters.created++;
  container.counters.enter(State.INIT);
  return e;
}

/** The entry of a key, or a placeholder for it. */
export function findOrPlace(m: Machine, container: Container, key: string): Entry {
  const found = container.find(key);
  if (found !== undefined) return found;
  const e = makeEntry(m, container, key);
  container.counters.move(State.INIT, State.TEMP);
  e.state = State.TEMP;
  m.trace.add(e.trace, State.INIT, State.TEMP, Event.INVALID, Hold.NONE, m.now);
  return e;
}

/**
 * The way round when these references of an entry close a circle, as names that begin and end with
 * the same; undefined when they close none. A reference to itself is no circle, see `lookUp`.
 */
export function circleOf(
  m: Machine,
  e: Entry,
  references: readonly Reference[],
): string[] | undefined {
  for (const { table, key } of references) {
    const dep = m.containers.get(table)?.find(key);
    const circle = dep === undefined || dep === e ? undefined : findCycle(e, dep);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** What a value refers to, as entries. A reference to itself is reported and left out. */
export function lookUp(m: Machine, e: Entry, references: readonly Reference[]): Entry[] {
  const deps: Entry[] = [];
  for (const { table, key } of references) {
    const dep = findOrPlace(m, containerOf(m, table), key);
    if (dep === e) {
      e.container.counters.cycles++;
      m.report("cycle", e, () => `${nameOf(e)} depends on itself, which is left out of account`);
    } else if (!deps.includes(dep)) {
      deps.push(dep);
    }
  }
  return deps;
}

function containerOf(m: Machine, name: string): Container {
  return m.containers.get(name) ?? makeContainer(m, name, m.host.openTable?.(name) ?? {});
}
