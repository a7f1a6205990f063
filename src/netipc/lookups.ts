/**
 * Lookups of any number of keys: as many requests as they need, and one answer.
 *
 * @module
 */
import { AppsLookupView, AppStatus, encodeAppsRequest } from "./codec/apps_lookup.ts";
import {
  cgroupKey,
  CgroupsLookupBuilder,
  CgroupsLookupView,
  CgroupStatus,
  encodeCgroupsRequest,
} from "./codec/cgroups_lookup.ts";
import { ENTRY_BYTES } from "./codec/directory.ts";
import { require } from "./codec/errors.ts";
import { Method } from "./codec/header.ts";
import { joinItems, LOOKUP_HEADER_BYTES, LookupItems } from "./codec/lookup.ts";
import { align8, bytesOf, copyOf, type Span, spanOf, type Text } from "./codec/span.ts";
import type { CallOptions, Client } from "./client.ts";
import { NetipcError, timeoutError } from "./errors.ts";

const MOST_KEYS = 65536;
const MOST_ROUNDS = 4096;
const MOST_BYTES = 64 << 20;
const APP_KEY_BYTES = 8;
const NAMES = { request: "lookup", response: "answer to the lookup" };

/** What one lookup is about. */
interface Kind<K extends Text | number> {
  readonly method: number;
  /** Status of an item that is to be asked for again. */
  readonly again: number;
  /** Throws for what can be no key. */
  check(key: K): void;
  /** Bytes of a key in a request. */
  keyBytes(key: K): number;
  encode(target: Span, keys: readonly K[]): number;
  /** Checks a response and gives its items' states; the keys must be those that were sent. */
  states(payload: Span, keys: readonly K[]): number[];
  /** The item of a key that no request can hold, or an error. */
  unsendable(key: K): Uint8Array;
}

/**
 * Asks what is known of any number of cgroups.
 *
 * @returns one item for each path, in their order
 * @throws {NetipcError} also when the service changed its mind between two requests
 * @throws {CodecError} for what can be no key
 */
export async function lookupCgroups(
  client: Client,
  paths: readonly Text[],
  options?: CallOptions,
): Promise<CgroupsLookupView> {
  return new CgroupsLookupView(spanOf(await lookUp(client, CGROUPS, paths, options)));
}

/**
 * Asks what is known of any number of processes.
 *
 * @returns one item for each pid, in their order
 * @throws {NetipcError} also when the service changed its mind between two requests
 * @throws {CodecError} for what can be no key
 */
export async function lookupApps(
  client: Client,
  pids: readonly number[],
  options?: CallOptions,
): Promise<AppsLookupView> {
  return new AppsLookupView(spanOf(await lookUp(client, APPS, pids, options)));
}

const CGROUPS: Kind<Text> = {
  method: Method.cgroupsLookup,
  again: CgroupStatus.payloadExceeded,
  check: (path) => void cgroupKey(path),
  keyBytes: (path) => bytesOf(path).length + 1,
  encode: encodeCgroupsRequest,
  states(payload, paths) {
    const view = new CgroupsLookupView(payload);
    return paths.map((path, i) => {
      const item = view.item(i);
      if (!isEqual(item.path, bytesOf(path))) throw protocolError("answered about other paths");
      return item.status;
    });
  },
  unsendable(path) {
    const target = spanOf(new Uint8Array(bytesOf(path).length + 64));
    const builder = new CgroupsLookupBuilder(target, [path]);
    builder.add({ status: CgroupStatus.oversizedItem });
    const length = builder.finish(0n);
    return copyOf(new LookupItems({ ...target, length }, NAMES, 0).item(0));
  },
};

const APPS: Kind<number> = {
  method: Method.appsLookup,
  again: AppStatus.payloadExceeded,
  check: (pid) => require(pid === pid >>> 0, "bad layout", "pid of a lookup"),
  keyBytes: () => APP_KEY_BYTES,
  encode: encodeAppsRequest,
  states(payload, pids) {
    const view = new AppsLookupView(payload);
    return pids.map((pid, i) => {
      const item = view.item(i);
      if (item.pid !== pid) throw protocolError("answered about other pids");
      return item.status;
    });
  },
  unsendable() {
    throw new NetipcError("overflow", "The service allows no request that holds a pid");
  },
};

/** Bytes of everything that was answered: a response's payload. */
async function lookUp<K extends Text | number>(
  client: Client,
  kind: Kind<K>,
  keys: readonly K[],
  { timeoutMs = client.timeoutMs, signal }: CallOptions = {},
): Promise<Uint8Array> {
  const deadline = performance.now() + timeoutMs;
  if (keys.length > MOST_KEYS) throw tooMuch(`${keys.length} keys`);
  for (const key of keys) kind.check(key);
  const items: Uint8Array[] = [];
  let bytes = LOOKUP_HEADER_BYTES + keys.length * ENTRY_BYTES;
  const take = (answered: readonly Uint8Array[]) => {
    for (const item of answered) bytes = align8(bytes) + item.length;
    if (bytes > MOST_BYTES) throw tooMuch(`${bytes} bytes of answers`);
    items.push(...answered);
  };
  let generation: bigint | undefined;
  for (let rounds = 0; items.length < keys.length || rounds + keys.length === 0;) {
    const sent = fitting(client.requestBytes, kind, keys, items.length);
    const next = keys[items.length];
    if (sent.length === 0 && next !== undefined && client.state === "ready") {
      take([kind.unsendable(next)]);
      continue;
    }
    if (rounds === MOST_ROUNDS) throw tooMuch(`${rounds} requests`);
    const left = deadline - performance.now();
    if (left <= 0 && rounds > 0) throw timeoutError(client.service);
    rounds++;
    const answer = await client.call({
      method: kind.method,
      write: (target) => kind.encode(target, sent),
      read: (payload) => readRound(kind, payload, sent),
    }, { timeoutMs: left, ...(signal === undefined ? {} : { signal }) });
    if (generation !== undefined && generation !== answer.generation) {
      throw protocolError("changed between two requests of a lookup");
    }
    generation = answer.generation;
    take(answer.items);
  }
  return joinItems(items, generation ?? 0n, bytes);
}

/** As many keys from number `from` on as one request of `limit` bytes holds. */
function fitting<K extends Text | number>(
  limit: number,
  kind: Kind<K>,
  keys: readonly K[],
  from: number,
): K[] {
  const sent: K[] = [];
  let size = LOOKUP_HEADER_BYTES;
  for (let key = keys[from]; key !== undefined; key = keys[from + sent.length]) {
    // One entry more moves all keys by 8, so their alignment stays.
    size = align8(size) + ENTRY_BYTES + kind.keyBytes(key);
    if (size > limit) break;
    sent.push(key);
  }
  return sent;
}

/** The items that were answered in one round: those before the first that did not fit. */
function readRound<K extends Text | number>(
  kind: Kind<K>,
  payload: Span,
  sent: readonly K[],
): { readonly generation: bigint; readonly items: Uint8Array[] } {
  const raw = new LookupItems(payload, NAMES, 0);
  if (raw.count !== sent.length) {
    throw protocolError(`answered ${raw.count} of ${sent.length} keys`);
  }
  const states = kind.states(payload, sent);
  const end = states.indexOf(kind.again);
  const answered = end < 0 ? states.length : end;
  if (answered === 0 && states.length > 0) {
    throw new NetipcError("overflow", "The service has no room for the answer about a single key");
  }
  if (states.slice(answered).some((state) => state !== kind.again)) {
    throw protocolError("answered a key behind one that did not fit");
  }
  const items = Array.from({ length: answered }, (_, i) => copyOf(raw.item(i)));
  return { generation: raw.generation, items };
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function protocolError(what: string): NetipcError {
  return new NetipcError("protocol", `The service ${what}`);
}

function tooMuch(what: string): NetipcError {
  return new NetipcError("overflow", `A lookup of ${what} is more than there may be`);
}
