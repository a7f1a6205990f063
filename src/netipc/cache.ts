/**
 * The last snapshot of a service, kept through its failures.
 *
 * @module
 */
import { decodeText, type Text } from "./codec/span.ts";
import type { Snapshot, SnapshotItem } from "./codec/cgroups_snapshot.ts";
import { type CallOptions, Client, type ClientOptions } from "./client.ts";
import type { ClientState } from "./connection.ts";
import { NetipcError } from "./errors.ts";

/** How a cache stands. */
export interface CacheStatus {
  /** Whether there is a snapshot; it may be empty, and the service may be gone. */
  readonly populated: boolean;
  readonly itemCount: number;
  readonly systemdEnabled: number;
  readonly generation: bigint;
  readonly successCount: number;
  readonly failureCount: number;
  readonly state: ClientState;
  /** When the last refresh succeeded, as `performance.now()`; 0 before. */
  readonly refreshedAt: number;
}

/** Items by name, and those of one name by their hashes. */
type Index = Map<string, SnapshotItem | Map<number, SnapshotItem>>;

/**
 * A copy of a service's snapshot to look things up in. Nothing happens on its own: `refresh()`
 * asks for a new one, and the old one stays until there is one.
 *
 * @example
 * ```ts ignore
 * await using cache = new SnapshotCache({ library, runDir, service: "cgroups-snapshot" });
 * await cache.refresh();
 * cache.lookup(1001, "docker-abc123")?.path;
 * ```
 */
export class SnapshotCache implements AsyncDisposable {
  readonly #client: Client;
  #snapshot: Snapshot | undefined;
  #index: Index = new Map();
  #refreshing: Promise<unknown> = Promise.resolve();
  #closed = false;
  #successCount = 0;
  #failureCount = 0;
  #refreshedAt = 0;

  constructor(options: ClientOptions) {
    this.#client = new Client(options);
  }

  /** Whether there is a snapshot. */
  get ready(): boolean {
    return this.#snapshot !== undefined;
  }

  /** The last snapshot; it never changes, a refresh brings another one. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** How the cache stands. */
  status(): CacheStatus {
    return {
      populated: this.ready,
      itemCount: this.#snapshot?.items.length ?? 0,
      systemdEnabled: this.#snapshot?.systemdEnabled ?? 0,
      generation: this.#snapshot?.generation ?? 0n,
      successCount: this.#successCount,
      failureCount: this.#failureCount,
      state: this.#client.state,
      refreshedAt: this.#refreshedAt,
    };
  }

  /**
   * Asks for a new snapshot; several refreshes come one after the other.
   *
   * @returns false when there was none, and the old one stays
   */
  refresh(options?: CallOptions): Promise<boolean> {
    const turn = this.#refreshing.then(() => this.#refresh(options));
    // What one refresh throws is not for the next one.
    this.#refreshing = turn.catch(() => {});
    return turn;
  }

  /** The item of this hash and name; the first where there are several. */
  lookup(hash: number, name: Text): SnapshotItem | undefined {
    const found = this.#index.get(typeof name === "string" ? name : decodeText(name));
    if (found === undefined) return undefined;
    if (found instanceof Map) return found.get(hash);
    return found.hash === hash ? found : undefined;
  }

  /** Ends the client and forgets the snapshot, for good. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
    await this.#refreshing;
    this.#snapshot = undefined;
    this.#index = new Map();
  }

  /** As {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #refresh(options?: CallOptions): Promise<boolean> {
    try {
      if (!this.#closed) await this.#client.refresh();
      const snapshot = (await this.#client.snapshot(options)).materialize();
      this.#index = indexOf(snapshot.items);
      this.#snapshot = snapshot;
    } catch (error) {
      this.#failureCount++;
      if (!(error instanceof NetipcError || error instanceof RangeError)) throw error;
      return false;
    }
    this.#successCount++;
    this.#refreshedAt = performance.now();
    return true;
  }
}

function indexOf(items: readonly SnapshotItem[]): Index {
  const index: Index = new Map();
  for (const item of items) {
    const found = index.get(item.name);
    if (found === undefined) {
      index.set(item.name, item);
      continue;
    }
    const hashes = found instanceof Map ? found : new Map([[found.hash, found]]);
    if (!hashes.has(item.hash)) hashes.set(item.hash, item);
    index.set(item.name, hashes);
  }
  return index;
}
