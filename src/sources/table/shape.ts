/**
 * From a row as SONiC stores it to the fields that a pipeline carries.
 *
 * CONFIG_DB keeps two conventions that other databases share now and then: a row without fields
 * is stored as the one field `NULL` = `NULL`, since Redis knows no empty hash, and a list is one
 * field whose name ends in `@` and whose values are joined by commas. swss-common cuts the name at
 * the `@` when it reads a row, and so does this.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import { setField } from "../../sonic/fields.ts";

/** Stands for no field, as a name and as its value. */
const NOTHING = "NULL";

/** What to make of a row. */
export interface ShapeOptions {
  /** The fields to take, by the names that a pipeline sees; all when left out. */
  readonly fields?: readonly string[] | undefined;
  /** Whether the conventions are left in. */
  readonly asStored: boolean;
}

/** Makes the function that shapes rows. */
export function shaper({ fields, asStored }: ShapeOptions): (stored: Fields) => Fields {
  const wanted = fields === undefined ? undefined : new Set(fields);
  const isWanted = (name: string) => wanted === undefined || wanted.has(name);
  return (stored) => {
    const shaped: Record<string, string> = {};
    for (const [name, value] of Object.entries(stored)) {
      if (!asStored && name === NOTHING && value === NOTHING) continue;
      const cut = asStored ? name : plainName(name);
      // Beside a plain field of the same name, a list would take its place by chance of order.
      const isHidden = cut !== name && Object.hasOwn(stored, cut);
      if (isWanted(cut) && !isHidden) setField(shaped, cut, value);
    }
    return shaped;
  };
}

function plainName(name: string): string {
  const at = name.indexOf("@");
  return at > 0 ? name.slice(0, at) : name;
}
