/**
 * Which links there are, and how a record about one becomes changes of rows.
 *
 * A link is its ifindex; its name is only a property. So a rename is a deletion of the old row and
 * a new row, unless the old name has another owner already, as when two links exchange names.
 *
 * @module
 */
import type { Change, Fields } from "../../core/change.ts";
import { LINK_BYTE, LINK_WORD, PS_LINK_GONE } from "../../../ffi/records.gen.ts";
import { type RecordView, type Text, Texts } from "../../../ffi/texts.ts";
import { type ExtraField, FieldsOf, type LastFields } from "./link_fields.ts";

/** The table of every change from here. */
export const PORT_TABLE = "PORT_TABLE";

/** `team` as a word of a record: such links are teamsyncd's, which writes LAG_TABLE. */
const TEAM = 0x6d616574;
const NO_FIELDS: Fields = Object.freeze({});

/** What a table is for. */
export interface LinkTableOptions {
  /** Whether a name is followed; default every name. */
  readonly follows?: (name: string) => boolean;
  /** Fields to add to the four of portsyncd. */
  readonly extraFields?: readonly ExtraField[];
  /** Called once for each link whose name cannot be a key; the text is safe to print. */
  readonly onRejected?: (name: string, ifindex: number) => void;
}

interface Link {
  readonly ifindex: number;
  /** The name's words, to see at once whether it is still the same. */
  a: number;
  b: number;
  c: number;
  d: number;
  /** Key of its row; `undefined` for a link that has none: not followed, rejected, a team. */
  key: string | undefined;
  /** The last dump that named it. */
  dump: number;
  readonly last: LastFields;
}

/** Turns link records into changes. It has no socket and no clock. */
export class LinkTable {
  readonly #links = new Map<number, Link>();
  /** The ifindex of the link that has this key. */
  readonly #owners = new Map<string, number>();
  /** Keys that lost their owner during a dump: another entry of it may take them up. */
  readonly #orphans = new Map<string, number>();
  readonly #texts = new Texts();
  readonly #fieldsOf: FieldsOf;
  readonly #follows: (name: string) => boolean;
  readonly #onRejected: (name: string, ifindex: number) => void;
  #dump = 0;
  #dumping = false;

  constructor(options: LinkTableOptions = {}) {
    this.#follows = options.follows ?? (() => true);
    this.#onRejected = options.onRejected ?? (() => {});
    this.#fieldsOf = new FieldsOf(options.extraFields ?? [], this.#texts);
  }

  /** Links that are known, those without a row included. */
  get size(): number {
    return this.#links.size;
  }

  /** Rows that exist. */
  get rows(): number {
    return this.#owners.size;
  }

  /** The entries of a dump follow. */
  beginDump(): void {
    this.#dump++;
    this.#dumping = true;
  }

  /** The dump ended without being complete: what it did not name may still be there. */
  breakDump(): void {
    this.#dumping = false;
  }

  /** The dump was complete: links that it did not name are gone. `time` is for their changes. */
  endDump(time: number, changes: Change[]): void {
    this.#dumping = false;
    for (const link of this.#links.values()) {
      if (link.dump === this.#dump) continue;
      this.#links.delete(link.ifindex);
      this.#release(link, time, "resync", changes);
    }
    for (const [key, ifindex] of this.#orphans) {
      if (!this.#owners.has(key)) changes.push(deletion(key, time, ifindex, "resync"));
    }
    this.#orphans.clear();
  }

  /** Applies the link record that begins at a word of the view, and appends what changes. */
  apply(view: RecordView, word: number, changes: Change[]): void {
    const { words } = view;
    const ifindex = words[word + LINK_WORD.ifindex] ?? 0;
    const known = this.#links.get(ifindex);
    const time = timeOf(words, word);
    if (words[word] === PS_LINK_GONE) {
      if (known === undefined) return;
      this.#links.delete(ifindex);
      this.#release(known, time, "deleted", changes);
      return;
    }
    const link = known ?? this.#add(ifindex);
    let cause = this.#dumping ? "dump" : undefined;
    if (
      link.a !== words[word + LINK_WORD.name] || link.b !== words[word + LINK_WORD.name + 1] ||
      link.c !== words[word + LINK_WORD.name + 2] || link.d !== words[word + LINK_WORD.name + 3]
    ) {
      this.#rename(link, view, word, time, changes);
      if (known !== undefined) cause = "rename";
    }
    link.dump = this.#dump;
    if (link.key === undefined) return;
    const fields = this.#fieldsOf.read(view, word, link.last);
    changes.push(
      cause === undefined
        ? { op: "set", table: PORT_TABLE, key: link.key, fields, time, id: ifindex }
        : { op: "set", table: PORT_TABLE, key: link.key, fields, time, id: ifindex, cause },
    );
  }

  #add(ifindex: number): Link {
    const last = this.#fieldsOf.remember();
    const link = { ifindex, a: 0, b: 0, c: 0, d: 0, key: undefined, dump: this.#dump, last };
    this.#links.set(ifindex, link);
    return link;
  }

  #rename(link: Link, view: RecordView, word: number, time: number, changes: Change[]): void {
    const { words, bytes } = view;
    const start = word + LINK_WORD.name;
    link.a = words[start] ?? 0;
    link.b = words[start + 1] ?? 0;
    link.c = words[start + 2] ?? 0;
    link.d = words[start + 3] ?? 0;
    this.#release(link, time, "rename", changes);
    const size = bytes[word * 4 + LINK_BYTE.nameSize] ?? 0;
    const name = this.#texts.read(words, bytes, start, size);
    const isTeam = words[word + LINK_WORD.kind] === TEAM && words[word + LINK_WORD.kind + 1] === 0;
    link.key = isTeam ? undefined : this.#keyOf(name, link.ifindex);
    if (link.key !== undefined) this.#take(link.key, link.ifindex);
  }

  /**
   * Gives a key to a link. A link that had it has another name by now, though we did not hear of
   * that: its next message must be read anew even if it says the name that we know.
   */
  #take(key: string, ifindex: number): void {
    const before = this.#owners.get(key);
    this.#owners.set(key, ifindex);
    const robbed = before === undefined ? undefined : this.#links.get(before);
    if (robbed === undefined) return;
    robbed.key = undefined;
    robbed.a =
      robbed.b =
      robbed.c =
      robbed.d =
        0;
  }

  /** The key for a name, or nothing when the name is not followed or cannot be one. */
  #keyOf(name: Text, ifindex: number): string | undefined {
    // `|` separates table and key in Redis; the kernel itself forbids `:` and `/`.
    if (!name.valid || name.text.includes("|")) {
      this.#onRejected(name.text, ifindex);
      return undefined;
    }
    return this.#follows(name.text) ? name.text : undefined;
  }

  /** Takes its row from a link, unless another link has taken it already. */
  #release({ key, ifindex }: Link, time: number, cause: string, changes: Change[]): void {
    if (key === undefined || this.#owners.get(key) !== ifindex) return;
    this.#owners.delete(key);
    if (this.#dumping) this.#orphans.set(key, ifindex);
    else changes.push(deletion(key, time, ifindex, cause));
  }
}

function deletion(key: string, time: number, id: number, cause: string): Change {
  return { op: "delete", table: PORT_TABLE, key, fields: NO_FIELDS, time, id, cause };
}

/** When a record arrived, in milliseconds since the epoch. */
export function timeOf(words: Uint32Array, word: number): number {
  return (words[word + LINK_WORD.seconds] ?? 0) * 1000 +
    (words[word + LINK_WORD.nanoseconds] ?? 0) / 1e6;
}
