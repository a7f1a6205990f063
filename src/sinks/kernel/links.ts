/**
 * The links that there are, by index and by name, as rows of this sink.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import {
  LINK_BYTE,
  LINK_WORD,
  LINK_WORDS,
  PS_DUMP_BEGIN,
  PS_LINK_GONE,
} from "../../../ffi/records.gen.ts";
import { type RecordView, Texts } from "../../../ffi/texts.ts";

const IFF_UP = 0x1;

/** A link as far as this sink can change it. */
export interface Link {
  /** Its identity, which outlives its name. */
  readonly ifindex: number;
  /** `undefined` where the kernel's name is no text, so that no key can mean it. */
  readonly name: string | undefined;
  /** The admin state. */
  readonly up: boolean;
  /** Bytes. */
  readonly mtu: number;
  /** The index of its bridge or bond; 0 for none. */
  readonly master: number;
  /** What it is, such as `bridge`; empty for a device. */
  readonly kind: string;
}

/** Names of links that are different, and whether each has just appeared. */
export type LinkNews = Map<string, boolean>;

/** Follows link records. It has no socket and no clock. */
export class Links {
  readonly #links = new Map<number, Link>();
  readonly #byName = new Map<string, Link>();
  readonly #texts = new Texts();
  /** Links that the dump under way has named. */
  #named: Set<number> | undefined;

  /** How many there are. */
  get size(): number {
    return this.#links.size;
  }

  /** The names of all links. */
  names(): Iterable<string> {
    return this.#byName.keys();
  }

  /** The link that has this name now. */
  find(name: string): Link | undefined {
    return this.#byName.get(name);
  }

  /** A link as a row: `admin_status`, `mtu` and `master`; `undefined` when there is none. */
  row(name: string): Fields | undefined {
    const link = this.#byName.get(name);
    if (link === undefined) return undefined;
    const master = link.master === 0 ? "" : this.#links.get(link.master)?.name;
    return {
      admin_status: link.up ? "up" : "down",
      mtu: String(link.mtu),
      // Its master may be in another namespace; the index then is all there is to say.
      master: master ?? `#${link.master}`,
    };
  }

  /** The entries of a dump follow. */
  beginDump(): void {
    this.#named = new Set();
  }

  /** The dump ended without being complete: what it did not name may still be there. */
  breakDump(): void {
    this.#named = undefined;
  }

  /** The dump was complete: what it did not name is gone. */
  endDump(news: LinkNews): void {
    for (const link of [...this.#links.values()]) {
      if (!this.#named?.has(link.ifindex)) this.#remove(link, news);
    }
    this.#named = undefined;
    // A bridge may stand behind its ports in a dump; their rows say its name from now on.
    for (const { master, name } of this.#links.values()) {
      const above = master === 0 ? undefined : this.#links.get(master)?.name;
      if (name !== undefined && above !== undefined && news.has(above)) note(news, name, false);
    }
  }

  /** Applies the link record at a place of the view, and notes what is different. Marks are left out. */
  apply(view: RecordView, place: number, news: LinkNews): void {
    const word = place * LINK_WORDS;
    const type = view.words[word] ?? 0;
    if (type >= PS_DUMP_BEGIN) return;
    const next = this.#read(view, word);
    const known = this.#links.get(next.ifindex);
    if (type === PS_LINK_GONE) {
      if (known !== undefined) this.#remove(known, news);
      return;
    }
    this.#named?.add(next.ifindex);
    if (known !== undefined && isSame(known, next)) return;
    this.#links.set(next.ifindex, next);
    if (known?.name !== next.name) this.#rename(known, next, news);
    else if (next.name !== undefined) {
      this.#byName.set(next.name, next);
      note(news, next.name, false);
    }
  }

  #rename(known: Link | undefined, next: Link, news: LinkNews): void {
    if (known !== undefined) this.#release(known, news);
    if (next.name !== undefined) {
      this.#byName.set(next.name, next);
      note(news, next.name, true);
    }
    // The rows of its ports say its name. A link that is new has none yet.
    if (known !== undefined) this.#noteMembers(next.ifindex, news);
  }

  #remove(link: Link, news: LinkNews): void {
    this.#links.delete(link.ifindex);
    this.#named?.delete(link.ifindex);
    this.#release(link, news);
  }

  /** Takes its name from a link, unless another link has it already. */
  #release({ ifindex, name }: Link, news: LinkNews): void {
    if (name === undefined || this.#byName.get(name)?.ifindex !== ifindex) return;
    this.#byName.delete(name);
    news.set(name, false);
  }

  #noteMembers(ifindex: number, news: LinkNews): void {
    for (const { master, name } of this.#links.values()) {
      if (master === ifindex && name !== undefined) note(news, name, false);
    }
  }

  #read({ words, bytes }: RecordView, word: number): Link {
    const byte = word * 4;
    const text = (field: number, size: number) =>
      this.#texts.read(words, bytes, word + field, bytes[byte + size] ?? 0);
    const name = text(LINK_WORD.name, LINK_BYTE.nameSize);
    return {
      ifindex: words[word + LINK_WORD.ifindex] ?? 0,
      name: name.valid ? name.text : undefined,
      up: ((words[word + LINK_WORD.flags] ?? 0) & IFF_UP) !== 0,
      mtu: words[word + LINK_WORD.mtu] ?? 0,
      master: words[word + LINK_WORD.master] ?? 0,
      kind: text(LINK_WORD.kind, LINK_BYTE.kindSize).text,
    };
  }
}

function isSame(one: Link, other: Link): boolean {
  return one.name === other.name && one.up === other.up && one.mtu === other.mtu &&
    one.master === other.master && one.kind === other.kind;
}

/** A link that has appeared stays one that has, whatever else happens to it in the same turn. */
function note(news: LinkNews, name: string, appeared: boolean): void {
  news.set(name, appeared || news.get(name) === true);
}
