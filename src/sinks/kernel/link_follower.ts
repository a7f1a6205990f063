/**
 * Follows the links of one network namespace: a dump, then every event, and another dump after
 * every loss.
 *
 * @module
 */
import { ReconnectError, RetryLaterError } from "../../core/errors.ts";
import { LogRate } from "../../core/log_rate.ts";
import type { Logger } from "../../core/telemetry.ts";
import { DumpSchedule } from "../../../ffi/dump_schedule.ts";
import { LinkSocket } from "../../../ffi/netlink.ts";
import {
  LINK_WORD,
  LINK_WORDS,
  PS_DUMP_BEGIN,
  PS_DUMP_END,
  PS_DUMP_FAILED,
  PS_DUMP_INTERRUPTED,
  PS_LOST,
} from "../../../ffi/records.gen.ts";
import { type LinkNews, Links } from "./links.ts";

/** Buffers that are read before others have their turn, so that it comes under any load. */
const MOST_POLLS = 64;
/** Between two log lines of one kind, milliseconds. */
const LOG_INTERVAL_MS = 30_000;

/** What is followed, and who is told. */
export interface LinkFollowerOptions {
  /** Absolute path of the native library. */
  readonly library: string;
  /** Sealed path of a network namespace; the process's own when left out. */
  readonly namespace?: string | undefined;
  /** Wish for the receive buffer. Default 16 MiB. */
  readonly receiveBytes?: number;
  /** Where losses and failed dumps are said. */
  readonly log: Logger;
  /**
   * Called after everything that the kernel had said by then was read, with the names of links that
   * are different since the last call. Not called while the links are not known.
   *
   * @returns after how many milliseconds to call it again even without news
   */
  readonly onTurn: (news: LinkNews, links: Links) => number | undefined;
}

/** Keeps {@linkcode Links} as the kernel has them. */
export class LinkFollower implements AsyncDisposable {
  /** The links as of the last turn; complete once `known` has resolved. */
  readonly links: Links = new Links();
  /** Resolves with the end of the first complete dump; rejects when `run` ends before. */
  readonly known: Promise<void>;
  readonly #options: LinkFollowerOptions;
  readonly #socket: LinkSocket;
  readonly #schedule = new DumpSchedule();
  readonly #lines = new LogRate(LOG_INTERVAL_MS);
  readonly #known = Promise.withResolvers<void>();
  #news: LinkNews = new Map();
  /** Whether what is known of the links may be wrong until the next complete dump. */
  #isBehind = true;

  /**
   * Opens the sockets: what happens from now on is not missed.
   *
   * @throws {StopError | RetryLaterError}
   */
  constructor(options: LinkFollowerOptions) {
    this.#options = options;
    const { library, namespace, receiveBytes } = options;
    this.known = this.#known.promise;
    // Whether anybody waits for it is not known here.
    this.known.catch(() => {});
    this.#socket = new LinkSocket({
      library,
      namespace,
      ...(receiveBytes !== undefined && { receiveBytes }),
    });
  }

  /**
   * Follows until `signal` aborts.
   *
   * @throws {StopError | RetryLaterError} when the socket cannot be read any more
   */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#socket.wake();
    signal.addEventListener("abort", wake);
    try {
      this.#schedule.want(performance.now());
      let again: number | undefined;
      while (!signal.aborted) {
        this.#dumpIfDue();
        const due = this.#schedule.dueIn(performance.now());
        const timeout = Math.min(due ?? Infinity, again ?? Infinity);
        const timeoutMs = Math.ceil(timeout);
        this.#take(await this.#socket.wait(Number.isFinite(timeout) ? { timeoutMs } : {}));
        for (let polls = 0; polls < MOST_POLLS; polls++) {
          const count = this.#socket.poll();
          if (count === 0) break;
          this.#take(count);
        }
        again = this.#isBehind ? undefined : this.#tell();
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.#known.reject(new ReconnectError("The kernel's link socket was closed"));
    }
  }

  /** Has a turn come soon, after which everything is known that happened before this call. */
  wake(): void {
    this.#socket.wake();
  }

  /** Closes the sockets. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket.close();
  }

  #tell(): number | undefined {
    const news = this.#news;
    this.#news = new Map();
    return this.#options.onTurn(news, this.links);
  }

  #dumpIfDue(): void {
    if (this.#schedule.dueIn(performance.now()) !== 0) return;
    this.#schedule.begun();
    try {
      this.#socket.dump();
    } catch (error) {
      if (!(error instanceof RetryLaterError)) throw error;
      this.#schedule.ended(performance.now(), false);
      this.#say("dump", "Could not ask for a dump of links and will ask again", { error });
    }
  }

  #take(count: number): void {
    const { view } = this.#socket;
    for (let place = 0; place < count; place++) {
      const word = place * LINK_WORDS;
      const type = view.words[word] ?? 0;
      if (type < PS_DUMP_BEGIN) this.links.apply(view, place, this.#news);
      else this.#takeMark(type, view.words[word + LINK_WORD.value] ?? 0);
    }
  }

  #takeMark(type: number, value: number): void {
    switch (type) {
      case PS_DUMP_BEGIN:
        this.links.beginDump();
        break;
      case PS_DUMP_END:
        this.links.endDump(this.#news);
        this.#schedule.ended(performance.now(), true);
        this.#isBehind = this.#schedule.dueIn(0) !== undefined;
        if (!this.#isBehind) this.#known.resolve();
        break;
      case PS_DUMP_INTERRUPTED:
      case PS_DUMP_FAILED:
        this.links.breakDump();
        this.#schedule.ended(performance.now(), false);
        if (type === PS_DUMP_INTERRUPTED) break;
        this.#say("failed", "A dump of links failed and will be done again", {
          errno: value,
          kernel: this.#socket.kernelError(),
        });
        break;
      case PS_LOST:
        this.#isBehind = true;
        this.#schedule.want(performance.now());
        this.#say("lost", "Link events were lost; all links are read again", { reason: value });
        break;
    }
  }

  #say(kind: string, message: string, properties: Readonly<Record<string, unknown>>): void {
    const silenced = this.#lines.pass(kind, performance.now());
    if (silenced === undefined) return;
    this.#options.log.warn(message, { ...properties, ...(silenced > 0 && { silenced }) });
  }
}
