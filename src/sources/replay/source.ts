/**
 * The `replay` source: a recording of link datagrams through the decoder and the table of the
 * netlink source, without a kernel and without privileges.
 *
 * @module
 */
import type { Batch } from "../../core/change.ts";
import type { Context } from "../../core/component.ts";
import { StopError } from "../../core/errors.ts";
import { compileGlobs } from "../../core/glob.ts";
import type { Source } from "../../core/stage.ts";
import type { ReplayConfig } from "../../../schemas/replay.ts";
import { LinkDecoder } from "../../../ffi/netlink.ts";
import { LinkBatches } from "../netlink/link_batches.ts";
import { LinkTable } from "../netlink/link_table.ts";
import { type RecordedFrame, RecordingError, RecordingParser } from "./format.ts";

const CHUNK_BYTES = 256 * 1024;
/** Frames that are decoded together at most; the decoder takes fewer if it has to. */
const RUN_BYTES = 128 * 1024;
/** Timers hold 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Opens the recording; its frames are read as `batches` asks for them. */
export default async function createReplaySource(
  config: ReplayConfig,
  context: Context,
): Promise<Source> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(config.file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StopError(`Cannot open the recording ${config.file}: ${reason}`, { cause });
  }
  try {
    return new ReplaySource(config, context, file);
  } catch (error) {
    file.close();
    throw error;
  }
}

class ReplaySource implements Source {
  readonly #config: ReplayConfig;
  readonly #context: Context;
  readonly #file: Deno.FsFile;
  readonly #decoder: LinkDecoder;
  readonly #reader: LinkBatches;
  #closed = false;

  constructor(config: ReplayConfig, context: Context, file: Deno.FsFile) {
    this.#config = config;
    this.#context = context;
    this.#file = file;
    const { telemetry } = context;
    const rejected = telemetry.counter("replay_rejected_names_total");
    const lost = telemetry.counter("replay_lost_total");
    const table = new LinkTable({
      ...(config.interfaces && { follows: compileGlobs(config.interfaces) }),
      extraFields: config.extra_fields ?? [],
      onRejected: (name, ifindex) => {
        rejected.value++;
        telemetry.log.warn("A link's name cannot be a key, so the link is left out", {
          name,
          ifindex,
        });
      },
    });
    this.#reader = new LinkBatches(table, { lost: () => lost.value++ });
    this.#decoder = new LinkDecoder(context.library);
    telemetry.gauge("replay_links", () => table.size);
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
    const parser = new RecordingParser();
    const clock = new Clock(this.#config.pace === "recorded");
    for await (const frames of this.#runs(parser)) {
      await clock.reach(frames[0]?.time ?? 0, signal);
      if (signal.aborted) return;
      yield* this.#decode(frames);
    }
    if (parser.ended) return;
    this.#context.telemetry.log.warn(
      "The recording has no end: its recorder was killed, or the file was cut off",
      { file: this.#config.file, frames: parser.frames },
    );
  }

  /** A recording has nobody to tell. */
  settle(): void {}

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#file.close();
      this.#decoder.close();
    }
    return Promise.resolve();
  }

  /** Frames that arrived at one time, or as many as are read at once when pace does not matter. */
  async *#runs(parser: RecordingParser): AsyncGenerator<RecordedFrame[]> {
    const chunk = new Uint8Array(CHUNK_BYTES);
    let run: RecordedFrame[] = [];
    let bytes = 0;
    for (;;) {
      const count = await this.#file.read(chunk);
      const frames = this.#explain(() =>
        count === null ? (parser.end(), []) : parser.push(chunk.subarray(0, count))
      );
      for (const frame of frames) {
        const apart = this.#config.pace === "recorded" && frame.time !== run[0]?.time;
        if (run.length > 0 && (apart || bytes + frame.bytes.length > RUN_BYTES)) {
          yield run;
          [run, bytes] = [[], 0];
        }
        run.push(frame);
        bytes += frame.bytes.length;
      }
      if (count === null) break;
    }
    if (run.length > 0) yield run;
  }

  *#decode(frames: readonly RecordedFrame[]): Generator<Batch> {
    let rest = concatenate(frames);
    while (rest.length > 0) {
      rest = rest.subarray(this.#decoder.feed(rest));
      for (let count = this.#decoder.poll(); count > 0; count = this.#decoder.poll()) {
        yield* this.#reader.read(this.#decoder.view, count);
      }
    }
  }

  #explain<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof RecordingError)) throw cause;
      throw new StopError(`${this.#config.file}: ${cause.message}`, { cause });
    }
  }
}

/** Passes time as it passed when the recording was made, if that is wanted. */
class Clock {
  readonly #paced: boolean;
  #first: number | undefined;
  #start = 0;

  constructor(paced: boolean) {
    this.#paced = paced;
  }

  /** Waits until as much time has passed since the first call as lies between their times. */
  async reach(time: number, signal: AbortSignal): Promise<void> {
    if (!this.#paced) return;
    if (this.#first === undefined) {
      this.#first = time;
      this.#start = performance.now();
    }
    const pause = this.#start + (time - this.#first) - performance.now();
    if (pause <= 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(pause, LONGEST_TIMER_MS));
      signal.addEventListener("abort", done);
    });
  }
}

function concatenate(frames: readonly RecordedFrame[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(frames.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of frames) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}
