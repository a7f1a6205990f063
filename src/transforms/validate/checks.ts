/**
 * What a change must look like to become a row.
 *
 * @module
 */
import type { Change } from "../../core/change.ts";
import { escapeControls } from "../../core/escape.ts";

/** Why a change is refused. */
export interface Refusal {
  /** Part of a number's name. */
  readonly counter: "name" | "interface" | "field";
  /** For people. */
  readonly message: string;
}

/** The largest number that a link's MTU has room for. */
const MAX_MTU = 2 ** 32 - 1;

// A separator of keys, or what could move a cursor, split a line or hide.
// deno-lint-ignore no-control-regex -- control characters are what this looks for
const UNFIT = /[|\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** A test of one field's value, and what it should be. */
type Rule = readonly [fits: (value: string) => boolean, expected: string];

const UP_OR_DOWN: Rule = [(value) => value === "up" || value === "down", "up or down"];

/** The fields of portsyncd; see `specs/sonic-db.md` §3.3. Others pass. */
const RULES: ReadonlyMap<string, Rule> = new Map([
  ["state", [(value) => value === "ok", "ok"]],
  ["netdev_oper_status", UP_OR_DOWN],
  ["admin_status", UP_OR_DOWN],
  ["mtu", [isMtu, `a number up to ${MAX_MTU}`]],
]);

/**
 * Checks one change.
 *
 * @param isWanted whether the spec wants ports of that name
 * @returns `undefined` when nothing speaks against it
 */
export function checkChange(
  change: Change,
  isWanted: (name: string) => boolean,
): Refusal | undefined {
  const { key, fields } = change;
  if (key === "" || UNFIT.test(key) || !key.isWellFormed()) {
    return { counter: "name", message: `"${escapeControls(key)}" is no name for a key` };
  }
  if (!isWanted(key)) {
    return { counter: "interface", message: `${escapeControls(key)} matches no pattern` };
  }
  for (const name in fields) {
    const rule = RULES.get(name);
    const value = fields[name] ?? "";
    if (rule === undefined || rule[0](value)) continue;
    return {
      counter: "field",
      message: `${name} of ${escapeControls(key)} should be ${rule[1]} and is ` +
        `"${escapeControls(value.slice(0, 40))}"`,
    };
  }
  return undefined;
}

/** A decimal number without sign and without leading zeros, as the kernel's are written. */
function isMtu(value: string): boolean {
  return /^(0|[1-9]\d{0,9})$/.test(value) && Number(value) <= MAX_MTU;
}
