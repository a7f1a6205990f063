/**
 * The end of a container: its entries leave in bounded turns, and once the last one is gone the
 * container is told so (chapter 14).
 *
 * @module
 */
import type { Container } from "./container.ts";
import { isActive } from "./entry.ts";
import type { Machine } from "./machine.ts";
import { drop } from "./stale.ts";

/** Begins to delete every entry of a container; none is made in it from now on. */
export function removeContainer(m: Machine, container: Container): void {
  if (container.deleteScheduled) return;
  container.deleteScheduled = true;
  if (container.size === 0) {
    m.host.emptied?.(container);
    dropIfEmpty(m, container);
    return;
  }
  container.walk = [...container.keys()].reverse();
  m.walks.add(container);
}

/** Has a container dropped once it is empty, now or later. */
export function unregister(m: Machine, container: Container): void {
  container.unregistered = true;
  dropIfEmpty(m, container);
}

/** Drops a container that asked for it and is empty. */
export function dropIfEmpty(m: Machine, container: Container): void {
  if (!container.unregistered || container.size > 0) return;
  m.containers.delete(container.name);
  container.machine = undefined;
}

/** One turn of every deletion under way. */
export function walkOn(m: Machine): void {
  for (const container of m.walks) {
    for (const key of container.walk.splice(-m.options.walkPerTurn).reverse()) {
      visit(m, container, key);
    }
    if (container.walk.length === 0) m.walks.delete(container);
    dropIfEmpty(m, container);
  }
}

function visit(m: Machine, container: Container, key: string): void {
  const e = container.find(key);
  if (e === undefined || !isActive(e)) return;
  drop(m, e);
}
