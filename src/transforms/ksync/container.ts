/**
 * One table: its entries, its options and its counts.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import { Counters } from "./counters.ts";
import type { Entry } from "./entry.ts";
import type { NumericFields } from "./fields.ts";
import { IndexAllocator } from "./index_allocator.ts";
import { itemAt } from "./item_at.ts";
import type { Machine } from "./machine.ts";

/** A key of some container. */
export interface Reference {
  readonly table: string;
  readonly key: string;
}

/** What differs from table to table. All is optional; the default is the KSync library's way. */
export interface ContainerOptions {
  /** Whether a row of the sink is ours to adopt and to sweep. No row is when left out. */
  readonly owns?: ((key: string, fields: Fields) => boolean) | undefined;
  /** Fields that are ours in every row, also where no value of ours names them. */
  readonly ownFields?: ReadonlySet<string> | undefined;
  readonly numericFields?: NumericFields;
  /** What a row depends on. */
  readonly dependencies?: ((key: string, fields: Fields) => readonly Reference[]) | undefined;
  /** Whether others may refer to a row that is in the sink; always when left out. */
  readonly isDataResolved?: ((believed: Fields, key: string) => boolean) | undefined;
  /** False: every delete must reach the sink, even of a row never sent. */
  readonly compressDeletes?: boolean | undefined;
  /** False: nothing can depend on this table, so nobody is woken. */
  readonly wakesWaiters?: boolean | undefined;
  /** Numbers for entries: from the engine, lowest first, or from the sink's answers. */
  readonly index?:
    | { readonly allocate: "engine"; readonly max: number }
    | { readonly allocate: "sink" }
    | undefined;
  /** Whether the sink's rows are unknown until it was scanned. */
  readonly needsScan?: boolean | undefined;
}

/** One table of entries. */
export class Container {
  readonly name: string;
  /** Whether a row of the sink is ours; see `own` in `stale.ts` for a later change of mind. */
  owns: ((key: string, fields: Fields) => boolean) | undefined;
  readonly ownFields: ReadonlySet<string> | undefined;
  readonly numericFields: NumericFields;
  readonly dependencies: ((key: string, fields: Fields) => readonly Reference[]) | undefined;
  readonly isDataResolved: ((believed: Fields, key: string) => boolean) | undefined;
  readonly compresses: boolean;
  readonly wakesWaiters: boolean;
  readonly indexes: IndexAllocator | undefined;
  readonly needsIndex: boolean;
  /** Entries that wait for an index to be given back. */
  readonly starving = new Set<Entry>();
  readonly entries = new Map<string, Entry>();
  readonly counters: Counters = new Counters();
  /** The engine that the container belongs to, until it is dropped. */
  machine: Machine | undefined;
  /** Whether the sink is there and its rows are known: only then is anything written. */
  open: boolean;
  /** Entries that nobody claimed since they were found, or that the last dump left out. */
  readonly stale = new Set<Entry>();
  /** Rows that the last scan found and no entry stands for; their fields while these are fresh. */
  readonly others = new Map<string, Fields | undefined>();
  /** Somebody else has taken rows or fields away: all of it is to be read again. */
  robbed = false;
  /** Entries leave, none comes any more. */
  deleteScheduled = false;
  /** To be dropped as soon as it is empty. */
  unregistered = false;
  /** The keys that a deletion has still to visit, last first. */
  walk: string[] = [];
  /**
   * Called when an entry was freed, or nobody owns it any more: whoever attached something to it
   * lets go. It must not call the engine.
   */
  onDetached: ((entry: Entry) => void) | undefined;
  #sorted: readonly string[] | undefined;

  constructor(machine: Machine, name: string, options: ContainerOptions) {
    this.machine = machine;
    this.name = name;
    this.owns = options.owns;
    this.ownFields = options.ownFields;
    this.numericFields = options.numericFields;
    this.dependencies = options.dependencies;
    this.isDataResolved = options.isDataResolved;
    this.compresses = options.compressDeletes ?? true;
    this.wakesWaiters = options.wakesWaiters ?? true;
    this.needsIndex = options.index !== undefined;
    this.indexes = options.index?.allocate === "engine"
      ? new IndexAllocator(options.index.max)
      : undefined;
    this.open = !(options.needsScan ?? false);
  }

  /** How many entries there are. */
  get size(): number {
    return this.entries.size;
  }

  /** The entry of a key. */
  find(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  /** The first entry, or the successor of a key in key order, for walks that can be resumed. */
  next(after?: string): Entry | undefined {
    const keys = this.keys();
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (after === undefined || itemAt(keys, middle) > after) high = middle;
      else low = middle + 1;
    }
    const key = keys[low];
    return key === undefined ? undefined : this.entries.get(key);
  }

  /** All keys in order. */
  keys(): readonly string[] {
    return this.#sorted ??= [...this.entries.keys()].sort();
  }

  /** Puts an entry under its key. */
  insert(entry: Entry): void {
    this.entries.set(entry.key, entry);
    this.#sorted = undefined;
  }

  /** Takes an entry out. */
  remove(entry: Entry): void {
    this.entries.delete(entry.key);
    this.#sorted = undefined;
  }
}
