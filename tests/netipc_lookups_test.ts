// Lookups of many rounds, and servers whose answers do not fit the questions.
import assert from "node:assert/strict";
import { AppsLookupBuilder, AppsRequestView, AppStatus } from "../src/netipc/codec/apps_lookup.ts";
import {
  CgroupsLookupBuilder,
  CgroupsRequestView,
  CgroupStatus,
} from "../src/netipc/codec/cgroups_lookup.ts";
import { Method } from "../src/netipc/codec/header.ts";
import { type Span, spanOf } from "../src/netipc/codec/span.ts";
import { lookupApps, lookupCgroups } from "../src/netipc/lookups.ts";
import type { Server, SyncService } from "../src/netipc/server.ts";
import { eventually, pause } from "./support/eventually.ts";
import { fails, readyClient, startServer } from "./support/netipc.ts";
import { serviceName, startPeerServer } from "./support/peers.ts";

/** A service about cgroups whose answer is made of the paths that were asked for. */
function cgroups(answer: (paths: string[], response: Span) => number): SyncService {
  return {
    method: Method.cgroupsLookup,
    handle: (request, response) => answer(new CgroupsRequestView(request).materialize(), response),
  };
}

/** A service about processes, as {@linkcode cgroups}. */
function apps(answer: (pids: number[], response: Span) => number): SyncService {
  return {
    method: Method.appsLookup,
    handle: (request, response) => answer(new AppsRequestView(request).materialize(), response),
  };
}

/** An answer about these paths with these states. */
function states(response: Span, paths: readonly string[], all: readonly number[]): number {
  const builder = new CgroupsLookupBuilder(response, paths);
  for (const [i] of paths.entries()) builder.add({ status: all[i] ?? 0, name: "" });
  return builder.finish(1n);
}

const { known, payloadExceeded, oversizedItem } = CgroupStatus;

Deno.test("an answer that does not fit the question fails the lookup, and breaks the client", async (t) => {
  const wrong: readonly [what: string, service: SyncService][] = [
    ["fewer items", cgroups((paths, to) => states(to, paths.slice(1), []))],
    ["more items", cgroups((paths, to) => states(to, [...paths, "/more"], []))],
    ["another path", cgroups((paths, to) => states(to, paths.with(1, "/c"), []))],
    ["a longer path", cgroups((paths, to) => states(to, paths.with(1, "/bb"), []))],
    ["another order", cgroups((paths, to) => states(to, paths.toReversed(), []))],
    [
      "an answer behind one that did not fit",
      cgroups((paths, to) => states(to, paths, [known, payloadExceeded, known])),
    ],
    [
      "an unknown behind one that did not fit",
      cgroups((paths, to) => states(to, paths, [known, payloadExceeded, oversizedItem])),
    ],
  ];
  for (const [what, service] of wrong) {
    await t.step(what, async () => {
      await using server = startServer({}, service);
      await using client = await readyClient(server.service);
      await fails("protocol", lookupCgroups(client, ["/a", "/b", "/d"]));
      assert.equal(client.state, "broken");
      assert.equal(server.status().requests, 2);
    });
  }
  await t.step("another pid", async () => {
    await using server = startServer(
      {},
      apps((pids, to) => {
        const builder = new AppsLookupBuilder(to, pids.map((pid) => pid + 1));
        for (const _ of pids) builder.add({ status: AppStatus.unknown });
        return builder.finish(1n);
      }),
    );
    await using client = await readyClient(server.service);
    await fails("protocol", lookupApps(client, [1]));
  });
});

Deno.test("a service that has no room for a single answer fails the lookup", async () => {
  const all = (status: number) =>
    cgroups((paths, to) => states(to, paths, paths.map(() => status)));
  await using server = startServer({ maxResponseBytes: 1024 }, all(payloadExceeded));
  await using client = await readyClient(server.service, { maxResponseBytes: 1 << 20 });
  await fails("overflow", lookupCgroups(client, ["/a", "/b"]));
  assert.equal(client.state, "broken");
  // One that is too large by itself is an answer.
  await using other = startServer({ maxResponseBytes: 1024 }, all(oversizedItem));
  await using second = await readyClient(other.service);
  const items = (await lookupCgroups(second, ["/a", "/b"])).materialize();
  assert.deepEqual(items.map(({ status }) => status), [oversizedItem, oversizedItem]);
});

Deno.test("a lookup whose service changes its mind between two rounds fails, and the client does not", async () => {
  let generation = 0n;
  await using server = startServer(
    {},
    apps((pids, to) => {
      const builder = new AppsLookupBuilder(to, pids);
      for (const _ of pids) builder.add({ status: AppStatus.unknown });
      return builder.finish(generation++);
    }),
  );
  await using client = await readyClient(server.service, { maxRequestBytes: 48 });
  await fails("protocol", lookupApps(client, [1, 2, 3]));
  assert.equal(client.state, "ready");
  const view = await lookupApps(client, [1, 2], { signal: new AbortController().signal });
  assert.equal(view.generation, 2n);
});

/** Answers every pid as unknown. */
const UNKNOWN = apps((pids, to) => {
  const builder = new AppsLookupBuilder(to, pids);
  for (const _ of pids) builder.add({ status: AppStatus.unknown });
  return builder.finish(1n);
});

Deno.test("a lookup takes as many rounds as its keys need, but not without end", async () => {
  await using server = startServer({}, UNKNOWN);
  // One pid fits into a request, or three.
  await using narrow = await readyClient(server.service, { maxRequestBytes: 32 });
  assert.equal((await lookupApps(narrow, [1, 2, 3, 4])).count, 4);
  assert.equal(server.status().requests, 4);
  await using wider = await readyClient(server.service, { maxRequestBytes: 64 });
  assert.equal((await lookupApps(wider, [1, 2, 3, 4])).count, 4);
  assert.equal(server.status().requests, 6);
  await using none = await readyClient(server.service, { maxRequestBytes: 31 });
  await fails("overflow", lookupApps(none, [1]));

  await using foreign = await startPeerServer(serviceName(), 1, Method.appsLookup);
  await using caller = await readyClient(foreign.service, { maxRequestBytes: 32 });
  await fails("overflow", lookupApps(caller, Array.from({ length: 4097 }, (_, i) => i)));
  const { state, callCount } = caller.status();
  assert.deepEqual([state, callCount], ["ready", 4096]);
});

Deno.test("a path that no request can hold is oversized, and the others are asked for", async () => {
  await using server = startServer({}, cgroups((paths, to) => states(to, paths, [])));
  await using client = await readyClient(server.service, { maxRequestBytes: 40 });
  const long = `/${"x".repeat(40)}`;
  const view = await lookupCgroups(client, [long, "/a", long, long, "/b", long]);
  assert.deepEqual(view.materialize().map(({ status }) => status), [4, 0, 4, 4, 0, 4]);
  assert.equal(view.generation, 1n);
  assert.equal(server.status().requests, 2);
  const alone = await lookupCgroups(client, [long]);
  assert.deepEqual([alone.count, alone.generation], [1, 0n]);
  assert.equal(server.status().requests, 2);
  // No keys are a question, too.
  assert.equal((await lookupCgroups(client, [])).generation, 1n);
  assert.equal(server.status().requests, 3);
});

Deno.test("the answers of a lookup have an end, too", async () => {
  const large = new Uint8Array(500_000).fill(110);
  await using server = startServer(
    { maxResponseBytes: 1 << 20 },
    cgroups((paths, to) => {
      const builder = new CgroupsLookupBuilder(to, paths);
      for (const _ of paths) builder.add({ status: known, name: large });
      return builder.finish(1n);
    }),
  );
  await using client = await readyClient(server.service, { profile: "shm" });
  const paths = Array.from({ length: 140 }, (_, i) => `/${i}`);
  await fails("overflow", lookupCgroups(client, paths));
  assert.equal(client.state, "ready");
});

Deno.test("all rounds of a lookup share its time", async () => {
  let waiting = 0;
  await using server = startServer({}, {
    method: Method.appsLookup,
    async handleLater(request) {
      waiting++;
      await pause(60);
      waiting--;
      const pids = new AppsRequestView(request).materialize();
      const bytes = new Uint8Array(4096);
      const builder = new AppsLookupBuilder(spanOf(bytes), pids);
      for (const _ of pids) builder.add({ status: AppStatus.unknown });
      return bytes.subarray(0, builder.finish(1n));
    },
  });
  const pids = Array.from({ length: 50 }, (_, i) => i);
  // Each round would have time enough.
  await using client = await readyClient(server.service, { maxRequestBytes: 32, timeoutMs: 200 });
  await fails("timeout", lookupApps(client, pids));
  // The time was over in a call, which breaks the client, or between two.
  await client.refresh();
  await fails("timeout", lookupApps(client, pids, { timeoutMs: 100 }));
  await eventually(() => waiting === 0 ? undefined : "answers are still made");

  // The first answer comes when the time is over, but before the client has looked at the clock.
  await using late: Server & { readonly service: string } = startServer({}, {
    method: Method.appsLookup,
    handle(request, response, session) {
      const isFirst = late.status().requests === 1;
      if (isFirst) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
      return UNKNOWN.handle(request, response, session);
    },
  });
  const limits = { maxRequestBytes: 32, timeoutMs: 300 };
  await using caller = await readyClient(late.service, { profile: "uds", ...limits });
  await fails("timeout", lookupApps(caller, [1, 2]));
  assert.deepEqual([caller.state, caller.status().callCount], ["ready", 1]);
});
