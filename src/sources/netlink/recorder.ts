/**
 * Records what the kernel says of links, for `portsync record`: a dump, then every event, until
 * told to stop.
 *
 * @module
 */
import { RetryLaterError } from "../../core/errors.ts";
import { namespacePath } from "../../core/namespace.ts";
import { DumpSchedule } from "../../../ffi/dump_schedule.ts";
import { LinkSocket } from "../../../ffi/netlink.ts";
import {
  PS_DUMP_END,
  PS_DUMP_FAILED,
  PS_DUMP_INTERRUPTED,
  PS_LOST,
} from "../../../ffi/records.gen.ts";
import { type RecordingSink, RecordingWriter } from "../replay/format.ts";

/** Where to record and what. */
export interface RecordLinksOptions {
  /** Absolute path of the native library, sealed with the namespace's path if there is one. */
  readonly library: string;
  /** Name of a network namespace; default the process's own. */
  readonly namespace?: string | undefined;
  /** Where the recording goes; the caller opens and closes it. */
  readonly sink: RecordingSink;
  /** Ends the recording in order. */
  readonly signal: AbortSignal;
  /** Wish for the receive buffer; default 16 MiB. */
  readonly receiveBytes?: number;
  /** Called after every write. */
  readonly onProgress?: (summary: RecordSummary) => void;
}

/** What a recording holds so far. */
export interface RecordSummary {
  readonly frames: number;
  readonly bytes: number;
  /** Complete dumps. */
  readonly dumps: number;
  /** Times that events were lost. */
  readonly lost: number;
  /** Whether a dump is owed or under way; then a replay would end with old rows. */
  readonly behind: boolean;
}

/**
 * Records until `signal` aborts. As the source does, it dumps all links at the start and after
 * every loss, so that a replay comes to the same rows.
 *
 * @throws {StopError | RetryLaterError} when the sockets cannot be opened or the sink not written
 */
export async function recordLinks(options: RecordLinksOptions): Promise<RecordSummary> {
  const { library, namespace, sink, signal, receiveBytes } = options;
  await using socket = new LinkSocket({
    library,
    namespace: namespace === undefined ? undefined : namespacePath(namespace),
    frames: true,
    ...(receiveBytes !== undefined && { receiveBytes }),
  });
  const writer = new RecordingWriter(sink);
  const schedule = new DumpSchedule();
  const summary = { frames: 0, bytes: 0, dumps: 0, lost: 0, behind: true };
  const wake = () => socket.wake();
  signal.addEventListener("abort", wake);
  try {
    await writer.begin(Date.now());
    schedule.want(performance.now());
    while (!signal.aborted) {
      dumpIfDue(socket, schedule);
      const due = schedule.dueIn(performance.now());
      const size = await socket.wait(due === undefined ? {} : { timeoutMs: Math.ceil(due) });
      for (const mark of await writer.write(socket.view.bytes.subarray(0, size))) {
        note(mark, schedule, summary);
      }
      summary.frames = writer.frames;
      summary.bytes = writer.bytes;
      summary.behind = schedule.running || schedule.dueIn(0) !== undefined;
      if (size > 0) options.onProgress?.(summary);
    }
    await writer.end(Date.now());
  } finally {
    signal.removeEventListener("abort", wake);
  }
  return { ...summary, bytes: writer.bytes };
}

function dumpIfDue(socket: LinkSocket, schedule: DumpSchedule): void {
  if (schedule.dueIn(performance.now()) !== 0) return;
  schedule.begun();
  try {
    socket.dump();
  } catch (error) {
    if (!(error instanceof RetryLaterError)) throw error;
    schedule.ended(performance.now(), false);
  }
}

function note(
  mark: number,
  schedule: DumpSchedule,
  summary: { dumps: number; lost: number },
): void {
  switch (mark) {
    case PS_DUMP_END:
      summary.dumps++;
      schedule.ended(performance.now(), true);
      break;
    case PS_DUMP_INTERRUPTED:
    case PS_DUMP_FAILED:
      schedule.ended(performance.now(), false);
      break;
    case PS_LOST:
      summary.lost++;
      schedule.want(performance.now());
      break;
  }
}
