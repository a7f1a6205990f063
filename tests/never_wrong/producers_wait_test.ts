// Producers while Redis is away: they wait, nothing grows, and nothing is taken from them that
// Redis does not have, so that not even a kill of the pipeline loses any of it.
import assert from "node:assert/strict";
import { eventually, pause } from "../support/eventually.ts";
import { nativeLibrary } from "../support/native.ts";
import {
  BATCH,
  batchFrom,
  complaintAbout,
  numbersSpec,
  ringPath,
  WAYS,
} from "../support/numbers.ts";
import { serviceName } from "../support/peers.ts";
import { startPortsync } from "../support/portsync.ts";
import { startRedis } from "../support/redis.ts";

const NUMBERS = 60_000;
const BEFORE = 2000;
/** Longer than ksync waits before it says that a change waits for another row. */
const AWAY_MS = 1500;

const library = await nativeLibrary();

for (const way of Object.values(WAYS)) {
  Deno.test(`changes ${way.name} wait for a Redis that is away, whatever is killed`, async () => {
    const name = serviceName();
    await using redis = await startRedis({ persist: true });
    await using product = await startPortsync(numbersSpec(way, name, redis));
    try {
      await using producer = way.open(library, name);
      let sent = 0;
      const send = async (end: number) => {
        for (; sent < end; sent = Math.min(sent + BATCH, end)) {
          await producer.publish(batchFrom(sent, end));
        }
      };
      await send(BEFORE);
      await eventually(() => complaintAbout(redis, BEFORE));
      await redis.kill();
      const sending = send(NUMBERS);
      await pause(AWAY_MS);
      const waitingAt = sent;
      Deno.kill(await product.pipelinePid(), "SIGKILL");
      await product.logged(/ended[^]*Pipeline numbers runs/);
      await pause(AWAY_MS);
      // A ring takes what it has room for; without one not even a batch is taken.
      if (way === WAYS.ring) assert.ok(sent < NUMBERS && sent > BEFORE, `${sent} are sent`);
      else assert.equal(sent, BEFORE);
      assert.equal(sent, waitingAt);
      await redis.start();
      await sending;
      await eventually(() => complaintAbout(redis, NUMBERS), { everyMs: 100 });
      await product.stop();
    } finally {
      await Deno.remove(ringPath(name)).catch(() => {});
    }
  });
}
