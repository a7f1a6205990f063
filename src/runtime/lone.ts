/**
 * One pipeline alone, without a supervisor: for a unit of its own, under its own grant.
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import type { Logger } from "../core/telemetry.ts";
import { errorText, type LogRecord } from "../observe/record.ts";
import type { PipelinePlan, ServicePlan } from "../spec/plan.ts";
import { lonePath } from "../spec/programs.ts";
import { type ControlRequest, type ControlServer, openControl } from "./control.ts";
import { prepareRuntimeFolder } from "./folder.ts";
import { type PipelineHost, startPipeline } from "./host.ts";
import { exitOf } from "./jobs.ts";
import type { RowReport } from "./protocol.ts";
import type { ServiceStatus } from "./supervisor.ts";

/** What a lone pipeline is given. */
export interface LoneOptions {
  /** The spec's file. */
  readonly file: string;
  /** What to run. */
  readonly plan: PipelinePlan;
  /** Its surroundings. */
  readonly service: ServicePlan;
  /** Write nothing, and say what would be written. */
  readonly dryRun: boolean;
  /** Takes the pipeline's log and this process's own. */
  readonly log: { write(record: LogRecord): void; readonly logger: Logger };
  /** Takes the rows that the sinks hold; nobody looks when left out. */
  readonly onRows?: (pipeline: string, rows: readonly RowReport[]) => void;
  /** Ends it in order when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * Runs a pipeline in this process until it ends or the signal aborts. Nobody starts it again: that
 * is the business of whoever started us.
 *
 * @returns the exit code
 * @throws {StopError} when it cannot be started
 */
export async function runAlone(options: LoneOptions): Promise<number> {
  const { file, plan, service, dryRun, log, onRows, signal } = options;
  const { name } = plan;
  const since = Date.now();
  prepareRuntimeFolder(service.runtime_folder);
  const host = await startPipeline({
    plan,
    service,
    dryRun,
    emit: (record) => log.write(record),
    ...(onRows && { onRows: (rows) => onRows(name, rows) }),
  });
  log.logger.info(`Pipeline ${name} runs`, { process: Deno.pid });
  const stop = () => void host.stop(performance.now() + service.shutdown_ms);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const status = (): ServiceStatus => ({
    pid: Deno.pid,
    file,
    since,
    pipelines: [{
      name,
      state: "running",
      pid: Deno.pid,
      restarts: 0,
      since,
      report: host.answer({ what: "status" }),
    }],
  });
  await using _control = await control(options, host, status);
  const [exitCode, error] = exitOf(await host.ended);
  signal.removeEventListener("abort", stop);
  if (error !== undefined) log.logger.error(`Pipeline ${name} cannot go on: ${error}`);
  return error === undefined ? ExitCode.ok : exitCode;
}

async function control(
  { plan, service, log }: LoneOptions,
  host: PipelineHost,
  status: () => ServiceStatus,
): Promise<ControlServer | undefined> {
  const answer = (request: ControlRequest): unknown => {
    if (request.request === "status") return status();
    if (request.pipeline !== plan.name) throw new Error(`There is no pipeline ${request.pipeline}`);
    return host.answer(request.question);
  };
  try {
    const path = lonePath(service.runtime_folder, plan.name);
    return await openControl(path, (request) => Promise.resolve(request).then(answer));
  } catch (error) {
    log.logger.warn(`There is no control socket: ${errorText(error)}`);
    return undefined;
  }
}
