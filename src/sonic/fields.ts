/**
 * Rows as Redis sends them.
 *
 * @module
 */
import type { Fields } from "../core/change.ts";
import { ReconnectError } from "../core/errors.ts";
import type { Reply } from "../redis/codec/reply.ts";

/**
 * The fields of an HGETALL reply; `undefined` when there is no row.
 *
 * @throws {ReconnectError} when the reply is none of HGETALL
 */
export function readFields(reply: Reply | undefined): Fields | undefined {
  if (!Array.isArray(reply) || reply.length % 2 !== 0) {
    throw new ReconnectError("HGETALL was answered with something else than fields");
  }
  if (reply.length === 0) return undefined;
  const fields: Record<string, string> = {};
  for (let at = 0; at < reply.length; at += 2) {
    const name: unknown = reply[at];
    const value: unknown = reply[at + 1];
    if (typeof name !== "string" || typeof value !== "string") {
      throw new ReconnectError("HGETALL was answered with something else than texts");
    }
    setField(fields, name, value);
  }
  return fields;
}

/** Sets a field of any name. */
export function setField(fields: Record<string, string>, name: string, value: string): void {
  if (name !== "__proto__") fields[name] = value;
  // An assignment would not make this one a field: it sets the prototype.
  else Object.defineProperty(fields, name, { value, enumerable: true, writable: true });
}

/** Whether two rows have the same fields with the same values. */
export function sameFields(one: Fields | undefined, other: Fields | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name] === other[name]);
}
