/**
 * APPS_LOOKUP: what a service knows of processes and their cgroups, asked for by pid.
 *
 * @module
 */
import { CodecError, require } from "./errors.ts";
import {
  checkApart,
  checkLabels,
  checkString,
  encodeKeys,
  type Label,
  type LabelText,
  LookupItems,
  LookupKeys,
  LookupWriter,
  prepareLabels,
  putString,
  readLabels,
  writeLabels,
} from "./lookup.ts";
import { bytesOf, decodeText, type Span, type Text } from "./span.ts";

const LAYOUT_VERSION = 1;
const KEY_BYTES = 8;
const ITEM_BYTES = 60;
const COMPACT_BYTES = ITEM_BYTES + 3;
const MAX_COMM = 15;
const NO_UID = 0xffff_ffff;
const NAMES = { request: "lookup of processes", response: "answer about processes" };

/** What is known of a process. */
export const AppStatus = {
  known: 0,
  unknown: 1,
  /** The answer was too large: ask for this one again. */
  payloadExceeded: 2,
  /** The item is too large by itself. */
  oversizedItem: 3,
} as const;

/** What is known of a process's cgroup. */
export const AppCgroupStatus = {
  known: 0,
  unknownRetryLater: 1,
  unknownPermanent: 2,
  /** The process is in no cgroup of its own. */
  hostRoot: 3,
} as const;

/** A process that was asked for. */
export interface AppItem {
  /** One of {@linkcode AppStatus}. */
  readonly status: number;
  readonly orchestrator: number;
  /** One of {@linkcode AppCgroupStatus}. */
  readonly cgroupStatus: number;
  readonly pid: number;
  readonly ppid: number;
  /** 4294967295 when it is not known. */
  readonly uid: number;
  /** Jiffies since boot. */
  readonly starttime: bigint;
  readonly comm: string;
  readonly cgroupPath: string;
  readonly cgroupName: string;
  readonly labels: readonly Label[];
}

/** A server's answer about one pid; everything but `status` only of a known process. */
export interface AppAnswer {
  readonly status: number;
  readonly orchestrator?: number;
  readonly cgroupStatus?: number;
  readonly ppid?: number;
  readonly uid?: number;
  readonly starttime?: bigint;
  /** 1 to 15 bytes. */
  readonly comm?: Text;
  readonly cgroupPath?: Text;
  readonly cgroupName?: Text;
  readonly labels?: readonly LabelText[];
}

/** Writes a request for pids; returns its length. */
export function encodeAppsRequest(target: Span, pids: readonly number[]): number {
  const keys = pids.map((pid) => {
    const key = new Uint8Array(KEY_BYTES);
    new DataView(key.buffer).setUint32(0, pid, true);
    return key;
  });
  return encodeKeys(target, keys, NAMES.request);
}

/** A request in place. */
export class AppsRequestView {
  readonly #keys: LookupKeys;

  /** Reads a request; every key is checked. */
  constructor(span: Span) {
    this.#keys = new LookupKeys(span, NAMES, KEY_BYTES);
    for (let i = 0; i < this.#keys.count; i++) {
      const { view, start, length } = this.#keys.key(i);
      require(length === KEY_BYTES, "bad layout", NAMES.request);
      require(view.getUint32(start + 4, true) === 0, "bad layout", NAMES.request);
    }
  }

  /** How many pids are asked for. */
  get count(): number {
    return this.#keys.count;
  }

  /** Pid `i`, from 0 on. */
  pid(i: number): number {
    require(i >= 0 && i < this.count, "bad item count", NAMES.request);
    const { view, start } = this.#keys.key(i);
    return view.getUint32(start, true);
  }

  /** All pids. */
  materialize(): number[] {
    return Array.from({ length: this.count }, (_, i) => this.pid(i));
  }
}

/** A response in place; all its items have been checked. */
export class AppsLookupView {
  readonly #items: LookupItems;

  /** Reads a response. */
  constructor(span: Span) {
    this.#items = new LookupItems(span, NAMES, ITEM_BYTES);
    for (let i = 0; i < this.#items.count; i++) this.item(i);
  }

  /** How many items there are. */
  get count(): number {
    return this.#items.count;
  }

  /** Counts the producer's changes. */
  get generation(): bigint {
    return this.#items.generation;
  }

  /** Item `i`, from 0 on. */
  item(i: number): AppItemView {
    require(i >= 0 && i < this.count, "bad item count", NAMES.response);
    return new AppItemView(this.#items.item(i));
  }

  /** Copies of all items. */
  materialize(): AppItem[] {
    return Array.from({ length: this.count }, (_, i) => this.item(i).materialize());
  }
}

/** An item in place. */
export class AppItemView {
  readonly status: number;
  readonly orchestrator: number;
  readonly cgroupStatus: number;
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  /** The command's bytes, in place. */
  readonly comm: Uint8Array;
  readonly cgroupPath: Uint8Array;
  readonly cgroupName: Uint8Array;
  readonly #span: Span;
  readonly #end: number;
  readonly #labels: number;

  /** Reads an item and checks all of it. */
  constructor(span: Span) {
    const { view, bytes, start, length } = span;
    const what = NAMES.response;
    require(length >= ITEM_BYTES, "truncated", what);
    require(view.getUint16(start, true) === LAYOUT_VERSION, "bad version", what);
    this.status = view.getUint16(start + 2, true);
    this.orchestrator = view.getUint16(start + 4, true);
    this.cgroupStatus = view.getUint16(start + 6, true);
    this.pid = view.getUint32(start + 8, true);
    this.ppid = view.getUint32(start + 12, true);
    this.uid = view.getUint32(start + 16, true);
    this.#labels = view.getUint16(start + 56, true);
    const reserved = view.getUint32(start + 20, true) | view.getUint16(start + 58, true);
    require(reserved === 0, "bad layout", what);
    const comm = checkString(span, 32, ITEM_BYTES, what);
    const path = checkString(span, 40, ITEM_BYTES, what);
    const name = checkString(span, 48, ITEM_BYTES, what);
    checkApart(comm, path, what);
    checkApart(comm, name, what);
    checkApart(path, name, what);
    this.comm = bytes.subarray(comm.begin, comm.end);
    this.cgroupPath = bytes.subarray(path.begin, path.end);
    this.cgroupName = bytes.subarray(name.begin, name.end);
    this.#span = span;
    this.#end = Math.max(comm.end, path.end, name.end) + 1;
    const labels = this.#labels;
    const isFair = this.status === AppStatus.known
      ? isKnown(this, labels)
      : this.status <= AppStatus.oversizedItem && isEmpty(this, labels);
    require(isFair, "bad layout", what);
    checkLabels(span, this.#end, labels, what);
  }

  /** Jiffies since boot. */
  get starttime(): bigint {
    return this.#span.view.getBigUint64(this.#span.start + 24, true);
  }

  /** Copies of the labels. */
  labels(): Label[] {
    return readLabels(this.#span, this.#end, this.#labels);
  }

  /** A copy. */
  materialize(): AppItem {
    const { status, orchestrator, cgroupStatus, pid, ppid, uid, starttime } = this;
    return {
      status,
      orchestrator,
      cgroupStatus,
      pid,
      ppid,
      uid,
      starttime,
      comm: decodeText(this.comm),
      cgroupPath: decodeText(this.cgroupPath),
      cgroupName: decodeText(this.cgroupName),
      labels: this.labels(),
    };
  }
}

interface AppStrings {
  readonly orchestrator: number;
  readonly cgroupStatus: number;
  readonly comm: Uint8Array;
  readonly cgroupPath: Uint8Array;
  readonly cgroupName: Uint8Array;
}

/** Whether an item of a known process has what the state of its cgroup demands. */
function isKnown(item: AppStrings, labels: number): boolean {
  const { known, unknownRetryLater, unknownPermanent, hostRoot } = AppCgroupStatus;
  if (item.comm.length < 1 || item.comm.length > MAX_COMM) return false;
  const nameless = item.orchestrator === 0 && item.cgroupName.length === 0 && labels === 0;
  switch (item.cgroupStatus) {
    case known:
      return item.cgroupPath.length > 0;
    case unknownRetryLater:
      return nameless;
    case unknownPermanent:
      return nameless && item.cgroupPath.length > 0;
    case hostRoot:
      return nameless && item.cgroupPath.length === 0;
    default:
      return false;
  }
}

/** Whether an item says nothing but its pid. */
function isEmpty(item: AppItemView, labels: number): boolean {
  return item.orchestrator === 0 && item.cgroupStatus === 0 && item.ppid === 0 &&
    item.uid === NO_UID && item.starttime === 0n && labels === 0 &&
    item.comm.length + item.cgroupPath.length + item.cgroupName.length === 0;
}

/** Writes the answer to a request, one item for each of its pids, in their order. */
export class AppsLookupBuilder {
  readonly #target: Span;
  readonly #pids: readonly number[];
  readonly #writer: LookupWriter;
  #next = 0;

  /** @param pids of the request */
  constructor(target: Span, pids: readonly number[]) {
    this.#target = target;
    this.#pids = pids;
    this.#writer = new LookupWriter(target, pids.map(() => COMPACT_BYTES), NAMES.response);
  }

  /**
   * Adds the answer about the next pid.
   *
   * @throws {CodecError} `overflow` when the response cannot be given, `bad layout` for an answer
   * that peers would not take, `bad item count` for one too many
   */
  add(answer: AppAnswer): void {
    const what = NAMES.response;
    const pid = this.#pids[this.#next++];
    if (pid === undefined) throw new CodecError("bad item count", what);
    const known = answer.status === AppStatus.known;
    const strings = {
      orchestrator: answer.orchestrator ?? 0,
      cgroupStatus: answer.cgroupStatus ?? 0,
      comm: bytesOf(known ? answer.comm ?? "" : ""),
      cgroupPath: bytesOf(known ? answer.cgroupPath ?? "" : ""),
      cgroupName: bytesOf(known ? answer.cgroupName ?? "" : ""),
    };
    const { comm, cgroupPath, cgroupName } = strings;
    const end = COMPACT_BYTES + comm.length + cgroupPath.length + cgroupName.length;
    const labels = prepareLabels(known ? answer.labels ?? [] : [], end, what);
    const isFair = known
      ? isKnown(strings, labels.strings.length) &&
        ![comm, cgroupPath, cgroupName].some((string) => string.includes(0))
      : answer.status > 0 && answer.status <= AppStatus.oversizedItem;
    require(isFair, "bad layout", what);
    this.#writer.add({
      length: labels.length,
      write: (at) => {
        this.#write(at, answer.status, pid, [comm, cgroupPath, cgroupName]);
        if (known) this.#writeFacts(at, answer, labels.strings.length / 2);
        writeLabels(this.#target, at, end, labels);
      },
    }, (at, oversized) => {
      const { oversizedItem, payloadExceeded } = AppStatus;
      this.#write(at, oversized ? oversizedItem : payloadExceeded, pid, []);
    });
  }

  /** Writes an item that says nothing but its pid, and its strings. */
  #write(at: number, status: number, pid: number, strings: readonly Uint8Array[]): void {
    const { view, bytes } = this.#target;
    bytes.fill(0, at, at + ITEM_BYTES);
    view.setUint16(at, LAYOUT_VERSION, true);
    view.setUint16(at + 2, status, true);
    view.setUint32(at + 8, pid, true);
    view.setUint32(at + 16, NO_UID, true);
    let place = ITEM_BYTES;
    for (let i = 0; i < 3; i++) {
      const string = strings[i] ?? new Uint8Array();
      view.setUint32(at + 32 + i * 8, place, true);
      view.setUint32(at + 36 + i * 8, string.length, true);
      place = putString(bytes, at, place, string);
    }
  }

  #writeFacts(at: number, answer: AppAnswer, labels: number): void {
    const { view } = this.#target;
    view.setUint16(at + 4, answer.orchestrator ?? 0, true);
    view.setUint16(at + 6, answer.cgroupStatus ?? 0, true);
    view.setUint32(at + 12, answer.ppid ?? 0, true);
    view.setUint32(at + 16, answer.uid ?? NO_UID, true);
    view.setBigUint64(at + 24, answer.starttime ?? 0n, true);
    view.setUint16(at + 56, labels, true);
  }

  /** Writes the header; returns the payload's length. */
  finish(generation: bigint): number {
    return this.#writer.finish(generation);
  }
}
