/**
 * Keeps one pipeline running: starts its process, starts it again when it dies, ends it in order.
 *
 * @module
 */
import type { Logger } from "../core/telemetry.ts";
import type { PipelineProcess, ProcessEnding, ProcessListeners } from "./process.ts";
import { HEARTBEAT_MS, type Question } from "./protocol.ts";
import { RestartPolicy } from "./restart.ts";
import { inTime } from "./turn.ts";

/** A process that says nothing for so long hangs, milliseconds. */
const SILENCE_MS = 6 * HEARTBEAT_MS;

/** Where a pipeline stands. */
export type KeeperState =
  | "starting"
  | "running"
  | "waiting"
  | "stopping"
  | "finished"
  | "failed";

/** One pipeline as `status` shows it. */
export interface KeeperStatus {
  /** As in the spec. */
  readonly name: string;
  /** Where it stands. */
  readonly state: KeeperState;
  /** The process; undefined where none runs. */
  readonly pid?: number;
  /** How often it was started again. */
  readonly restarts: number;
  /** When the state began, milliseconds since the epoch. */
  readonly since: number;
  /** Why the last process ended. */
  readonly last_error?: string;
  /** What the process says of itself: its numbers. */
  readonly report?: unknown;
}

/** What a keeper needs of a process. */
export type KeptProcess = Pick<
  PipelineProcess,
  "pid" | "ended" | "lastHeard" | "stop" | "kill" | "ask"
>;

/** What a keeper is given. */
export interface KeeperOptions {
  /** The pipeline. */
  readonly name: string;
  /** Whether a pipeline that cannot run ends the keeper, because there is no other to care for. */
  readonly alone: boolean;
  /** Where the keeper itself speaks. */
  readonly log: Logger;
  /** Who is told what the processes say. */
  readonly listeners: Omit<ProcessListeners, "onRunning">;
  /** Starts a process. */
  spawn(listeners: ProcessListeners): KeptProcess;
}

/** Keeps one pipeline running. */
export class Keeper {
  /** The pipeline. */
  readonly name: string;
  readonly #options: KeeperOptions;
  readonly #policy = new RestartPolicy();
  #process: KeptProcess | undefined;
  #state: KeeperState = "starting";
  #since = Date.now();
  #restarts = 0;
  #lastError: string | undefined;
  #isStopping = false;
  #endPause: (() => void) | undefined;

  /** Starts nothing yet: that is `run`. */
  constructor(options: KeeperOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /**
   * Runs until the pipeline finishes by itself, cannot run at all, or is stopped.
   *
   * @returns the exit code that this pipeline asks for
   */
  async run(): Promise<number> {
    for (;;) {
      const started = performance.now();
      const ending = await this.#runOnce();
      if (this.#isStopping) return this.#finish("finished", 0);
      const verdict = this.#policy.judge(ending, performance.now() - started);
      if (verdict.do === "finish") return this.#finish("finished", 0);
      const { hopeless, wait_ms } = verdict;
      this.#lastError = describeEnding(ending);
      if (hopeless && this.#options.alone) {
        this.#options.log.error(`Pipeline ${this.name} cannot run: ${this.#lastError}`);
        return this.#finish("failed", ending.code);
      }
      this.#options.log.error(
        `Pipeline ${this.name} ended and is started again in ${wait_ms / 1000} s: ` +
          this.#lastError,
      );
      this.#enter("waiting");
      await this.#pause(wait_ms);
      if (this.#isStopping) return this.#finish("finished", 0);
      this.#restarts++;
    }
  }

  /** Ends the process in order, and by force at the deadline (as `performance.now()`). */
  async stop(deadline: number): Promise<void> {
    this.#isStopping = true;
    this.#endPause?.();
    const process = this.#process;
    if (process === undefined) return;
    this.#enter("stopping");
    process.stop(Math.max(0, deadline - performance.now()));
    // The process counts its time from when it reads the order, so it gets a little more.
    if (await inTime(process.ended, deadline + 250)) return;
    this.#options.log.warn(`Pipeline ${this.name} did not stop in time and was killed`);
    process.kill();
    await process.ended;
  }

  /** Ends the process at once. */
  kill(): void {
    this.#process?.kill();
  }

  /** Ends a process that hangs; `run` starts another. */
  checkPulse(): void {
    const process = this.#process;
    if (process === undefined || performance.now() - process.lastHeard < SILENCE_MS) return;
    this.#options.log.error(
      `Pipeline ${this.name} has said nothing for ${SILENCE_MS / 1000} s and is killed`,
    );
    process.kill();
  }

  /** Asks the process. Throws when there is none, or it does not answer. */
  async ask(question: Question): Promise<unknown> {
    if (this.#process === undefined) {
      throw new Error(`Pipeline ${this.name} has no process now: it is ${this.#state}`);
    }
    return await this.#process.ask(question);
  }

  /** What `status` shows. */
  async status(): Promise<KeeperStatus> {
    const pid = this.#process?.pid;
    const base = {
      name: this.name,
      state: this.#state,
      ...(pid === undefined ? {} : { pid }),
      restarts: this.#restarts,
      since: this.#since,
      ...(this.#lastError === undefined ? {} : { last_error: this.#lastError }),
    };
    if (this.#state !== "running") return base;
    try {
      return { ...base, report: await this.ask({ what: "status" }) };
    } catch (error) {
      return { ...base, last_error: error instanceof Error ? error.message : String(error) };
    }
  }

  async #runOnce(): Promise<ProcessEnding> {
    this.#enter("starting");
    const process = this.#options.spawn({
      ...this.#options.listeners,
      onRunning: () => {
        this.#enter("running");
        this.#options.log.info(`Pipeline ${this.name} runs`, { process: process.pid });
      },
    });
    this.#process = process;
    const ending = await process.ended;
    this.#process = undefined;
    return ending;
  }

  #enter(state: KeeperState): void {
    if (this.#isStopping && state === "running") return;
    this.#state = state;
    this.#since = Date.now();
  }

  #finish(state: KeeperState, exitCode: number): number {
    this.#enter(state);
    return exitCode;
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endPause = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.#endPause = undefined;
  }
}

/** Why a process ended, in words. */
function describeEnding({ code, signal, error }: ProcessEnding): string {
  if (error !== undefined) return error;
  if (signal !== null) return `it was ended by ${signal}`;
  return `it ended with exit code ${code}`;
}
