/**
 * CGROUPS_LOOKUP: what a service knows of cgroups, asked for by their paths.
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
const ITEM_BYTES = 28;
const NAMES = { request: "lookup of cgroups", response: "answer about cgroups" };

/** What is known of a cgroup. */
export const CgroupStatus = {
  known: 0,
  unknownRetryLater: 1,
  unknownPermanent: 2,
  /** The answer was too large: ask for this one again. */
  payloadExceeded: 3,
  /** The item is too large by itself. */
  oversizedItem: 4,
} as const;

/** A cgroup that was asked for. */
export interface CgroupItem {
  /** One of {@linkcode CgroupStatus}. */
  readonly status: number;
  readonly orchestrator: number;
  readonly path: string;
  readonly name: string;
  readonly labels: readonly Label[];
}

/** A server's answer about one path; `name` and what follows only of a known cgroup. */
export interface CgroupAnswer {
  readonly status: number;
  readonly orchestrator?: number;
  readonly name?: Text;
  readonly labels?: readonly LabelText[];
}

/** The key of a path: its bytes and a NUL. */
export function cgroupKey(path: Text): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(path);
  require(bytes.length > 0 && !bytes.includes(0), "bad layout", "path of a cgroup");
  const key = new Uint8Array(bytes.length + 1);
  key.set(bytes);
  return key;
}

/** Writes a request for paths; returns its length. */
export function encodeCgroupsRequest(target: Span, paths: readonly Text[]): number {
  return encodeKeys(target, paths.map(cgroupKey), NAMES.request);
}

/** A request in place. */
export class CgroupsRequestView {
  readonly #keys: LookupKeys;

  /** Reads a request; every key is checked. */
  constructor(span: Span) {
    this.#keys = new LookupKeys(span, NAMES, 2);
    for (let i = 0; i < this.#keys.count; i++) {
      const { bytes, start, length } = this.#keys.key(i);
      const end = start + length - 1;
      require(bytes[end] === 0, "missing NUL", NAMES.request);
      require(bytes.indexOf(0, start) === end, "bad layout", NAMES.request);
    }
  }

  /** How many paths are asked for. */
  get count(): number {
    return this.#keys.count;
  }

  /** The bytes of path `i`, in place. */
  path(i: number): Uint8Array {
    require(i >= 0 && i < this.count, "bad item count", NAMES.request);
    const { bytes, start, length } = this.#keys.key(i);
    return bytes.subarray(start, start + length - 1);
  }

  /** Copies of all paths. */
  materialize(): string[] {
    return Array.from({ length: this.count }, (_, i) => decodeText(this.path(i)));
  }
}

/** A response in place; all its items have been checked. */
export class CgroupsLookupView {
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
  item(i: number): CgroupItemView {
    require(i >= 0 && i < this.count, "bad item count", NAMES.response);
    return new CgroupItemView(this.#items.item(i));
  }

  /** Copies of all items. */
  materialize(): CgroupItem[] {
    return Array.from({ length: this.count }, (_, i) => this.item(i).materialize());
  }
}

/** An item in place. */
export class CgroupItemView {
  readonly status: number;
  readonly orchestrator: number;
  /** The path's bytes, in place. */
  readonly path: Uint8Array;
  /** The name's bytes, in place. */
  readonly name: Uint8Array;
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
    this.#labels = view.getUint16(start + 24, true);
    const reserved = view.getUint16(start + 6, true) | view.getUint16(start + 26, true);
    require(this.status <= CgroupStatus.oversizedItem && reserved === 0, "bad layout", what);
    const path = checkString(span, 8, ITEM_BYTES, what);
    const name = checkString(span, 16, ITEM_BYTES, what);
    require(path.end > path.begin, "bad layout", what);
    checkApart(path, name, what);
    this.path = bytes.subarray(path.begin, path.end);
    this.name = bytes.subarray(name.begin, name.end);
    const empty = this.orchestrator === 0 && this.name.length === 0 && this.#labels === 0;
    require(this.status === CgroupStatus.known || empty, "bad layout", what);
    this.#span = span;
    this.#end = Math.max(path.end, name.end) + 1;
    checkLabels(span, this.#end, this.#labels, what);
  }

  /** Copies of the labels. */
  labels(): Label[] {
    return readLabels(this.#span, this.#end, this.#labels);
  }

  /** A copy. */
  materialize(): CgroupItem {
    return {
      status: this.status,
      orchestrator: this.orchestrator,
      path: decodeText(this.path),
      name: decodeText(this.name),
      labels: this.labels(),
    };
  }
}

/** Writes the answer to a request, one item for each of its paths, in their order. */
export class CgroupsLookupBuilder {
  readonly #target: Span;
  readonly #paths: readonly Uint8Array[];
  readonly #writer: LookupWriter;
  #next = 0;

  /** @param paths of the request: its view's, or others */
  constructor(target: Span, paths: readonly Text[]) {
    this.#target = target;
    this.#paths = paths.map(bytesOf);
    const compact = this.#paths.map((path) => ITEM_BYTES + path.length + 2);
    this.#writer = new LookupWriter(target, compact, NAMES.response);
  }

  /**
   * Adds the answer about the next path.
   *
   * @throws {CodecError} `overflow` when the response cannot be given, `bad layout` for an answer
   * that says nothing, `bad item count` for one too many
   */
  add(answer: CgroupAnswer): void {
    const what = NAMES.response;
    const path = this.#paths[this.#next++];
    if (path === undefined) throw new CodecError("bad item count", what);
    const known = answer.status === CgroupStatus.known;
    const name = bytesOf(known ? answer.name ?? "" : "");
    require(answer.status >= 0 && answer.status <= CgroupStatus.oversizedItem, "bad layout", what);
    require(!name.includes(0), "bad layout", what);
    const end = ITEM_BYTES + path.length + name.length + 2;
    const labels = prepareLabels(known ? answer.labels ?? [] : [], end, what);
    const orchestrator = known ? answer.orchestrator ?? 0 : 0;
    this.#writer.add({
      length: labels.length,
      write: (at) => {
        this.#write(at, answer.status, path, name);
        this.#target.view.setUint16(at + 4, orchestrator, true);
        this.#target.view.setUint16(at + 24, labels.strings.length / 2, true);
        writeLabels(this.#target, at, end, labels);
      },
    }, (at, oversized) => {
      const { oversizedItem, payloadExceeded } = CgroupStatus;
      this.#write(at, oversized ? oversizedItem : payloadExceeded, path, new Uint8Array());
    });
  }

  /** Writes an item without labels. */
  #write(at: number, status: number, path: Uint8Array, name: Uint8Array): void {
    const { view, bytes } = this.#target;
    bytes.fill(0, at, at + ITEM_BYTES);
    view.setUint16(at, LAYOUT_VERSION, true);
    view.setUint16(at + 2, status, true);
    view.setUint32(at + 8, ITEM_BYTES, true);
    view.setUint32(at + 12, path.length, true);
    const nameAt = putString(bytes, at, ITEM_BYTES, path);
    view.setUint32(at + 16, nameAt, true);
    view.setUint32(at + 20, name.length, true);
    putString(bytes, at, nameAt, name);
  }

  /** Writes the header; returns the payload's length. */
  finish(generation: bigint): number {
    return this.#writer.finish(generation);
  }
}
