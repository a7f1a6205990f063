/**
 * What `portsync ipc` and `portsync ring` do with a peer, in a process that may do nothing else:
 * one line of JSON on standard input says what, one on standard output is the answer.
 *
 * @module
 */
import { RingLook } from "../../ffi/ring.ts";
import { sealNative } from "../../ffi/load.ts";
import { Client } from "./client.ts";
import { Kind, Status, writeHeader } from "./codec/header.ts";
import type { ProfileChoice } from "./endpoint.ts";
import { type Endpoint, profilesOf } from "./endpoint.ts";
import { NetipcError } from "./errors.ts";
import { connectSession, type Session } from "./session.ts";

/** What is asked of a service. */
export interface IpcJob extends Endpoint {
  readonly job: "ping" | "status" | "snapshot";
  /** Absolute path of the native library. */
  readonly library: string;
  readonly profile: ProfileChoice;
  /** In decimal; JSON has no numbers of 64 bits. */
  readonly token: string;
  readonly timeoutMs: number;
  /** Round trips of a ping. */
  readonly count: number;
}

/** What is asked of a ring. */
export interface RingJob {
  readonly job: "ring";
  /** Absolute path of the native library. */
  readonly library: string;
  readonly file: string;
}

/** A method that no service has: the answer says so, and the session goes on. */
const NO_METHOD = 0;
const HEADER_BYTES = 32;

async function connect(job: IpcJob): Promise<Session> {
  return await connectSession({
    ...{ library: job.library, runDir: job.runDir, service: job.service },
    ...{ profiles: profilesOf(job.profile), authToken: BigInt(job.token) },
    ...{ maxRequestBytes: 1024, maxRequestItems: 1, maxResponseBytes: 65536 },
    handshakeMs: job.timeoutMs,
  }, { aborted: false });
}

async function status(job: IpcJob): Promise<unknown> {
  const start = performance.now();
  await using session = await connect(job);
  const connectMs = performance.now() - start;
  const { profile, requestBytes, requestItems, responseBytes, packetSize, sessionId } =
    session.agreed;
  return { profile, requestBytes, requestItems, responseBytes, packetSize, sessionId, connectMs };
}

async function ping(job: IpcJob): Promise<unknown> {
  await using session = await connect(job);
  const tripsMs: number[] = [];
  // The first trip finds neither side awake nor its code compiled, and is not counted.
  for (let id = 0; id <= job.count; id++) {
    const { view } = session.out;
    writeHeader(view, 0, Kind.request, NO_METHOD, 0);
    view.setUint32(24, id + 1, true);
    const start = performance.now();
    await session.exchange(HEADER_BYTES, job.timeoutMs, { aborted: false });
    if (id > 0) tripsMs.push(performance.now() - start);
  }
  return { profile: session.agreed.profile, tripsMs };
}

async function snapshot(job: IpcJob): Promise<unknown> {
  await using client = new Client({ ...job, authToken: BigInt(job.token) });
  await client.refresh();
  // A client that is not ready does not know why; connecting once more says it.
  if (client.state !== "ready") await status(job);
  try {
    const { items, generation, systemdEnabled } = (await client.snapshot()).materialize();
    return { items, generation: `${generation}`, systemdEnabled };
  } catch (cause) {
    if (!(cause instanceof NetipcError) || cause.status !== Status.unsupported) throw cause;
    throw new Error(`The netipc service ${job.service} has no snapshots to offer`, { cause });
  }
}

async function ring({ library, file }: RingJob): Promise<unknown> {
  await using look = new RingLook({ library, path: file });
  return look.stat();
}

async function main(): Promise<void> {
  // What comes on standard input was written by `src/cli/tool.ts`.
  const job: IpcJob | RingJob = JSON.parse(await new Response(Deno.stdin.readable).text());
  const paths = job.job === "ring" ? [job.file] : [`${job.runDir}/`];
  sealNative(job.library, paths);
  const answer = job.job === "ring"
    ? await ring(job)
    : await { ping, status, snapshot }[job.job](job);
  console.log(JSON.stringify({ answer }));
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
    Deno.exit(1);
  }
}
