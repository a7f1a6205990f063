/**
 * The `netlink` source: links of the kernel, never wrong for long. After every loss, however it
 * came about, it dumps all links again.
 *
 * @module
 */
import type { Context } from "../../core/component.ts";
import type { Batch } from "../../core/change.ts";
import { RetryLaterError } from "../../core/errors.ts";
import { compileGlobs } from "../../core/glob.ts";
import { LogRate } from "../../core/log_rate.ts";
import type { Source } from "../../core/stage.ts";
import type { Counter } from "../../core/telemetry.ts";
import { namespacePath } from "../../core/namespace.ts";
import type { NetlinkConfig } from "../../../schemas/netlink.ts";
import { DumpSchedule } from "../../../ffi/dump_schedule.ts";
import { LinkSocket } from "../../../ffi/netlink.ts";
import {
  PS_LOSS_MALFORMED,
  PS_LOSS_MESSAGE,
  PS_LOSS_OVERRUN,
  PS_LOSS_TRUNCATED,
} from "../../../ffi/records.gen.ts";
import { Intake } from "./intake.ts";
import { LinkBatches } from "./link_batches.ts";
import { LinkTable } from "./link_table.ts";

/** Buffers that are still read when the source is stopped, so that it ends under any load. */
const LAST_POLLS = 64;
/** The shortest time between two lines about the same trouble. */
const LOG_INTERVAL_MS = 30_000;

const LOSSES: Readonly<Record<number, string>> = {
  [PS_LOSS_OVERRUN]: "the receive buffer was full",
  [PS_LOSS_TRUNCATED]: "a message was too long for its place",
  [PS_LOSS_MESSAGE]: "the kernel said so",
  [PS_LOSS_MALFORMED]: "a message could not be read",
};

interface Counters {
  readonly events: Counter;
  readonly batches: Counter;
  readonly lost: Counter;
  readonly resyncs: Counter;
  readonly dumps: Counter;
  readonly interrupted: Counter;
  readonly rejected: Counter;
}

/** Opens the sockets, so that nothing is missed from here on; the dump comes with `batches`. */
export default function createNetlinkSource(config: NetlinkConfig, context: Context): Source {
  return new NetlinkSource(config, context);
}

class NetlinkSource implements Source {
  readonly #context: Context;
  readonly #socket: LinkSocket;
  readonly #intake: Intake;
  readonly #reader: LinkBatches;
  readonly #schedule = new DumpSchedule();
  readonly #counters: Counters;
  readonly #lines = new LogRate(LOG_INTERVAL_MS);

  constructor(config: NetlinkConfig, context: Context) {
    const { telemetry, namespace } = context;
    this.#context = context;
    this.#counters = {
      events: telemetry.counter("netlink_events_total"),
      batches: telemetry.counter("netlink_batches_total"),
      lost: telemetry.counter("netlink_lost_total"),
      resyncs: telemetry.counter("netlink_resyncs_total"),
      dumps: telemetry.counter("netlink_dumps_total"),
      interrupted: telemetry.counter("netlink_dumps_interrupted_total"),
      rejected: telemetry.counter("netlink_rejected_names_total"),
    };
    const table = new LinkTable({
      ...(config.interfaces && { follows: compileGlobs(config.interfaces) }),
      extraFields: config.extra_fields ?? [],
      onRejected: (name, ifindex) => this.#reject(name, ifindex),
    });
    this.#reader = new LinkBatches(table, {
      dumped: () => this.#schedule.ended(performance.now(), true),
      interrupted: (errno) => this.#interrupt(errno),
      lost: (reason) => this.#lose(reason),
    });
    this.#socket = new LinkSocket({
      library: context.library,
      namespace: namespace === undefined ? undefined : namespacePath(namespace),
      receiveBytes: config.receive_buffer_bytes,
    });
    this.#intake = new Intake(this.#socket, config.linger_ms);
    this.#observe(table, config.receive_buffer_bytes);
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
    const wake = () => this.#socket.wake();
    signal.addEventListener("abort", wake);
    try {
      this.#schedule.want(performance.now());
      while (!signal.aborted) {
        this.#dumpIfDue();
        const due = this.#schedule.dueIn(performance.now());
        const count = await this.#intake.next({
          isUrgent: this.#schedule.running,
          ...(due !== undefined && { timeoutMs: Math.ceil(due) }),
        });
        yield* this.#read(count);
      }
      // What the kernel has said by now still goes out, within reason.
      for (let polls = 0; polls < LAST_POLLS; polls++) {
        const count = this.#socket.poll();
        if (count === 0) break;
        yield* this.#read(count);
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  /** Links cannot be asked again one by one, so receipts are of no use here. */
  settle(): void {}

  resync(): void {
    this.#counters.resyncs.value++;
    this.#schedule.want(performance.now());
    this.#socket.wake();
  }

  async close(): Promise<void> {
    await this.#socket.close();
  }

  #read(count: number): Batch[] {
    if (count === 0) return [];
    this.#counters.events.value += count;
    const batches = this.#reader.read(this.#socket.view, count);
    this.#counters.batches.value += batches.length;
    return batches;
  }

  #dumpIfDue(): void {
    if (this.#schedule.dueIn(performance.now()) !== 0) return;
    this.#schedule.begun();
    this.#counters.dumps.value++;
    try {
      this.#socket.dump();
    } catch (error) {
      if (!(error instanceof RetryLaterError)) throw error;
      this.#schedule.ended(performance.now(), false);
      this.#say("dump", "Could not ask for a dump of links and will ask again", { error });
    }
  }

  #interrupt(errno: number): void {
    this.#counters.interrupted.value++;
    this.#schedule.ended(performance.now(), false);
    // Links that change during a dump are everyday life; an error is not.
    if (errno === 0) return;
    const kernel = this.#socket.kernelError();
    this.#say("failed", "A dump of links failed and will be done again", { errno, kernel });
  }

  #lose(reason: number): void {
    this.#counters.lost.value++;
    this.#counters.resyncs.value++;
    this.#schedule.want(performance.now());
    const why = LOSSES[reason] ?? `reason ${reason}`;
    this.#say("lost", `Link events were lost because ${why}; all links are read again`, {});
  }

  #reject(name: string, ifindex: number): void {
    this.#counters.rejected.value++;
    const message = "A link's name cannot be a key, so the link is left out; rename it";
    this.#say("rejected", message, { name, ifindex });
  }

  #say(kind: string, message: string, properties: Readonly<Record<string, unknown>>): void {
    const silenced = this.#lines.pass(kind, performance.now());
    if (silenced === undefined) return;
    this.#context.telemetry.log.warn(message, { ...properties, ...(silenced > 0 && { silenced }) });
  }

  #observe(table: LinkTable, wanted: number): void {
    const { telemetry } = this.#context;
    const { bufferBytes } = this.#socket.stats();
    telemetry.gauge("netlink_receive_buffer_bytes", () => bufferBytes);
    telemetry.gauge("netlink_queued_bytes", () => this.#socket.stats().queuedBytes);
    telemetry.gauge("netlink_kernel_drops", () => this.#socket.stats().drops);
    telemetry.gauge("netlink_ignored_messages", () => this.#socket.stats().ignored);
    telemetry.gauge("netlink_links", () => table.size);
    telemetry.gauge("netlink_rows", () => table.rows);
    // The kernel doubles what is asked for, to pay for its own bookkeeping.
    if (bufferBytes >= wanted * 2) {
      telemetry.log.debug("The receive buffer has its full size", { bytes: bufferBytes });
      return;
    }
    telemetry.log.warn(
      "The receive buffer is smaller than asked for, so long bursts are lost and read again; " +
        "give the process CAP_NET_ADMIN or raise net.core.rmem_max",
      { bytes: bufferBytes, wanted: wanted * 2 },
    );
  }
}
