/**
 * The supervisor: one process for each pipeline, and the host that speaks for them.
 *
 * @module
 */
import type { Logger } from "../core/telemetry.ts";
import { errorText, type LogRecord } from "../observe/record.ts";
import { denoArguments } from "../spec/grant.ts";
import type { PipelinePlan, Plan } from "../spec/plan.ts";
import { controlPath, pipelineProgram } from "../spec/programs.ts";
import { type ControlRequest, type ControlServer, openControl } from "./control.ts";
import { prepareRuntimeFolder } from "./folder.ts";
import { Keeper, type KeeperStatus } from "./keeper.ts";
import { PipelineProcess, type ProcessListeners } from "./process.ts";
import { HEARTBEAT_MS, type RowReport } from "./protocol.ts";

/** What a supervisor is given. */
export interface SupervisorOptions {
  /** What to run. */
  readonly plan: Plan;
  /** Absolute path of the Deno that runs pipelines. */
  readonly deno: string;
  /** Write nothing, and say what would be written. */
  readonly dryRun: boolean;
  /** Takes the log of all pipelines and of the supervisor itself. */
  readonly log: { write(record: LogRecord): void; readonly logger: Logger };
  /** Takes the rows that the sinks hold; nobody looks when left out. */
  readonly onRows?: (pipeline: string, rows: readonly RowReport[]) => void;
}

/** What `status` answers. */
export interface ServiceStatus {
  /** The supervisor's process. */
  readonly pid: number;
  /** The spec's file. */
  readonly file: string;
  /** When the service was started, milliseconds since the epoch. */
  readonly since: number;
  /** In the order of the spec. */
  readonly pipelines: readonly KeeperStatus[];
}

/** Runs the pipelines of a plan. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #keepers: readonly Keeper[];
  readonly #since = Date.now();

  /** Starts nothing yet: that is `run`. */
  constructor(options: SupervisorOptions) {
    const { plan, log, onRows } = options;
    this.#options = options;
    this.#keepers = plan.pipelines.map((pipeline) =>
      new Keeper({
        name: pipeline.name,
        alone: plan.pipelines.length === 1,
        log: log.logger,
        listeners: {
          onLog: (record) => log.write(record),
          onRows: (rows) => onRows?.(pipeline.name, rows),
        },
        spawn: (listeners) => this.#spawn(pipeline, listeners),
      })
    );
  }

  /**
   * Runs until every pipeline has finished, the only one cannot run, or the signal aborts, which
   * ends everything in order.
   *
   * @returns the exit code of the service
   * @throws {StopError} when nothing can be started at all
   */
  async run(signal: AbortSignal): Promise<number> {
    const { plan } = this.#options;
    prepareRuntimeFolder(plan.service.runtime_folder);
    // The pipelines start first: nothing else is in a hurry.
    const running = this.#keepers.map((keeper) => keeper.run());
    const stop = () => void this.#stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const pulse = setInterval(() => this.#checkPulse(), HEARTBEAT_MS);
    const control = await this.#openControl();
    try {
      const codes = await Promise.all(running);
      return Math.max(0, ...codes);
    } finally {
      clearInterval(pulse);
      signal.removeEventListener("abort", stop);
      await control?.[Symbol.asyncDispose]();
    }
  }

  /** Ends every process at once; for an operator who will not wait. */
  kill(): void {
    for (const keeper of this.#keepers) keeper.kill();
  }

  async #stop(): Promise<void> {
    const deadline = performance.now() + this.#options.plan.service.shutdown_ms;
    await Promise.all(this.#keepers.map((keeper) => keeper.stop(deadline)));
  }

  #spawn(plan: PipelinePlan, listeners: ProcessListeners): PipelineProcess {
    const { deno, dryRun, onRows } = this.#options;
    const { service } = this.#options.plan;
    const args = denoArguments(plan.grant, pipelineProgram(plan.name));
    const watch = onRows !== undefined;
    const assignment = { task: "run", plan, service, dry_run: dryRun, watch } as const;
    return new PipelineProcess({ deno, args, assignment }, listeners);
  }

  #lastPulse = performance.now();

  #checkPulse(): void {
    // A supervisor that was itself stopped has not heard anything either.
    const late = performance.now() - this.#lastPulse - HEARTBEAT_MS;
    this.#lastPulse = performance.now();
    if (late > HEARTBEAT_MS) return;
    for (const keeper of this.#keepers) keeper.checkPulse();
  }

  async #openControl(): Promise<ControlServer | undefined> {
    const { plan, log } = this.#options;
    const path = controlPath(plan.service.runtime_folder);
    try {
      return await openControl(path, (request) => this.#answer(request));
    } catch (error) {
      // The pipelines matter more than questions about them.
      log.logger.warn(`There is no control socket: ${errorText(error)}`);
      return undefined;
    }
  }

  async #answer(request: ControlRequest): Promise<unknown> {
    if (request.request === "status") return await this.status();
    const keeper = this.#keepers.find(({ name }) => name === request.pipeline);
    if (keeper === undefined) throw new Error(`There is no pipeline ${request.pipeline}`);
    return await keeper.ask(request.question);
  }

  /** Where everything stands. */
  async status(): Promise<ServiceStatus> {
    return {
      pid: Deno.pid,
      file: this.#options.plan.file,
      since: this.#since,
      pipelines: await Promise.all(this.#keepers.map((keeper) => keeper.status())),
    };
  }
}
