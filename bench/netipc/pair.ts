/**
 * `pair.c` in TypeScript, with the same command line and the same work: a server with a handler in
 * JavaScript, or a client that awaits its calls.
 *
 * @module
 */
import { sealNative } from "../../ffi/load.ts";
import { Client } from "../../src/netipc/client.ts";
import { SnapshotBuilder, type SnapshotView } from "../../src/netipc/codec/cgroups_snapshot.ts";
import { HEADER_BYTES, Kind, Method, writeHeader } from "../../src/netipc/codec/header.ts";
import { decodeIncrement, encodeIncrement } from "../../src/netipc/codec/increment.ts";
import type { Span } from "../../src/netipc/codec/span.ts";
import { Server, type Service } from "../../src/netipc/server.ts";
import { connectSession } from "../../src/netipc/session.ts";
import { SnapshotCache } from "../../src/netipc/cache.ts";
import { Latencies } from "./latencies.ts";

const DEPTH = 16;
const BATCH = 100;
const ITEMS = 16;

const library = new URL("../../build/libportsync.so", import.meta.url).pathname;
const [role = "", profile = "", runDir = "", service = "", what = "", seconds = "1", rate = "0"] =
  Deno.args;
const endpoint = { library, runDir, service, profile: profile === "2" ? "shm" : "uds" } as const;

function cpuSeconds(): number {
  const text = Deno.readTextFileSync("/proc/self/stat");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const INCREMENT: Service = {
  method: Method.increment,
  handle: (request, response) => encodeIncrement(response, decodeIncrement(request) + 1n),
};

const ENCODED = Array.from({ length: ITEMS }, (_, i) => {
  const number = String(i).padStart(2, "0");
  const encode = (text: string) => new TextEncoder().encode(text);
  return {
    ...{ hash: 1000 + i, options: 0, enabled: 1 },
    name: encode(`container-${number}`),
    path: encode(`/sys/fs/cgroup/docker/${number}`),
  };
});

const SNAPSHOT: Service = {
  method: Method.cgroupsSnapshot,
  handle(_request, response) {
    const builder = new SnapshotBuilder(response, ITEMS);
    for (const item of ENCODED) builder.add(item);
    return builder.finish({ systemdEnabled: 1, generation: 42n });
  },
};

async function serve(): Promise<void> {
  const limits = { maxRequestBytes: 65536, maxRequestItems: 1000, maxResponseBytes: 65536 };
  const server = new Server({ ...endpoint, ...limits }, what === "2" ? SNAPSHOT : INCREMENT);
  const running = server.start();
  console.log("READY");
  await Deno.stdin.read(new Uint8Array(1));
  await server.close();
  await running;
  console.log(JSON.stringify({ cpu: cpuSeconds() }));
}

/** Reads every item, as a program would that looks for one. */
function checkSnapshot(view: SnapshotView): void {
  let found = 0;
  for (let i = 0; i < view.count; i++) found += view.item(i).hash;
  if (found !== ITEMS * 1000 + ITEMS * (ITEMS - 1) / 2) throw new Error("wrong items");
}

async function pingPong(client: Client, latencies: Latencies): Promise<number> {
  let chain = 0n;
  let requests = 0;
  const batch = new BigUint64Array(BATCH);
  for (const turn of latencies.turns(Number(seconds), Number(rate))) {
    if (what === "snapshot") {
      checkSnapshot(await client.snapshot());
      requests++;
    } else if (what === "batch") {
      for (let i = 0; i < BATCH; i++) batch[i] = chain++;
      chain = (await client.increments(batch)).at(-1) ?? 0n;
      requests += BATCH;
    } else {
      chain = await client.increment(chain);
      requests++;
    }
    turn.done();
  }
  if (what !== "snapshot" && chain !== BigInt(requests)) throw new Error("a break in the chain");
  return requests;
}

/** Sixteen requests on their way at any time. */
async function pipeline(latencies: Latencies): Promise<number> {
  const abort = { aborted: false };
  const session = await connectSession({
    ...{ library, runDir, service, profiles: 1, authToken: 0n },
    ...{ maxRequestBytes: 65536, maxRequestItems: 1000, maxResponseBytes: 65536 },
    handshakeMs: 5000,
  }, abort);
  const { view } = session.out;
  const begun = new Float64Array(DEPTH);
  const until = performance.now() + Number(seconds) * 1000;
  let sent = 0;
  let done = 0;
  while (done < sent || performance.now() < until) {
    let length = 0;
    const now = performance.now();
    for (; sent - done < DEPTH && now < until; length += HEADER_BYTES + 8) {
      begun[sent % DEPTH] = now;
      view.setUint32(length + HEADER_BYTES, sent, true);
      view.setUint32(length + HEADER_BYTES + 4, 0, true);
      sent++;
      writeHeader(view, length, Kind.request, Method.increment, 8);
      view.setUint32(length + 24, sent, true);
    }
    if (length > 0) await session.send(length, until + 5000, abort);
    let span: Span | undefined = session.tryReceive() ??
      await session.receive(until + 5000, abort);
    for (const end = performance.now(); span !== undefined; span = session.takeMore()) {
      const value = span.view.getUint32(span.start + HEADER_BYTES, true);
      if (value !== done + 1) throw new Error("a break in the chain");
      latencies.add((end - (begun[done % DEPTH] ?? 0)) * 1e6);
      done++;
    }
  }
  await session.close();
  return done;
}

async function lookups(latencies: Latencies): Promise<number> {
  const cache = new SnapshotCache(endpoint);
  if (!await cache.refresh()) throw new Error("no snapshot");
  const names = Array.from({ length: ITEMS }, (_, i) => `container-${String(i).padStart(2, "0")}`);
  let requests = 0;
  let sum = 0;
  const start = performance.now();
  while (performance.now() - start < Number(seconds) * 1000) {
    for (let i = 0; i < 100_000; i++) {
      sum += cache.lookup(1000 + i % ITEMS, names[i % ITEMS] ?? "")?.enabled ?? 0;
    }
    requests += 100_000;
  }
  if (sum !== requests) throw new Error("an item was not found");
  latencies.add((performance.now() - start) * 1e6 / requests);
  await cache.close();
  return requests;
}

async function call(): Promise<void> {
  const latencies = new Latencies();
  const start = performance.now();
  let requests: number;
  if (what === "pipeline") requests = await pipeline(latencies);
  else if (what === "lookup") requests = await lookups(latencies);
  else {
    await using client = new Client({ ...endpoint, maxRequestBytes: 65536, maxRequestItems: 1000 });
    await client.refresh();
    requests = await pingPong(client, latencies);
  }
  const took = (performance.now() - start) / 1000;
  const { p50, p95, p99 } = latencies.percentiles();
  console.log(JSON.stringify({ requests, seconds: took, p50, p95, p99, cpu: cpuSeconds() }));
}

sealNative(library, [`${runDir}/`]);
await (role === "server" ? serve() : call());
