/**
 * Comparison of rows field by field.
 *
 * A row is shared with other daemons. Only fields that the source names are ours, so a comparison
 * never looks at others.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";

/** Names of fields whose values are compared as numbers: `9100` equals `9100.0`. */
export type NumericFields = ReadonlySet<string> | undefined;

/** What a write has to say. */
export interface Difference {
  readonly fields: Fields;
  readonly removed: readonly string[];
}

/** No names. */
export const NONE: readonly string[] = Object.freeze([]);

/** The value of a field that is there. */
export function valueOf(fields: Fields, name: string): string {
  return fields[name] as string;
}

/** Whether two values of a field mean the same. */
function sameValue(
  name: string,
  left: string,
  right: string | undefined,
  numeric: NumericFields,
): boolean {
  if (left === right) return true;
  return right !== undefined && numeric !== undefined && numeric.has(name) &&
    Number(left) === Number(right);
}

/** Whether two rows hold the same fields with the same values, in whatever order. */
export function sameFields(left: Fields, right: Fields, numeric: NumericFields): boolean {
  if (left === right) return true;
  let count = 0;
  for (const name in left) {
    if (!sameValue(name, valueOf(left, name), right[name], numeric)) return false;
    count++;
  }
  for (const _ in right) count--;
  return count === 0;
}

/** What has to be written to make `from` equal to `to`. `also` names fields to remove as well. */
export function difference(
  from: Fields,
  to: Fields,
  also: ReadonlySet<string> | undefined,
  numeric: NumericFields,
): Difference {
  const fields: Record<string, string> = {};
  for (const name in to) {
    const value = valueOf(to, name);
    if (!sameValue(name, value, from[name], numeric)) fields[name] = value;
  }
  let removed: string[] | undefined;
  for (const name in from) {
    if (!Object.hasOwn(to, name)) (removed ??= []).push(name);
  }
  if (also !== undefined) {
    for (const name of also) {
      if (!Object.hasOwn(to, name) && !Object.hasOwn(from, name)) (removed ??= []).push(name);
    }
  }
  return { fields, removed: removed ?? NONE };
}

/** The part of a row whose names pass; the row itself when all do. */
export function restrict(fields: Fields, keep: (name: string) => boolean): Fields {
  let whole = true;
  for (const name in fields) {
    if (!keep(name)) {
      whole = false;
      break;
    }
  }
  if (whole) return fields;
  const part: Record<string, string> = {};
  for (const name in fields) {
    if (keep(name)) part[name] = valueOf(fields, name);
  }
  return part;
}
