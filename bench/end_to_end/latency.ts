/**
 * How long a single link change takes to become a row, as a subscriber sees it.
 *
 * @module
 */
import { buildProgram } from "../../tests/support/build_c.ts";
import { eventually } from "../../tests/support/eventually.ts";
import type { Scene } from "../../tests/support/scene.ts";

/** Between two changes, microseconds: longer than the events that the source lets gather. */
const GAP_US = 3000;

/** Microseconds from the request. */
interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** What `latency.c` measured. */
export interface Latency {
  /** The kernel's own answer to the writer. */
  readonly answer: Percentiles;
  /** The notification of the row. */
  readonly row: Percentiles;
  /** The row's p50 over the answer's. */
  readonly ratio: number;
}

/** Changes the MTU of one port `count` times while somebody writes its row. */
export async function latency(scene: Scene, count: number): Promise<Latency> {
  const program = await buildProgram("bench/end_to_end/latency.c");
  const printed = await scene.netns.exec(
    program,
    ...[scene.redis.socket, "6", "PORT_TABLE|Ethernet0", "Ethernet0", String(count)],
    String(GAP_US),
  );
  return JSON.parse(printed);
}

/** The same with a program that does the least that can be done, in the product's place. */
export async function relayLatency(scene: Scene, count: number): Promise<Latency> {
  const program = await buildProgram("bench/end_to_end/relay.c");
  const before = await clients(scene);
  const relay = scene.netns.command(program, [scene.redis.socket, "6"], {
    stdin: "null",
    stdout: "null",
  }).spawn();
  try {
    await eventually(async () => {
      return await clients(scene) > before ? undefined : "the relay does not connect";
    });
    return await latency(scene, count);
  } finally {
    relay.kill("SIGKILL");
    await relay.status;
  }
}

async function clients(scene: Scene): Promise<number> {
  return (await scene.redis.cli("CLIENT", "LIST", "TYPE", "normal")).split("\n").length;
}
