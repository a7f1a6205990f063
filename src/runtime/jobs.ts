/**
 * What a pipeline's process can be started for.
 *
 * @module
 */
import type { Context } from "../core/component.ts";
import { ExitCode, StopError } from "../core/errors.ts";
import { RecordLogger } from "../observe/logger.ts";
import { errorText, type LogRecord } from "../observe/record.ts";
import { Meter } from "../observe/telemetry.ts";
import { recorder } from "../registry.ts";
import { acknowledgement, assembleStateSinks, tablesOf } from "./assemble.ts";
import { sealLibrary, startPipeline } from "./host.ts";
import type { Ending } from "./pipeline.ts";
import type { Assignment, Question, RowReport } from "./protocol.ts";
import { follow, readRows, sayUnknownTables } from "./rows.ts";

/** How long to wait for a sink that is only looked at, milliseconds. */
const PATIENCE_MS = 5000;

/** What is going on in this process. */
export interface Job {
  /** Ends it in order; `onEnd` tells when that is done. */
  stop(deadline: number): void;
  /** Answers a question with plain JSON, or throws. */
  answer(question: Question): unknown;
}

/** Who is told of it. */
export interface Listeners {
  /** Takes a line of the log. */
  emit(record: LogRecord): void;
  /** Takes rows as the sinks hold them. */
  onRows(rows: readonly RowReport[]): void;
  /** Everything is made and moves. */
  onRunning(): void;
  /** It is over. */
  onEnd(exitCode: number, error?: string): void;
}

/**
 * Starts the job of an assignment.
 *
 * @throws {StopError} when it cannot be started
 */
export async function runJob(assignment: Assignment, listeners: Listeners): Promise<Job> {
  switch (assignment.task) {
    case "run":
      return await runPipeline(assignment, listeners);
    case "state":
      return await showState(assignment, listeners);
    case "record":
      return await record(assignment, listeners);
  }
}

async function runPipeline(assignment: Assignment, listeners: Listeners): Promise<Job> {
  const { plan, service, dry_run: dryRun, watch } = assignment;
  const { emit, onRows, onRunning, onEnd } = listeners;
  const host = await startPipeline({ plan, service, dryRun, emit, ...(watch && { onRows }) });
  onRunning();
  void host.ended.then((ending) => onEnd(...exitOf(ending)));
  return { stop: (deadline) => void host.stop(deadline), answer: (asked) => host.answer(asked) };
}

/** The exit code and the words for how a pipeline ended. */
export function exitOf(ending: Ending): [exitCode: number, error?: string] {
  if (ending.how !== "failed") return [ExitCode.ok];
  const { error } = ending;
  if (error instanceof StopError) return [error.exitCode, error.message];
  return [ExitCode.internal, errorText(error)];
}

async function showState(assignment: Assignment, listeners: Listeners): Promise<Job> {
  const { plan, service, watch } = assignment;
  const log = new RecordLogger({
    pipeline: plan.name,
    level: service.log_level,
    emit: listeners.emit,
  });
  sealLibrary(plan);
  const meter = new Meter();
  const context = (component: string): Context => ({
    pipeline: plan.name,
    telemetry: meter.telemetry(component, log),
    library: plan.library,
    namespace: plan.namespace,
    dryRun: true,
    acknowledge: acknowledgement(plan),
    fail: (error) => listeners.onEnd(...exitOf({ how: "failed", error })),
    resync: () => {},
  });
  const sinks = await assembleStateSinks(plan, { context });
  const tables = tablesOf(plan);
  if (watch) {
    const following = follow(sinks, tables, listeners.onRows, log);
    listeners.onRunning();
    return idle(() => void following.stop().then(() => listeners.onEnd(ExitCode.ok)));
  }
  sayUnknownTables(sinks, tables, log);
  for (const sink of sinks) listeners.onRows(await readRows(sink, plan.name, tables, PATIENCE_MS));
  listeners.onEnd(ExitCode.ok);
  return idle(() => {});
}

async function record(assignment: Assignment, listeners: Listeners): Promise<Job> {
  const { plan, output } = assignment;
  if (plan.source.type !== "netlink" || output === undefined) {
    throw new StopError(`A source of type ${plan.source.type} cannot be recorded`, {
      exitCode: ExitCode.usage,
    });
  }
  sealLibrary(plan);
  const { recordLinks } = await recorder();
  const file = await Deno.open(output, { write: true, create: true, truncate: true });
  const end = new AbortController();
  const { library, namespace } = plan;
  const summary = recordLinks({ library, namespace, sink: file, signal: end.signal });
  listeners.onRunning();
  void summary.finally(() => file.close()).then(
    ({ frames, bytes }) => {
      listeners.emit({
        time: Date.now(),
        level: "info",
        message: `Recorded ${frames} datagrams, ${bytes} bytes`,
      });
      listeners.onEnd(ExitCode.ok);
    },
    (error) => listeners.onEnd(...exitOf({ how: "failed", error })),
  );
  return idle(() => end.abort());
}

/** A job about which there is nothing to ask. */
function idle(stop: () => void): Job {
  return {
    stop,
    answer: () => {
      throw new StopError("Nothing runs here that could be asked");
    },
  };
}
