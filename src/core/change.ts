/**
 * The data that flows through a pipeline: changes go forward in batches, receipts come back.
 *
 * @module
 */

/** The fields of a row. Values are text, as Redis stores them. */
export type Fields = Readonly<Record<string, string>>;

/** One row set or deleted. */
export interface Change {
  /** `set` carries the row's fields, `delete` removes the whole row. */
  readonly op: "set" | "delete";
  /** The table's name without separator, for example `PORT_TABLE`. */
  readonly table: string;
  /** The row's key inside its table, for example `Ethernet0`. */
  readonly key: string;
  /** The fields of a set, all those that this source owns; empty for a delete. */
  readonly fields: Fields;
  /** Names of fields that a set takes away from the row. */
  readonly removed?: readonly string[];
  /** When the source learnt of it: milliseconds since the epoch, with fractions. */
  readonly time: number;
  /** The object's identity where it outlives its key: the ifindex of a link. */
  readonly id?: number;
  /** Why this change exists, for people: `rename`, `resync`, a request's id. */
  readonly cause?: string;
}

/**
 * A turn in the source's stream.
 *
 * - `dump-begin`: every row that exists follows, before the batch's own changes.
 * - `dump-end`: the dump was complete, after the batch's own changes; what was not named is gone.
 * - `lost`: events were lost before the batch's own changes; a dump follows.
 */
export type Mark = "dump-begin" | "dump-end" | "lost";

/** An ordered list of changes and at most one mark. */
export interface Batch {
  /** In the order in which they happened. */
  readonly changes: readonly Change[];
  /** Whether it holds before or after the changes is the mark's own rule. */
  readonly mark?: Mark;
}

/** What became of one change. */
export type Receipt =
  | { readonly outcome: "applied" }
  | { readonly outcome: "superseded" }
  | { readonly outcome: "rejected"; readonly error: Error }
  | { readonly outcome: "deferred"; readonly reason: string };

/** The sink holds the change, or the sink already held an equal row. */
export const APPLIED: Receipt = Object.freeze({ outcome: "applied" });

/** A newer change of the same key took this one's place before it was written. */
export const SUPERSEDED: Receipt = Object.freeze({ outcome: "superseded" });

/** The stage has taken the change over; nothing more will be said about it. */
export const ACCEPTED: Receipt = Object.freeze({ outcome: "deferred", reason: "accepted" });

/** A receipt for a change that will never be applied. */
export function rejected(error: Error): Receipt {
  return { outcome: "rejected", error };
}

/** A receipt for a change that waits. */
export function deferred(reason: string): Receipt {
  return { outcome: "deferred", reason };
}
