/**
 * Which rows of a shared table a pipeline may remove when no link stands behind them.
 *
 * @module
 */
import type { ComponentConfig, PipelineShape } from "../core/component.ts";
import { compileGlobs } from "../core/glob.ts";
import { SettingError } from "../core/setting_error.ts";
import { overlap } from "./overlap.ts";
import { isMapping } from "./tree.ts";

/** The field that every row of a link source carries, and no row of another daemon. */
const OWN_FIELD = "state";

/** The field that every row of a snapshot carries. */
const SNAPSHOT_FIELD = "hash";

/** The sources whose rows are links. */
const LINK_SOURCES: ReadonlySet<string> = new Set(["netlink", "replay"]);

/** Rows that are ours: the key matches one of `keys`, if given, and the row carries `field`. */
export interface Ownership {
  readonly keys?: readonly string[];
  readonly field: string;
  /** What else the spec says of ownership. */
  readonly [option: string]: unknown;
}

/**
 * The ownership of a pipeline whose spec does not say it: what its source sends and its `validate`
 * lets through; of a source of snapshots, every row of theirs. A name with a dot is a sub-interface and belongs to intfmgrd, so no pattern with a
 * dot is taken over.
 *
 * @returns undefined where nothing is owned, so that nothing is ever swept
 * @throws {SettingError} where the patterns of source and `validate` cannot be put together
 */
export function deriveOwnership(
  ksync: ComponentConfig,
  pipeline: PipelineShape,
): Ownership | undefined {
  const given = ksync["owns"];
  const stated = isMapping(given) ? given : {};
  const isSnapshot = pipeline.source["mode"] === "poll";
  const usual = isSnapshot ? SNAPSHOT_FIELD : OWN_FIELD;
  const field = typeof stated["field"] === "string" ? stated["field"] : usual;
  const keys = texts(stated["keys"]);
  if (keys !== undefined) return { ...stated, keys, field };
  if (!LINK_SOURCES.has(pipeline.source.type)) {
    // A table of snapshots is the source's own; whatever else a source writes, only a spec can say.
    return isSnapshot || stated["field"] !== undefined ? { ...stated, field } : undefined;
  }
  let owned = texts(pipeline.source["interfaces"]) ?? ["*"];
  for (const transform of pipeline.transforms) {
    const narrowed = transform.type === "validate" ? texts(transform["interfaces"]) : undefined;
    if (narrowed !== undefined) owned = both(owned, narrowed);
  }
  const plain = owned.filter((pattern) => !pattern.includes("."));
  return plain.length === 0 ? undefined : { ...stated, keys: plain, field };
}

/** Patterns for the names that both lists match. */
function both(left: readonly string[], right: readonly string[]): string[] {
  const result = new Set<string>();
  for (const one of left) {
    for (const other of right) {
      const narrower = meet(one, other);
      if (narrower !== undefined) result.add(narrower);
    }
  }
  return [...result];
}

function meet(one: string, other: string): string | undefined {
  if (overlap([one], [other]) === "never") return undefined;
  if (includes(one, other)) return other;
  if (includes(other, one)) return one;
  throw new SettingError(
    `Say in owns.keys which rows are ours: it does not follow from ${one} and ${other}`,
    ["owns"],
  );
}

/** Whether every name of the narrow pattern matches the wide one, as far as that is simple. */
function includes(wide: string, narrow: string): boolean {
  if (wide === narrow) return true;
  const prefix = /^([^*?[.]*)\*$/.exec(wide)?.[1];
  if (prefix !== undefined) return narrow.startsWith(prefix) && !narrow.includes(".");
  return !/[*?[]/.test(narrow) && compileGlobs([wide])(narrow);
}

function texts(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter((item) => typeof item === "string");
}
