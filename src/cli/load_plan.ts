/**
 * From the operator's words to a checked spec and to a plan, for every command that takes a spec.
 *
 * @module
 */
import type { Definition } from "../core/component.ts";
import { eventSinks, reconcilers, sources, stateSinks, transforms } from "../registry.ts";
import { check, type Checked } from "../spec/check.ts";
import { readSpec } from "../spec/load.ts";
import { thisMachine } from "../spec/machine.ts";
import { LIBRARY } from "../spec/programs.ts";
import { resolve, type Resolved } from "../spec/resolve.ts";

/** A spec as the command line names it. */
export interface SpecWords {
  /** As the operator gave it. */
  readonly file: string;
  /** The values of `--set`. */
  readonly overrides: readonly string[];
}

/** Everything that one spec makes of this machine. */
export interface Loaded extends Resolved {
  /** The spec before it was resolved. */
  readonly checked: Checked;
}

/**
 * Reads and checks a spec, with this process's environment.
 *
 * @throws {SpecError} with all that is wrong
 */
export async function loadChecked({ file, overrides }: SpecWords): Promise<Checked> {
  const source = await readSpec(file);
  return await check(source, { environment: thisMachine().environment, overrides });
}

/**
 * Reads, checks and resolves a spec.
 *
 * @throws {SpecError} with all that is wrong
 * @throws {StopError} when the native library is missing, or files of root's can be changed by others
 */
export async function loadPlan(words: SpecWords): Promise<Loaded> {
  const checked = await loadChecked(words);
  const resolved = await resolve(checked, {
    machine: thisMachine(),
    definition: findDefinition,
    library: LIBRARY,
  });
  return { ...resolved, checked };
}

/** The definition of a component that the schema knows, from the registry. */
export async function findDefinition(
  kind: Definition["kind"],
  type: string,
): Promise<Definition> {
  const tables = {
    source: [sources],
    transform: [transforms, reconcilers],
    sink: [stateSinks, eventSinks],
  };
  for (const table of tables[kind]) {
    const entry = Object.hasOwn(table, type) ? table[type] : undefined;
    if (entry !== undefined) return (await entry.definition()).definition;
  }
  throw new TypeError(`The registry has no ${kind} ${type}`);
}
