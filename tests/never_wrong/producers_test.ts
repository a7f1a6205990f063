// Producers send numbered changes while the pipeline, or all of portsync, is killed again and
// again: none is missing at the end, and no key ever goes back.
// `deno test … -- --changes=1000000` sends so many.
import assert from "node:assert/strict";
import { eventually, pause } from "../support/eventually.ts";
import { nativeLibrary } from "../support/native.ts";
import {
  BATCH,
  batchFrom,
  BUSY_KEYS,
  complaintAbout,
  LONG_MS,
  numbersSpec,
  Observer,
  type Producer,
  ringPath,
  wantedChanges,
  type Way,
  WAYS,
} from "../support/numbers.ts";
import { serviceName } from "../support/peers.ts";
import { type Portsync, startPortsync } from "../support/portsync.ts";
import { proportionalMemory } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";

const CHANGES = wantedChanges(20_000);
const KILLS = 5;

const library = await nativeLibrary();
const ways = Object.entries(WAYS);

/** Waits until so many numbers are sent that it is time for a kill. */
async function timeFor(kill: number, sent: () => number): Promise<void> {
  await eventually(
    () => sent() >= CHANGES * kill / (KILLS + 1) ? undefined : `only ${sent()} are sent`,
    { withinMs: LONG_MS, everyMs: 2 },
  );
}

/** Waits for the rows, and holds every write against what was sent. */
async function checkRows(redis: RedisServer, observer: Observer): Promise<void> {
  await eventually(() => complaintAbout(redis, CHANGES), { withinMs: LONG_MS, everyMs: 200 });
  assert.ok(observer.writes >= Math.min(BUSY_KEYS, CHANGES));
  assert.deepEqual(observer.backwards, []);
}

/** Sends every number, in its order. */
async function sendAll(way: Way, producer: Producer, told: (sent: number) => void): Promise<void> {
  for (let first = 0; first < CHANGES; first += BATCH) {
    await producer.publish(batchFrom(first, CHANGES));
    told(first + BATCH);
    // A ring takes all at once; the kills shall come while the pipeline works.
    if (way === WAYS.ring && CHANGES < 100_000) await pause(2);
  }
}

/** One line about a long run, for whoever asked for it. */
async function report(way: Way, product: Portsync, startedAt: number): Promise<void> {
  if (CHANGES < 100_000) return;
  const seconds = (performance.now() - startedAt) / 1000;
  const memory = proportionalMemory(await product.pipelinePid()) / 2 ** 20;
  console.log(
    `${way.name}: ${CHANGES} numbers in ${seconds.toFixed(1)} s, ` +
      `${Math.round(2 * CHANGES / seconds)} changes/s; the pipeline holds ${memory.toFixed(0)} MiB`,
  );
}

for (const [, way] of ways) {
  Deno.test(`changes ${way.name} survive five kills of the pipeline`, async () => {
    const name = serviceName();
    await using redis = await startRedis();
    await using observer = new Observer(redis);
    await using product = await startPortsync(numbersSpec(way, name, redis));
    await product.pipelinePid();
    const startedAt = performance.now();
    let sent = 0;
    await using producer = way.open(library, name);
    const sending = sendAll(way, producer, (number) => sent = number);
    for (let kill = 1; kill <= KILLS; kill++) {
      await timeFor(kill, () => sent);
      Deno.kill(await product.pipelinePid(), "SIGKILL");
    }
    await sending;
    await checkRows(redis, observer);
    await report(way, product, startedAt);
    await product.stop();
    await Deno.remove(ringPath(name)).catch(() => {});
  });

  Deno.test(`changes ${way.name} survive five kills of all of portsync`, async () => {
    const name = serviceName();
    const folder = await Deno.makeTempDir({ prefix: "portsync-killed-" });
    await using redis = await startRedis();
    await using observer = new Observer(redis);
    const start = () => startPortsync(numbersSpec(way, name, redis), { folder });
    let product = await start();
    try {
      await product.pipelinePid();
      let sent = 0;
      await using producer = way.open(library, name);
      const sending = sendAll(way, producer, (number) => sent = number);
      for (let kill = 1; kill <= KILLS; kill++) {
        await product.pipelinePid();
        await timeFor(kill, () => sent);
        await product.kill();
        product = await start();
      }
      await sending;
      await checkRows(redis, observer);
      // The last kill may have come when everything was there, and it listens for no signal yet.
      await product.pipelinePid();
      await product.stop();
    } finally {
      await product[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
      await Deno.remove(ringPath(name)).catch(() => {});
    }
  });
}
