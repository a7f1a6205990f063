/**
 * Every decoder of messages, and how what it gives is written again.
 *
 * @module
 */
import { decodeChanges, encodeChanges, type ReceivedChanges } from "../changes/codec.ts";
import { decodeReceipts, encodeReceipts } from "../changes/receipts.ts";
import { WireTexts } from "../changes/texts.ts";
import { AppsLookupBuilder, AppsLookupView, AppsRequestView } from "./apps_lookup.ts";
import { encodeAppsRequest } from "./apps_lookup.ts";
import { BatchBuilder, BatchView } from "./batch.ts";
import { CgroupsLookupBuilder, CgroupsLookupView, CgroupsRequestView } from "./cgroups_lookup.ts";
import { encodeCgroupsRequest } from "./cgroups_lookup.ts";
import { decodeSnapshotRequest, encodeSnapshotRequest } from "./cgroups_snapshot.ts";
import { SnapshotBuilder, SnapshotView } from "./cgroups_snapshot.ts";
import { decodeHeader, encodeHeader, HEADER_BYTES } from "./header.ts";
import { decodeHello, decodeHelloAck, encodeHello, encodeHelloAck } from "./hello.ts";
import { decodeIncrement, decodeIncrements, encodeIncrement } from "./increment.ts";
import { encodeIncrements } from "./increment.ts";
import type { Span } from "./span.ts";
import { decodeString, encodeString } from "./string_reverse.ts";

/** One decoder. */
export interface Target {
  /** Its messages in the corpus. */
  readonly name: string;
  /** Reads a message to its end: a copy of it, written and read again. */
  again(message: Span, target: Span): Decoded;
}

/** What a message says, and how long it is when we write it. */
export interface Decoded {
  readonly value: unknown;
  readonly length: number;
}

/** Items of the batches in the corpus: their number stands in the header. */
const ITEMS = 3;

const texts = new WireTexts();

function target<T>(
  name: string,
  decode: (message: Span) => T,
  encode: (target: Span, value: T) => number,
): Target {
  return {
    name,
    again(message, target) {
      const value = decode(message);
      return { value, length: encode(target, value) };
    },
  };
}

/** What of a batch of changes can be written again: not those that are at fault. */
function usable({ mark, changes }: ReceivedChanges): Pick<ReceivedChanges, "mark" | "changes"> {
  return { mark, changes };
}

/** Every decoder there is. */
export const TARGETS: readonly Target[] = [
  target("header", decodeHeader, ({ view, start }, header) => {
    encodeHeader(view, start, header);
    return HEADER_BYTES;
  }),
  target("hello", decodeHello, encodeHello),
  target("helloAck", decodeHelloAck, encodeHelloAck),
  target("increment", decodeIncrement, encodeIncrement),
  target("increments", (span) => decodeIncrements(span, ITEMS), encodeIncrements),
  target("string", decodeString, encodeString),
  target("batch", (span) => new BatchView(span, ITEMS).materialize(), (to, items) => {
    const builder = new BatchBuilder(to, items.length);
    for (const item of items) builder.add(item);
    return builder.finish();
  }),
  target("snapshotRequest", decodeSnapshotRequest, encodeSnapshotRequest),
  target("snapshot", (span) => new SnapshotView(span).materialize(), (to, snapshot) => {
    const builder = new SnapshotBuilder(to, snapshot.items.length);
    for (const item of snapshot.items) builder.add(item);
    return builder.finish(snapshot);
  }),
  target(
    "cgroupsRequest",
    (span) => new CgroupsRequestView(span).materialize(),
    encodeCgroupsRequest,
  ),
  target("cgroups", (span) => {
    const view = new CgroupsLookupView(span);
    return { items: view.materialize(), generation: view.generation };
  }, (to, { items, generation }) => {
    const builder = new CgroupsLookupBuilder(to, items.map(({ path }) => path));
    for (const item of items) builder.add(item);
    return builder.finish(generation);
  }),
  target("appsRequest", (span) => new AppsRequestView(span).materialize(), encodeAppsRequest),
  target("apps", (span) => {
    const view = new AppsLookupView(span);
    return { items: view.materialize(), generation: view.generation };
  }, (to, { items, generation }) => {
    const builder = new AppsLookupBuilder(to, items.map(({ pid }) => pid));
    for (const item of items) builder.add(item);
    return builder.finish(generation);
  }),
  target("changes", (span) => usable(decodeChanges(span, texts)), (to, { mark, changes }) => {
    return encodeChanges(to, { changes, ...(mark === undefined ? {} : { mark }) });
  }),
  target("receipts", decodeReceipts, (to, receipts) => {
    const bytes = encodeReceipts(receipts, to.length);
    to.bytes.set(bytes, to.start);
    return bytes.length;
  }),
];
