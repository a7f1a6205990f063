/**
 * The rows of a table as they are, from now on: swss-common's SubscriberStateTable, done right.
 *
 * It subscribes before it reads, so nothing falls in between. It reads a row whenever anything
 * happens to its key, so `expired`, `evicted` and `rename_from` count as much as `del`. It reads
 * everything again after a reconnect, since what happened meanwhile was told to nobody. And it
 * looks every now and then where the server sends no notifications.
 *
 * @module
 */
import type { Fields } from "../core/change.ts";
import { ReconnectError } from "../core/errors.ts";
import type { RowChange } from "../core/stage.ts";
import { RedisClient } from "../redis/client.ts";
import { ErrorReply } from "../redis/codec/reply.ts";
import { replyError } from "../redis/errors.ts";
import type { LinkOptions } from "../redis/link.ts";
import { RedisSubscriber } from "../redis/subscriber.ts";
import type { Separator } from "./database_table.ts";
import { readFields, sameFields } from "./fields.ts";
import { keyOfChannel } from "./keyspace.ts";
import { Notifications } from "./notifications.ts";
import { escapeGlob, scanRows } from "./scan.ts";

/** How soon to look again when the connection was lost and made again meanwhile, milliseconds. */
const RECONNECTED_MS = 20;

/** A row of which nothing is known but that it is there. */
const PRESENT: Fields = Object.freeze({});

/** What is watched, and who is told. */
export interface TableWatchOptions {
  /** The server and the database. */
  readonly link: LinkOptions;
  /** The table's name. */
  readonly table: string;
  /** Between table and key. */
  readonly separator: Separator;
  /**
   * `table` reads and watches every row. `asked` only tells of those that `ask` names whether they
   * are there, by fields that are none: that costs the server nothing for the others, and APPL_DB
   * may hold a million routes beside its ports.
   */
  readonly scope: "table" | "asked";
  /** How often to look where there are no notifications, milliseconds. */
  readonly pollMs: number;
  /**
   * Told after each reading: what is different from the last, and whether everything that was
   * wanted has been read since the last loss. A key that was asked for is told at its first reading
   * also when it has no row.
   */
  readonly onRows: (changes: readonly RowChange[], complete: boolean) => void;
  /** Told when changes may be missed from now on, for each connection that was lost. */
  readonly onLost?: () => void;
}

/** Watches one table. */
export class TableWatch {
  readonly #options: TableWatchOptions;
  readonly #prefix: string;
  readonly #client: RedisClient;
  readonly #subscriber: RedisSubscriber;
  readonly #notifications: Notifications;
  /** What was read last. In the scope `asked` a key without a row is in it too. */
  readonly #rows = new Map<string, Fields | undefined>();
  readonly #asked = new Set<string>();
  /** Keys to read. */
  #dirty = new Set<string>();
  /** Whether everything is to be read. */
  #isStale = true;
  #isReading = false;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Does not connect yet; see `open`. */
  constructor(options: TableWatchOptions) {
    this.#options = options;
    this.#prefix = `${options.table}${options.separator}`;
    const { link, pollMs } = options;
    const channel = `__keyspace@${link.database}__:${escapeGlob(this.#prefix)}*`;
    this.#client = new RedisClient(link);
    const second = { ...link, quiet: true, purpose: `${link.purpose} notifications` };
    this.#subscriber = new RedisSubscriber(second, [channel], (name) => this.#happened(name));
    this.#notifications = new Notifications(this.#client, this.#subscriber, link, pollMs);
    this.#client.subscribe((event) => this.#turned(event));
    this.#subscriber.subscribe((event) => this.#turned(event));
  }

  /** Starts; goes on until `close`. */
  open(): void {
    this.#client.open();
    this.#subscriber.open();
  }

  /** Ends both connections. Nothing is told any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await Promise.all([this.#client.close(), this.#subscriber.close()]);
  }

  /** Reads these keys now, tells of each, and watches them from now on. */
  ask(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#asked.add(key);
      this.#rows.delete(key);
      this.#dirty.add(key);
    }
    void this.#read();
  }

  /** Watches a key no longer. */
  forget(key: string): void {
    this.#asked.delete(key);
    this.#dirty.delete(key);
    this.#rows.delete(key);
  }

  /** Reads everything once more. */
  readAgain(): void {
    this.#isStale = true;
    void this.#read();
  }

  #turned(event: "lost" | "up"): void {
    // Also when only the subscriber comes back: what it did not hear is read now.
    this.#isStale = true;
    if (event === "up") void this.#read();
    else this.#options.onLost?.();
  }

  #happened(channel: string): void {
    const key = keyOfChannel(channel);
    if (!key.startsWith(this.#prefix)) return;
    const short = key.slice(this.#prefix.length);
    if (this.#options.scope === "asked" && !this.#asked.has(short)) return;
    this.#dirty.add(short);
    void this.#read();
  }

  /** Reads until there is nothing left to read. One reading at a time. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const { epoch } = this.#client;
    try {
      while (this.#hasWork()) {
        const changes = await this.#readOnce();
        if (this.#isClosed) return;
        this.#options.onRows(changes, !this.#isStale);
        // A row may have changed before the server began to tell.
        if (await this.#notifications.check()) this.#isStale = true;
      }
      clearTimeout(this.#timer);
      if (this.#client.up && !this.#notifications.arrive) this.#lookAgain(this.#options.pollMs);
    } catch (error) {
      this.#isStale = true;
      // A lost connection reads again by itself when it is back; it may be back already.
      if (!this.#client.up) return;
      if (error instanceof ReconnectError && this.#client.epoch !== epoch) {
        return this.#lookAgain(RECONNECTED_MS);
      }
      this.#notifications.report(error);
      this.#lookAgain(this.#options.pollMs);
    } finally {
      this.#isReading = false;
    }
  }

  #hasWork(): boolean {
    return (this.#isStale || this.#dirty.size > 0) && this.#client.up && !this.#isClosed;
  }

  async #readOnce(): Promise<RowChange[]> {
    const { scope } = this.#options;
    const isStale = this.#isStale;
    // What happens from here on is to be read again.
    this.#isStale = false;
    const keys = isStale && scope === "asked" ? [...this.#asked] : [...this.#dirty];
    this.#dirty = new Set();
    if (isStale && scope === "table") return await this.#readTable();
    return await this.#readKeys(keys);
  }

  async #readTable(): Promise<RowChange[]> {
    const changes: RowChange[] = [];
    const gone = new Set(this.#rows.keys());
    for await (const { key, fields } of scanRows(this.#client, this.#prefix)) {
      gone.delete(key);
      this.#note(key, fields, changes);
    }
    for (const key of gone) this.#note(key, undefined, changes);
    return changes;
  }

  async #readKeys(keys: readonly string[]): Promise<RowChange[]> {
    const isAsked = this.#options.scope === "asked";
    const command = isAsked ? "HLEN" : "HGETALL";
    const replies = await this.#client.pipeline((writer) => {
      for (const key of keys) writer.command(command, `${this.#prefix}${key}`);
    });
    const changes: RowChange[] = [];
    for (const [index, key] of keys.entries()) {
      const reply = replies[index];
      if (reply instanceof ErrorReply) {
        if (reply.code !== "WRONGTYPE") throw replyError(reply, this.#client.server);
        this.#note(key, undefined, changes);
      } else if (isAsked) this.#note(key, reply === 0 ? undefined : PRESENT, changes);
      else this.#note(key, readFields(reply), changes);
    }
    return changes;
  }

  #note(key: string, fields: Fields | undefined, changes: RowChange[]): void {
    const isAsked = this.#options.scope === "asked";
    // It may have been forgotten while it was read.
    if (isAsked && !this.#asked.has(key)) return;
    const isFirst = !this.#rows.has(key);
    if (sameFields(this.#rows.get(key), fields) && !(isFirst && isAsked)) return;
    if (fields || isAsked) this.#rows.set(key, fields);
    else this.#rows.delete(key);
    changes.push({ key, fields });
  }

  #lookAgain(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#isStale = true;
      void this.#read();
    }, ms);
  }
}
