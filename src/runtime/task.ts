/**
 * Short jobs of a pipeline's process for a command: looking at rows, recording a source. They run
 * under the pipeline's grant, as the pipeline itself does.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";
import type { LogRecord } from "../observe/record.ts";
import { denoArguments } from "../spec/grant.ts";
import type { PipelinePlan, ServicePlan } from "../spec/plan.ts";
import { pipelineProgram } from "../spec/programs.ts";
import { PipelineProcess } from "./process.ts";
import type { RowReport } from "./protocol.ts";
import { inTime } from "./turn.ts";

/** What a command wants done. */
export interface TaskOptions {
  /** What the process is for. */
  readonly task: "state" | "record";
  /** The pipeline whose grant it has. */
  readonly plan: PipelinePlan;
  /** Its surroundings. */
  readonly service: ServicePlan;
  /** Absolute path of Deno. */
  readonly deno: string;
  /** `state` only: go on until the signal. */
  readonly watch?: boolean;
  /** `record` only: the file to write, absolute; it is added to the grant. */
  readonly output?: string;
  /** Takes its log. */
  onLog(record: LogRecord): void;
  /** Takes rows, for `state`. */
  onRows?(rows: readonly RowReport[]): void;
  /** Ends the task in order. */
  readonly signal: AbortSignal;
}

/**
 * Runs a task to its end.
 *
 * @throws {StopError} with the words and the exit code of the process when it failed
 */
export async function runTask(options: TaskOptions): Promise<void> {
  const { task, plan, service, deno, output, signal } = options;
  const { grant } = plan;
  const wider = output === undefined ? grant : { ...grant, write: [...grant.write, output] };
  const child = new PipelineProcess({
    deno,
    args: denoArguments(wider, pipelineProgram(plan.name)),
    assignment: {
      task,
      plan,
      service,
      dry_run: true,
      watch: options.watch ?? false,
      ...(output === undefined ? {} : { output }),
    },
  }, {
    onLog: (record) => options.onLog(record),
    onRows: (rows) => options.onRows?.(rows),
    onRunning: () => {},
  });
  const stop = () => void endInTime(child, service.shutdown_ms);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const { code, signal: killer, error } = await child.ended;
  signal.removeEventListener("abort", stop);
  if (code === 0) return;
  throw new StopError(error ?? `Its process was ended by ${killer ?? `exit code ${code}`}`, {
    exitCode: code,
  });
}

async function endInTime(child: PipelineProcess, withinMs: number): Promise<void> {
  child.stop(withinMs);
  if (!await inTime(child.ended, performance.now() + withinMs + 250)) child.kill();
}
