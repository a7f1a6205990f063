// Every decoder on damaged messages: it refuses them with a CodecError, or what it gives can be
// read to the end. PORTSYNC_FUZZ_RUNS sets how many messages are tried, PORTSYNC_FUZZ_SEED which.
import assert from "node:assert/strict";
import { AppsLookupView, AppsRequestView } from "./apps_lookup.ts";
import { BatchView } from "./batch.ts";
import { CgroupsLookupView, CgroupsRequestView } from "./cgroups_lookup.ts";
import { decodeSnapshotRequest, SnapshotView } from "./cgroups_snapshot.ts";
import { CodecError } from "./errors.ts";
import { decodeHeader } from "./header.ts";
import { decodeHello, decodeHelloAck } from "./hello.ts";
import { decodeIncrement } from "./increment.ts";
import { CORPUS } from "./fuzz_corpus.ts";
import type { Span } from "./span.ts";
import { decodeString } from "./string_reverse.ts";

const RUNS = Number(Deno.env.get("PORTSYNC_FUZZ_RUNS") ?? 20_000);
const SEED = Number(Deno.env.get("PORTSYNC_FUZZ_SEED") ?? 1);

const DECODERS: Readonly<Record<string, (span: Span) => unknown>> = {
  header: decodeHeader,
  hello: decodeHello,
  helloAck: decodeHelloAck,
  increment: decodeIncrement,
  string: decodeString,
  batch: (span) => new BatchView(span, 3).materialize(),
  snapshotRequest: decodeSnapshotRequest,
  snapshot: (span) => new SnapshotView(span).materialize(),
  cgroupsRequest: (span) => new CgroupsRequestView(span).materialize(),
  cgroups: (span) => new CgroupsLookupView(span).materialize(),
  appsRequest: (span) => new AppsRequestView(span).materialize(),
  apps: (span) => new AppsLookupView(span).materialize(),
};

const INTERESTING = [
  0,
  1,
  7,
  8,
  9,
  16,
  24,
  31,
  32,
  63,
  0x7fffffff,
  0x80000000,
  0xfffffff8,
  0xffffffff,
];

/** Numbers below 2^32 that look random, always the same ones (xorshift). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b1 >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Damages a message in place; returns its new length. */
function damage(span: Span, length: number, random: (below: number) => number): number {
  for (let i = random(4); i >= 0; i--) {
    const at = random(length + 1);
    switch (random(6)) {
      case 0:
        span.bytes[span.start + at] = random(256);
        break;
      case 1:
        span.bytes[span.start + at] = (span.bytes[span.start + at] ?? 0) ^ 1 << random(8);
        break;
      case 2: {
        const value = INTERESTING[random(INTERESTING.length)] ?? 0;
        span.view.setUint32(span.start + (at & ~3), value, true);
        break;
      }
      case 3: {
        const field = span.start + (at & ~3);
        span.view.setUint32(field, span.view.getUint32(field, true) + random(17) - 8, true);
        break;
      }
      case 4:
        length = at;
        break;
      default:
        length = Math.min(length + random(32), span.bytes.length - span.start - 8);
    }
  }
  return length;
}

for (const [name, decode] of Object.entries(DECODERS)) {
  Deno.test(`the decoder of ${name} refuses damaged messages, or reads them to the end`, () => {
    const random = randomNumbers(SEED);
    const seeds = (CORPUS[name] ?? []).map((hex) => Uint8Array.fromHex(hex));
    assert.ok(seeds.length > 0);
    const bytes = new Uint8Array(1024);
    const view = new DataView(bytes.buffer);
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const seed = seeds[run % seeds.length] ?? bytes;
      const start = random(3) * 8;
      bytes.fill(0xa5);
      bytes.set(seed, start);
      const span = { view, bytes, start, length: seed.length };
      const length = damage(span, seed.length, random);
      try {
        decode({ ...span, length });
      } catch (error) {
        if (!(error instanceof CodecError)) {
          throw new Error(`run ${run}: ${error}`, { cause: error });
        }
        refused++;
      }
    }
    assert.ok(refused > 0);
    if (RUNS > 1000) assert.ok(refused < RUNS, "no message was taken");
  });
}
