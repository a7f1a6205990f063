/**
 * The fields of a link's row, as portsyncd writes them, and those that a spec adds.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import { LINK_BYTE, LINK_WORD } from "../../../ffi/records.gen.ts";
import type { RecordView, Texts } from "../../../ffi/texts.ts";

/** Fields that a spec can add to a row. */
export type ExtraField = "ifindex" | "mac" | "kind" | "master" | "carrier" | "operstate";

const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;

/** Rows that are alike share one object; this many are kept. */
const MOST_ROWS = 8192;

/** Names of RFC 2863, in the order of the kernel's IF_OPER_ numbers. */
const OPERSTATES = [
  "unknown",
  "notpresent",
  "down",
  "lowerlayerdown",
  "testing",
  "dormant",
  "up",
] as const;

/** Words of a record in which a difference means a different row, for each extra field. */
const WORDS_OF: Readonly<Record<ExtraField, readonly number[]>> = {
  ifindex: [],
  mac: [0, 1, 2, 3, 4, 5, 6, 7].map((word) => LINK_BYTE.mac / 4 + word),
  kind: [],
  master: [LINK_WORD.master],
  carrier: [LINK_BYTE.carrier >> 2],
  operstate: [LINK_BYTE.operstate >> 2],
};

/** What `FieldsOf` remembers of a link, so that a repeated message makes no new row. */
export interface LastFields {
  fields: Fields;
  readonly words: Uint32Array;
}

/** Makes the fields of rows. A row that has not changed comes back as the same frozen object. */
export class FieldsOf {
  readonly #extra: readonly ExtraField[];
  readonly #watched: readonly number[];
  readonly #texts: Texts;
  readonly #rows = new Map<number, Fields>();

  /** @param extra fields to add to the four of portsyncd */
  constructor(extra: readonly ExtraField[], texts: Texts) {
    this.#extra = extra;
    this.#texts = texts;
    this.#watched = [...new Set(extra.flatMap((field) => WORDS_OF[field]))];
  }

  /** What to remember of a link that was not seen before; nothing when no field is added. */
  remember(): LastFields {
    if (this.#extra.length === 0) return NOTHING;
    return { fields: NO_FIELDS, words: new Uint32Array(this.#watched.length) };
  }

  /** The fields of the link record that begins at a word. */
  read(view: RecordView, word: number, last: LastFields): Fields {
    const row = this.#row(view.words, word);
    if (this.#extra.length === 0) return row;
    let same = true;
    for (let index = 0; index < this.#watched.length; index++) {
      const now = view.words[word + (this.#watched[index] ?? 0)] ?? 0;
      if (last.words[index] !== now) {
        last.words[index] = now;
        same = false;
      }
    }
    const { mtu, admin_status, netdev_oper_status } = last.fields;
    if (
      same && mtu === row["mtu"] && admin_status === row["admin_status"] &&
      netdev_oper_status === row["netdev_oper_status"]
    ) return last.fields;
    const fields: Record<string, string> = { ...row };
    for (const name of this.#extra) fields[name] = this.#value(name, view, word);
    last.fields = Object.freeze(fields);
    return last.fields;
  }

  /** The four fields of portsyncd: few rows differ, so they are shared. */
  #row(words: Uint32Array, word: number): Fields {
    const flags = words[word + LINK_WORD.flags] ?? 0;
    const mtu = words[word + LINK_WORD.mtu] ?? 0;
    const key = mtu * 4 + (flags & IFF_UP ? 2 : 0) + (flags & IFF_RUNNING ? 1 : 0);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = Object.freeze({
      state: "ok",
      netdev_oper_status: flags & IFF_RUNNING ? "up" : "down",
      admin_status: flags & IFF_UP ? "up" : "down",
      mtu: String(mtu),
    });
    if (this.#rows.size >= MOST_ROWS) this.#rows.clear();
    this.#rows.set(key, row);
    return row;
  }

  #value(name: ExtraField, { words, bytes }: RecordView, word: number): string {
    const byte = word * 4;
    switch (name) {
      case "ifindex":
        return String(words[word + LINK_WORD.ifindex] ?? 0);
      case "master":
        return String(words[word + LINK_WORD.master] ?? 0);
      case "carrier":
        return bytes[byte + LINK_BYTE.carrier] === 1 ? "up" : "down";
      case "operstate":
        return OPERSTATES[bytes[byte + LINK_BYTE.operstate] ?? 0] ?? "unknown";
      case "mac": {
        const start = byte + LINK_BYTE.mac;
        const mac = bytes.subarray(start, start + (bytes[byte + LINK_BYTE.macSize] ?? 0));
        return Array.from(mac, (part) => part.toString(16).padStart(2, "0")).join(":");
      }
      case "kind": {
        const size = bytes[byte + LINK_BYTE.kindSize] ?? 0;
        return this.#texts.read(words, bytes, word + LINK_WORD.kind, size).text;
      }
    }
  }
}

const NO_FIELDS: Fields = Object.freeze({});
const NOTHING: LastFields = { fields: NO_FIELDS, words: new Uint32Array() };
