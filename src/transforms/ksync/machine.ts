/**
 * What the parts of the engine share: options, clock, slots, timers and the work of a turn. It has
 * no behaviour of its own; the parts are functions over it.
 *
 * @module
 */
import type { Operation } from "../../core/stage.ts";
import type { Backoff } from "./backoff.ts";
import type { Container, ContainerOptions } from "./container.ts";
import type { DampingOptions } from "./damping.ts";
import type { Entry } from "./entry.ts";
import { Flights } from "./flights.ts";
import type { Event } from "./states.ts";
import { Timers } from "./timers.ts";
import { Trace } from "./trace.ts";

/** What kind of write a request is. */
export type Kind = "add" | "change" | "delete";

/** What is worth a line in the log, at a bounded rate. */
export type ReportKind =
  | "stray"
  | "cycle"
  | "failed"
  | "retry"
  | "held"
  | "index"
  | "misuse"
  | "damped"
  | "drift"
  | "unswept";

/** What the engine asks of whoever drives it. None of these may call the engine back. */
export interface Host {
  /**
   * Takes a request. Its answer comes through `Engine.answer` with the same slot and number.
   *
   * @returns true when the sink has done it already and no answer will follow
   */
  send(operation: Operation, slot: number, number: number, kind: Kind): boolean;
  /** Something that an operator may want to read; `describe` makes the text. */
  report?(kind: ReportKind, entry: Entry | undefined, describe: () => string): void;
  /** An entry was freed. */
  freed?(entry: Entry): void;
  /** A stale entry is about to be swept. */
  expiring?(entry: Entry): void;
  /** The last entry of a container is gone. */
  emptied?(container: Container): void;
  /** A dependency names a table that has no container: the options of the new one. */
  openTable?(name: string): ContainerOptions;
}

/** Settings of an engine; the defaults are in `engine.ts`. */
export interface EngineOptions {
  /** When an entry can be referred to: once the sink confirmed it, or as soon as it is sent. */
  readonly resolveOn: "acked" | "sent";
  readonly requestTimeoutMs: number;
  readonly retry: Backoff;
  /** Whether a newer value ends the wait of a failed one. */
  readonly retryOnChange: boolean;
  readonly maxInFlight: number;
  /** How long an idle key waits before its first write. */
  readonly coalesceMs: number;
  /** How long ready keys may gather while any request is outstanding, and how many. */
  readonly gatherMs: number;
  readonly gatherOperations: number;
  readonly damping: DampingOptions | undefined;
  readonly renew: "ignore" | "hold";
  readonly onDependencyDeleted: "hold" | "cascade";
  readonly onCycle: "report" | "reject";
  /** How long a delete may be held by references before this is reported; 0 for never. */
  readonly holdWarnMs: number;
  readonly sweep: SweepOptions;
  /** How many entries of a container one turn of its deletion visits. */
  readonly walkPerTurn: number;
  /** The number before the first request's; for tests of the wrap-around. */
  readonly firstNumber: number;
}

/** How rows are removed that nobody claims. */
export interface SweepOptions {
  readonly afterMs: number;
  readonly intervalMs: number;
  readonly perInterval: number;
  /** How long the end of a dump may take before the wait is reported. */
  readonly maxWaitMs: number;
  /** Whether to sweep after that time although no dump ended. */
  readonly withoutEnd: boolean;
}

/** The engine's common state. */
export class Machine {
  readonly options: EngineOptions;
  readonly host: Host;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  /** The time of the turn, in milliseconds on the driver's clock. */
  now: number;
  readonly containers = new Map<string, Container>();
  readonly flights: Flights;
  readonly timers: Timers = new Timers();
  readonly trace: Trace;
  /** Entries that wait for a slot, in the order in which they came. */
  ready: Entry[] = [];
  readyAt = 0;
  /** When the oldest of them came. */
  readySince = 0;
  /** Whether slots are being handed out to the queue. */
  pumping = false;
  /** Events that the engine raised itself, in order: whose, and which. */
  readonly workEntries: Entry[] = [];
  readonly workEvents: Event[] = [];
  /** Whether owners' events are gathered until the end of the turn. */
  corked = false;
  dirty: Entry[] = [];
  /** Whether the entry of a DEL_REQ was wanted before it. */
  wasWanted = false;
  /** The number of the present dump. */
  generation = 0;
  /** Whether a dump has begun and nothing was lost since. */
  dumping = false;
  /** Whether the last dump was complete, so that what it did not name may go. */
  sweeping = false;
  /** When the next rows are swept. */
  sweepAt = Infinity;
  /** When a dump that does not end is reported. */
  endOverdueAt = Infinity;
  /** Whether it was reported, and none has ended since. */
  isEndOverdue = false;
  /** Containers whose deletion has entries to visit. */
  readonly walks = new Set<Container>();
  /** Answers that belong to no request. */
  lateAnswers = 0;
  /** Calls with a container that is not this engine's. */
  misuse = 0;
  /** Whether nothing waits for further changes any more. */
  hurried = false;

  constructor(options: EngineOptions, host: Host, random: () => number, now: number) {
    this.options = options;
    this.host = host;
    this.random = random;
    this.now = now;
    this.flights = new Flights(options.firstNumber);
    this.trace = new Trace(now);
  }

  /** Raises an event of the engine's own after the present one. */
  later(entry: Entry, event: Event): void {
    this.workEntries.push(entry);
    this.workEvents.push(event);
  }

  /** Tells the driver something worth reading. */
  report(kind: ReportKind, entry: Entry | undefined, describe: () => string): void {
    this.host.report?.(kind, entry, describe);
  }
}
