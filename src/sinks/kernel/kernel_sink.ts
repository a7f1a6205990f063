/**
 * Links of the kernel as rows that can be written.
 *
 * A link that is not there yet is its row's own trouble: the write is answered with "later", and as
 * soon as the link appears the observer is told, so that nobody waits for the next attempt. Of a
 * link that somebody else has changed the observer is told too, at a bounded rate.
 *
 * @module
 */
import type { Context } from "../../core/component.ts";
import { ReconnectError, StopError } from "../../core/errors.ts";
import { namespacePath } from "../../core/namespace.ts";
import { sleep } from "../../core/sleep.ts";
import type {
  ConnectionEvents,
  Operation,
  Outcome,
  Row,
  RowChange,
  RowEvent,
  StateSink,
} from "../../core/stage.ts";
import type { Counter } from "../../core/telemetry.ts";
import { LinkSetter } from "../../../ffi/linkset.ts";
import { Corrections } from "./corrections.ts";
import { LinkFollower } from "./link_follower.ts";
import { LinkWriter } from "./link_writer.ts";
import type { LinkNews, Links } from "./links.ts";
import { watchLinks } from "./watch_links.ts";

/** Between two attempts to open the sockets, milliseconds. */
const REOPEN_MS = 1000;

/** The sockets while they are open. */
interface Session {
  readonly setter: LinkSetter;
  readonly follower: LinkFollower;
}

/** How the sink is made. */
export interface KernelSinkOptions {
  /** The longest pause between two corrections of a link. */
  readonly correctionMaxMs: number;
}

/** Changes links, and sees when others do. */
export class KernelSink implements StateSink, ConnectionEvents {
  readonly #context: Context;
  readonly #namespace: string | undefined;
  readonly #corrections: Corrections;
  readonly #writer: LinkWriter;
  readonly #closing = new AbortController();
  readonly #turns = new Set<(event: "lost" | "up") => void>();
  readonly #observers = new Set<(events: readonly RowEvent[]) => void>();
  /** Names to tell of, and whether what failed may succeed now. */
  readonly #dirty: LinkNews = new Map();
  readonly #told: Counter;
  #session: Session | undefined;
  #running: Promise<void> | undefined;

  /** Opens nothing yet: that is `open`. */
  constructor({ correctionMaxMs }: KernelSinkOptions, context: Context) {
    const { telemetry, namespace } = context;
    this.#context = context;
    this.#namespace = namespace === undefined ? undefined : namespacePath(namespace);
    this.#corrections = new Corrections(correctionMaxMs);
    this.#writer = new LinkWriter(this.#corrections, telemetry);
    this.#told = telemetry.counter("kernel_events_total");
    telemetry.gauge("kernel_up", () => this.up ? 1 : 0);
    telemetry.gauge("kernel_links", () => this.#session?.follower.links.size ?? 0);
  }

  get connection(): ConnectionEvents {
    return this;
  }

  /** Whether the sockets are open. */
  get up(): boolean {
    return this.#session !== undefined;
  }

  /** Calls `listener` at every turn; returns a function that stops it. */
  subscribe(listener: (event: "lost" | "up") => void): () => void {
    this.#turns.add(listener);
    return () => this.#turns.delete(listener);
  }

  observe(listener: (events: readonly RowEvent[]) => void): () => void {
    this.#observers.add(listener);
    return () => this.#observers.delete(listener);
  }

  open(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async write(operations: readonly Operation[]): Promise<Outcome[]> {
    const session = this.#session;
    if (session === undefined) {
      const error = new ReconnectError("The kernel's link socket is not open");
      return operations.map(() => ({ ok: false, error }));
    }
    const { setter, follower } = session;
    const outcomes = await this.#writer.write(operations, { setter, links: follower.links });
    // What happened meanwhile was kept back until now.
    if (operations.some(({ key }) => this.#dirty.has(key))) follower.wake();
    return outcomes;
  }

  /** Every link, whatever the table is called. */
  async *scan(_table: string): AsyncGenerator<Row> {
    const follower = this.#session?.follower;
    if (follower === undefined) throw new ReconnectError("The kernel's link socket is not open");
    await follower.known;
    for (const key of follower.links.names()) {
      const fields = follower.links.row(key);
      if (fields !== undefined) yield { key, fields };
    }
  }

  watch(_table: string, signal: AbortSignal): AsyncIterable<readonly RowChange[]> {
    const { library, telemetry: { log } } = this.#context;
    return watchLinks({ library, namespace: this.#namespace, log }, signal);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#serve(signal);
      } catch (error) {
        if (error instanceof StopError) return this.#context.fail(error);
        this.#context.telemetry.log.warn(
          "The kernel's link socket failed; it is opened again and every link is looked at",
          { error },
        );
        await sleep(REOPEN_MS, signal);
      }
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const { library, dryRun, telemetry: { log } } = this.#context;
    const place = { library, namespace: this.#namespace };
    await using setter = new LinkSetter(place);
    if (!dryRun) await this.#writer.probe(setter);
    if (signal.aborted) return;
    await using follower = new LinkFollower({
      ...place,
      log,
      onTurn: (news, links) => this.#turn(news, links),
    });
    this.#session = { setter, follower };
    this.#emit("up");
    try {
      await follower.run(signal);
    } finally {
      this.#session = undefined;
      this.#dirty.clear();
      this.#writer.clear();
      if (!signal.aborted) this.#emit("lost");
    }
  }

  #emit(event: "lost" | "up"): void {
    for (const listener of [...this.#turns]) listener(event);
  }

  /**
   * Tells of links that are not as they were written. Everything that the kernel had said by now
   * was read, so what is told is no older than the outcome of any write.
   *
   * @returns when to look at the others again, in milliseconds
   */
  #turn(news: LinkNews, links: Links): number | undefined {
    for (const [name, appeared] of news) {
      this.#mark(name, appeared);
      if (!appeared) continue;
      for (const key of this.#writer.takeAwaiting(name)) this.#mark(key, true);
    }
    const now = performance.now();
    const events: RowEvent[] = [];
    let again = Infinity;
    for (const [key, mended] of this.#dirty) {
      if (this.#writer.isWriting(key)) continue;
      const fields = links.row(key);
      const isThere = fields !== undefined && !mended;
      const isRight = isThere && this.#corrections.agrees(key, fields);
      const wait = isThere && !isRight ? this.#corrections.waitFor(key, now) : 0;
      if (wait > 0) {
        again = Math.min(again, wait);
        continue;
      }
      this.#dirty.delete(key);
      if (isRight) continue;
      if (fields === undefined) this.#writer.forget(key);
      // It is another link now, or has another master: what was written to it is no measure.
      else if (mended) this.#corrections.forget(key);
      else this.#corrections.told(key, fields);
      events.push({ key, fields, mended });
    }
    this.#told.value += events.length;
    if (events.length > 0) {
      for (const tell of [...this.#observers]) tell(events);
    }
    return again === Infinity ? undefined : again;
  }

  #mark(key: string, mended: boolean): void {
    this.#dirty.set(key, mended || this.#dirty.get(key) === true);
  }
}
