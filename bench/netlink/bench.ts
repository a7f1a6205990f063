/**
 * The netlink source by itself: what the kernel's socket, the library, the decoder and the source
 * each cost, one on top of the other. Needs root.
 *
 * ```sh
 * deno task bench netlink           # some 20 seconds
 * deno task bench netlink --runs=5
 * ```
 *
 * @module
 */
import type { NetlinkConfig } from "../../schemas/netlink.ts";
import type { Source } from "../../src/core/stage.ts";
import { LinkBatches } from "../../src/sources/netlink/link_batches.ts";
import type { ExtraField } from "../../src/sources/netlink/link_fields.ts";
import { LinkTable } from "../../src/sources/netlink/link_table.ts";
import createNetlinkSource from "../../src/sources/netlink/source.ts";
import { BATCH_RECORDS, LinkSocket } from "../../ffi/netlink.ts";
import { LINK_WORD, LINK_WORDS, readLink } from "../../ffi/records.gen.ts";
import { Texts } from "../../ffi/texts.ts";
import { linkRecords } from "../../tests/support/link_records.ts";
import { load } from "../../tests/support/linkload.ts";
import { nativeLibrary } from "../../tests/support/native.ts";
import { createNetns, type Netns } from "../../tests/support/netns.ts";
import { RecordedTelemetry } from "../../tests/support/telemetry.ts";
import { drainQueued } from "../end_to_end/burst.ts";
import { asText, type Figure, machineFacts, median } from "../support/figures.ts";

/** Fits into the receive buffer, which pays 2304 bytes for each. */
const QUEUED = 12_000;
const PORTS = 128;

async function main(args: readonly string[]): Promise<void> {
  const runs = Number(args.map((arg) => /^--runs=(\d+)$/.exec(arg)?.[1]).find(Boolean) ?? 3);
  await using netns = await createNetns();
  await netns.addLinks(PORTS, { up: true });
  const library = await nativeLibrary();
  const ceiling = median(await repeat(runs, () => drainQueued(netns, "mtu", QUEUED)));
  const figures: Figure[] = [
    ...decoding(runs),
    {
      what: "queued MTU events, library alone",
      unit: "events/s",
      values: await repeat(runs, () => drainLibrary(netns, library)),
      ceiling: { value: ceiling, of: "C drains the socket" },
    },
    {
      what: "queued MTU events, whole source",
      unit: "events/s",
      values: await repeat(runs, () => drainSource(netns, library)),
      goal: { atLeast: 150_000 },
      ceiling: { value: ceiling, of: "C drains the socket" },
    },
    ...await latencies(netns, library, runs),
    {
      what: `complete dump of ${PORTS} links`,
      unit: "ms",
      values: await repeat(runs, () => dump(netns, library)),
    },
  ];
  console.log((await machineFacts()).join("\n"));
  console.log(asText(figures));
}

async function repeat(runs: number, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let run = 0; run < runs; run++) values.push(await measure());
  return values;
}

/** Records a second through the decoder, without a socket. */
function decoding(runs: number): Figure[] {
  const every = (what: string, extraFields: readonly ExtraField[]): Figure => ({
    what,
    unit: "records/s",
    values: Array.from({ length: runs }, () => decode(extraFields)),
  });
  return [
    {
      what: "records into objects, generated reader",
      unit: "records/s",
      values: Array.from({ length: runs }, readObjects),
    },
    { ...every("records into changes", []), goal: { atLeast: 1_000_000 } },
    every("records into changes, all extra fields", ["ifindex", "mac", "kind", "master"]),
  ];
}

const view = linkRecords(...Array.from({ length: BATCH_RECORDS }, (_, at) => ({
  ifindex: at % PORTS + 2,
  name: `Ethernet${at % PORTS * 4}`,
  kind: "veth",
  mac: [2, 0, 0, 0, 0, at % PORTS],
})));

function decode(extraFields: readonly ExtraField[]): number {
  const reader = new LinkBatches(new LinkTable({ extraFields }));
  return rate((round) => {
    for (let at = 0; at < BATCH_RECORDS; at++) {
      view.words[at * LINK_WORDS + LINK_WORD.mtu] = 1280 + (round * 7 + at) % 7919;
    }
    return reader.read(view, BATCH_RECORDS).length;
  });
}

function readObjects(): number {
  const texts = new Texts();
  return rate(() => {
    let sum = 0;
    for (let at = 0; at < BATCH_RECORDS; at++) sum += readLink(view, at * LINK_WORDS, texts).mtu;
    return sum;
  });
}

function rate(round: (number: number) => number): number {
  const rounds = 2000;
  for (let number = 0; number < rounds / 4; number++) round(number);
  const begin = performance.now();
  for (let number = 0; number < rounds; number++) round(number);
  return rounds * BATCH_RECORDS * 1000 / (performance.now() - begin);
}

/** Events a second that only come into the buffer, one wait after the other. */
async function drainLibrary(netns: Netns, library: string): Promise<number> {
  await using socket = new LinkSocket({ library, namespace: netns.path });
  await load(netns, "mtu", QUEUED);
  const begin = performance.now();
  let events = 0;
  while (events < QUEUED) events += await socket.wait({ timeoutMs: 1000 });
  return events * 1000 / (performance.now() - begin);
}

/** Events a second that come out of the source as changes. */
async function drainSource(netns: Netns, library: string): Promise<number> {
  await using opened = await openSource(netns, library);
  await load(netns, "mtu", QUEUED);
  const begin = performance.now();
  let events = 0;
  while (events < QUEUED) events += await opened.next();
  return events * 1000 / (performance.now() - begin);
}

interface Opened extends AsyncDisposable {
  /** How many changes the next batch has. */
  next(): Promise<number>;
}

/** A source whose first dump is over. */
async function openSource(netns: Netns, library: string): Promise<Opened> {
  const config: NetlinkConfig = {
    type: "netlink",
    interfaces: ["Ethernet*"],
    receive_buffer_bytes: 16 * 2 ** 20,
    linger_ms: 1,
  };
  const source: Source = await createNetlinkSource(config, {
    pipeline: "bench",
    telemetry: new RecordedTelemetry(),
    library,
    namespace: netns.name,
    dryRun: false,
    acknowledge: "accepted",
    fail(error) {
      throw error;
    },
    resync() {},
  });
  const stop = new AbortController();
  const batches = source.batches(stop.signal)[Symbol.asyncIterator]();
  const take = async () => {
    const { value, done } = await batches.next();
    if (done) throw new Error("The source has ended");
    if (value.mark === "lost") throw new Error("Events were lost, so there is nothing to measure");
    return value;
  };
  while ((await take()).mark !== "dump-end");
  return {
    next: async () => (await take()).changes.length,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await batches.return?.();
      await source.close();
    },
  };
}

/** From the kernel's own time of arrival to the change, with 5 ms between the changes. */
async function latencies(netns: Netns, library: string, runs: number): Promise<Figure[]> {
  const p50: number[] = [];
  const p99: number[] = [];
  const answers: number[] = [];
  for (let run = 0; run < runs; run++) {
    await using opened = await openSource(netns, library);
    const times: number[] = [];
    let finished = false;
    const changing = load(netns, "mtu", 500, { rate: 200 }).finally(() => finished = true);
    while (!finished || times.length < 500) {
      const count = await opened.next();
      for (let event = 0; event < count; event++) times.push(performance.now());
      if (times.length >= 500) break;
    }
    const { answer } = await changing;
    // The writer's own pace is the clock: how late is each event against the earliest of all?
    const late = times.map((time, index) => time - index * 5);
    const first = Math.min(...late);
    const sorted = late.map((time) => time - first).sort((a, b) => a - b);
    p50.push(sorted[Math.floor(sorted.length * 0.5)] ?? NaN);
    p99.push(sorted[Math.floor(sorted.length * 0.99)] ?? NaN);
    answers.push(answer.p50 / 1000);
  }
  return [
    {
      what: "event at 200/s, lateness in the source, p50",
      unit: "ms",
      values: p50,
      ceiling: { value: median(answers), of: "the kernel's answer to the writer" },
    },
    { what: "event at 200/s, lateness in the source, p99", unit: "ms", values: p99 },
  ];
}

async function dump(netns: Netns, library: string): Promise<number> {
  const begin = performance.now();
  await using opened = await openSource(netns, library);
  void opened;
  return performance.now() - begin;
}

if (import.meta.main) await main(Deno.args);
