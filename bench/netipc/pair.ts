/**
 * `pair.c` in TypeScript, with the same command line and the same work: a server with a handler in
 * JavaScript, or a client that waits for its answers where they do not come at once.
 *
 * @module
 */
import { sealNative } from "../../ffi/load.ts";
import { Client } from "../../src/netipc/client.ts";
import { IncrementsCall, type MethodCall, SNAPSHOT } from "../../src/netipc/calls.ts";
import {
  decodeSnapshotRequest,
  SnapshotBuilder,
  type SnapshotView,
} from "../../src/netipc/codec/cgroups_snapshot.ts";
import { HEADER_BYTES, Kind, Method, writeHeader } from "../../src/netipc/codec/header.ts";
import {
  decodeIncrement,
  decodeIncrements,
  encodeIncrement,
  encodeIncrements,
} from "../../src/netipc/codec/increment.ts";
import type { Span } from "../../src/netipc/codec/span.ts";
import { Server, type Service } from "../../src/netipc/server.ts";
import { connectSession } from "../../src/netipc/session.ts";
import { SnapshotCache } from "../../src/netipc/cache.ts";
import { cpuSeconds, Latencies, Pace, sleepUntil } from "./latencies.ts";

const DEPTH = 16;
const BATCH = 100;
const ITEMS = 16;
const KEYS = 4096;
const NO_KEY = { hash: 0, name: "", path: "" };
/** So many lookups are measured together at full speed. */
const LOOKUPS_A_LOOK = 256;

const library = new URL("../../build/libportsync.so", import.meta.url).pathname;
const [role = "", profile = "", runDir = "", service = "", what = "", seconds = "1", rate = "0"] =
  Deno.args;
const endpoint = { library, runDir, service, profile: profile === "2" ? "shm" : "uds" } as const;

let numbers = new BigUint64Array();
const INCREMENT: Service = {
  method: Method.increment,
  handle: (request, response) => encodeIncrement(response, decodeIncrement(request) + 1n),
  handleBatch(request, items, response) {
    if (numbers.length !== items) numbers = new BigUint64Array(items);
    decodeIncrements(request, items, numbers);
    // An iterator would make an object of each number.
    for (let i = 0; i < items; i++) numbers[i] = (numbers[i] ?? 0n) + 1n;
    return encodeIncrements(response, numbers);
  },
};

/** Increments without a BigInt, which would be an object for each number. */
class Count implements MethodCall<number> {
  readonly method: number = Method.increment;
  value = 0;

  write({ view, start }: Span): number {
    view.setUint32(start, this.value, true);
    view.setUint32(start + 4, this.value / 2 ** 32, true);
    return 8;
  }

  read({ view, start, length }: Span): number {
    if (length < 8) throw new Error("a short answer");
    return view.getUint32(start, true) + view.getUint32(start + 4, true) * 2 ** 32;
  }
}

const ENCODED = Array.from({ length: ITEMS }, (_, i) => {
  const number = String(i).padStart(2, "0");
  const encode = (text: string) => new TextEncoder().encode(text);
  return {
    ...{ hash: 1000 + i, options: 0, enabled: 1 },
    name: encode(`container-${number}`),
    path: encode(`/sys/fs/cgroup/docker/${number}`),
  };
});

let generation = 0n;
const SNAPSHOT_SERVICE: Service = {
  method: Method.cgroupsSnapshot,
  handle(request, response) {
    decodeSnapshotRequest(request);
    const builder = new SnapshotBuilder(response, ITEMS);
    for (const item of ENCODED) builder.add(item);
    return builder.finish({ systemdEnabled: 1, generation: generation++ });
  },
};

async function serve(): Promise<void> {
  const limits = { maxRequestBytes: 65536, maxRequestItems: 1000, maxResponseBytes: 65536 };
  const server = new Server(
    { ...endpoint, ...limits },
    what === "2" ? SNAPSHOT_SERVICE : INCREMENT,
  );
  const running = server.start();
  const before = cpuSeconds();
  console.log("READY");
  await Deno.stdin.read(new Uint8Array(1));
  await server.close();
  await running;
  console.log(JSON.stringify({ cpu: cpuSeconds() - before }));
}

/** Reads one item, as a program would that looks for one. */
function checkSnapshot(view: SnapshotView, turn: number): void {
  if (view.count !== ITEMS || view.generation !== BigInt(turn)) throw new Error("a wrong snapshot");
  if (view.item(turn % ITEMS).hash !== 1000 + turn % ITEMS) throw new Error("a wrong item");
}

/** A batch of numbers below 2^32, as words: a BigInt would be an object for each. */
class Numbers {
  readonly values = new BigUint64Array(BATCH);
  readonly #words = new Uint32Array(this.values.buffer);

  fill(chain: number): void {
    for (let i = 0; i < BATCH; i++) this.#words[2 * i] = chain + i;
  }

  /** Whether each is the number behind the one that `fill` put there. */
  check(chain: number): void {
    const words = this.#words;
    let wrong = chain > 2 ** 32 - BATCH ? 1 : 0;
    for (let i = 0; i < BATCH; i++) {
      wrong |= (words[2 * i] ?? 0) ^ chain + i + 1 | (words[2 * i + 1] ?? 0);
    }
    if (wrong !== 0) throw new Error("a break in the chain");
  }
}

async function pingPong(client: Client, pace: Pace): Promise<number> {
  const count = new Count();
  let turn = 0;
  for (; pace.begin(turn); turn++) {
    const answer = client.ask(count);
    count.value = typeof answer === "number" ? answer : await answer;
    pace.end(turn);
  }
  if (count.value !== turn) throw new Error("a break in the chain");
  return turn;
}

async function batches(client: Client, pace: Pace): Promise<number> {
  const numbers = new Numbers();
  const call = new IncrementsCall(numbers.values, numbers.values);
  let turn = 0;
  for (; pace.begin(turn); turn++) {
    numbers.fill(turn * BATCH);
    const answer = client.ask(call);
    if (answer instanceof Promise) await answer;
    numbers.check(turn * BATCH);
    pace.end(turn);
  }
  return turn * BATCH;
}

async function snapshots(client: Client, pace: Pace): Promise<number> {
  let turn = 0;
  for (; pace.begin(turn); turn++) {
    const answer = client.ask(SNAPSHOT);
    checkSnapshot(answer instanceof Promise ? await answer : answer, turn);
    pace.end(turn);
  }
  return turn;
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
  const start = latencies.begin();
  const until = start + Number(seconds) * 1000;
  const perMs = Number(rate) > 0 ? Number(rate) / 1000 : Infinity;
  let sent = 0;
  let done = 0;
  while (done < sent || performance.now() < until) {
    let length = 0;
    const now = sleepUntil(sent === done ? start + sent / perMs : 0);
    const most = (now - start) * perMs + 1;
    for (; sent - done < DEPTH && sent < most && now < until; length += HEADER_BYTES + 8) {
      begun[sent % DEPTH] = now;
      view.setUint32(length + HEADER_BYTES, sent, true);
      view.setUint32(length + HEADER_BYTES + 4, 0, true);
      sent++;
      writeHeader(view, length, Kind.request, Method.increment, 8);
      view.setUint32(length + 24, sent, true);
    }
    if (length > 0) await session.send(length, until + 5000, abort);
    if (done === sent) continue;
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

/** Many keys, of which every fourth is not there, in an order that no predictor knows. */
async function lookups(latencies: Latencies): Promise<number> {
  await using cache = new SnapshotCache(endpoint);
  if (!await cache.refresh()) throw new Error("no snapshot");
  const keys = Array.from({ length: KEYS }, (_, i) => {
    const number = i * 7919 % ITEMS;
    const known = i % 4 !== 0;
    const name = `container-${String(known ? number : number + ITEMS).padStart(2, "0")}`;
    return {
      hash: 1000 + number,
      name,
      path: known ? `/sys/fs/cgroup/docker/${name.slice(-2)}` : "",
    };
  });
  const often = Number(rate) > 0 ? 1 : LOOKUPS_A_LOOK;
  const start = latencies.begin();
  const until = start + Number(seconds) * 1000;
  let requests = 0;
  for (let before = start; before < until;) {
    if (Number(rate) > 0) before = sleepUntil(start + requests * 1000 / Number(rate));
    let wrong = 0;
    for (let i = 0; i < often; i++) {
      const { hash, name, path } = keys[(requests + i) % KEYS] ?? NO_KEY;
      if ((cache.lookup(hash, name)?.path ?? "") !== path) wrong++;
    }
    if (wrong > 0) throw new Error("a wrong item");
    requests += often;
    const after = performance.now();
    latencies.add((after - before) * 1e6 / often);
    before = after;
  }
  return requests;
}

async function call(): Promise<void> {
  const latencies = new Latencies();
  if (what === "pipeline") return latencies.report(await pipeline(latencies));
  if (what === "lookup") return latencies.report(await lookups(latencies));
  await using client = new Client({ ...endpoint, maxRequestBytes: 65536, maxRequestItems: 1000 });
  await client.refresh();
  const shape = { "ping-pong": pingPong, batch: batches, snapshot: snapshots }[what] ?? pingPong;
  const pace = new Pace(latencies, Number(seconds), Number(rate));
  latencies.report(await shape(client, pace));
}

sealNative(library, [`${runDir}/`]);
await (role === "server" ? serve() : call());
