/**
 * A ring from a producer in C to consumers in C and in JavaScript, on two cores.
 *
 * @module
 */
import { sealNative } from "../../ffi/load.ts";
import { FRAME_HEAD_BYTES, RingConsumer } from "../../ffi/ring.ts";
import { decodeChanges } from "../../src/netipc/changes/codec.ts";
import { WireTexts } from "../../src/netipc/changes/texts.ts";
import { align8 } from "../../src/netipc/codec/span.ts";
import { linkProgram } from "../../tests/support/producer.ts";
import type { Figure } from "../support/figures.ts";
import { median } from "../support/figures.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const KINDS = ["C", "raw", "changes"] as const;

/** Reads for so long; prints records a second as JSON. Each record holds its number. */
async function consume(kind: string, path: string, seconds: number): Promise<void> {
  const library = `${ROOT}build/libportsync.so`;
  sealNative(library, [path]);
  await using ring = new RingConsumer({ library, path, capacity: 1 << 22 });
  const texts = new WireTexts();
  const { bytes, view } = ring.data;
  let records = 0;
  let start = 0;
  for (let end = Infinity; start === 0 || performance.now() < end;) {
    const length = ring.poll(50);
    if (length > 0 && start === 0) {
      start = performance.now();
      end = start + seconds * 1000;
    }
    let frames = 0;
    for (let at = 0; at < length; frames++) {
      const size = view.getUint32(at, true);
      if (kind === "raw") {
        // The number stands at the front of the frame.
        if (view.getUint32(at + FRAME_HEAD_BYTES, true) !== records % 2 ** 32) {
          throw new Error("gap");
        }
        records++;
      } else {
        const span = { bytes, view, start: at + FRAME_HEAD_BYTES, length: size };
        for (const change of decodeChanges(span, texts).changes) {
          if (change.id !== ++records) throw new Error("gap");
        }
      }
      at = align8(at + FRAME_HEAD_BYTES + size);
    }
    if (length > 0) ring.commit(length, frames);
    else await Promise.resolve();
  }
  console.log(JSON.stringify({ rate: records / ((performance.now() - start) / 1000) }));
}

async function measure(kind: typeof KINDS[number], seconds: number): Promise<number> {
  const program = await linkProgram("bench/netipc/ring.c");
  const path = `/dev/shm/portsync-bench-${crypto.randomUUID()}`;
  const shape = kind === "changes" ? "changes" : "raw";
  const produce = ["-c", "1", program, "produce", path, shape];
  const script = new URL(import.meta.url).pathname;
  const read = kind === "C"
    ? [program, "consume", path, `${seconds}`]
    : [Deno.execPath(), "run", "-q", "--no-check", "-A", script, kind, path, `${seconds}`];
  const producer = new Deno.Command("taskset", { args: produce }).spawn();
  try {
    const consumer = new Deno.Command("taskset", { args: ["-c", "0", ...read], stderr: "inherit" });
    const { stdout, success } = await consumer.output();
    if (!success) throw new Error(`The ring's consumer ${kind} failed`);
    return JSON.parse(new TextDecoder().decode(stdout)).rate;
  } finally {
    producer.kill("SIGKILL");
    await producer.status;
    await Deno.remove(path).catch(() => {});
  }
}

/** Records a second into JavaScript, raw and as changes, with a C consumer as the ceiling. */
export async function ringFigures(runs: number, seconds: number): Promise<Figure[]> {
  const rates: Record<typeof KINDS[number], number[]> = { C: [], raw: [], changes: [] };
  for (let run = 0; run < runs; run++) {
    for (const kind of KINDS) rates[kind].push(await measure(kind, seconds));
  }
  const ceiling = median(rates.C);
  const of = { value: ceiling, of: "C consumer" };
  const unit = "records/s";
  return [
    { what: "ring of 128-byte records: C consumer", unit, values: rates.C },
    {
      ...{ what: "ring of 128-byte records: JavaScript, raw", unit, values: rates.raw },
      ...{ ceiling: of, goal: { atLeast: 0.8 * ceiling } },
    },
    {
      ...{ what: "ring: JavaScript, as changes of four fields", unit, values: rates.changes },
      goal: { atLeast: 1_000_000 },
    },
  ];
}

if (import.meta.main) {
  const [kind = "", path = "", seconds = "1"] = Deno.args;
  await consume(kind, path, Number(seconds));
}
