/**
 * One pipeline in this process: its lock, its sealed library, its parts, and who asks about them.
 *
 * A supervisor's child and a pipeline that is started alone both run through here.
 *
 * @module
 */
import type { Context } from "../core/component.ts";
import { RecordLogger } from "../observe/logger.ts";
import { LineRate } from "../observe/rate.ts";
import type { LogRecord } from "../observe/record.ts";
import { Meter, type Numbers } from "../observe/telemetry.ts";
import type { PipelinePlan, ServicePlan } from "../spec/plan.ts";
import { sealNative } from "../../ffi/load.ts";
import { acknowledgement, assemble, type Assembly, tablesOf } from "./assemble.ts";
import { takeLock } from "./lock.ts";
import { type Ending, Pipeline } from "./pipeline.ts";
import type { Question, RowReport } from "./protocol.ts";
import { follow } from "./rows.ts";

/** What a host is told. */
export interface HostOptions {
  /** What to run. */
  readonly plan: PipelinePlan;
  /** Its surroundings: folders, level of the log, time to stop. */
  readonly service: ServicePlan;
  /** Write nothing, and say what would be written. */
  readonly dryRun: boolean;
  /** Takes the pipeline's log. */
  emit(record: LogRecord): void;
  /** Takes the rows of the state sinks as they change; nobody looks when left out. */
  readonly onRows?: (rows: readonly RowReport[]) => void;
}

/** What a pipeline says of itself. */
export interface PipelineReport {
  /** Counters and gauges by component. */
  readonly numbers: Numbers;
  /** What the stages with state for each key count, for example entries by state. */
  readonly counts: readonly Readonly<Record<string, number>>[];
}

/** What a stage makes of a key. */
export interface ExplainedKey {
  /** The sink that the stage stands before, or its own type. */
  readonly stage: string;
  /** For people. */
  readonly lines: readonly string[];
}

/** A running pipeline. */
export class PipelineHost {
  /** How it ended; everything is closed by then. Never rejects. */
  readonly ended: Promise<Ending>;
  readonly #pipeline: Pipeline;
  readonly #assembly: Assembly;
  readonly #meter: Meter;

  /** Not for callers: use {@linkcode startPipeline}. */
  constructor(pipeline: Pipeline, assembly: Assembly, meter: Meter, ended: Promise<Ending>) {
    this.#pipeline = pipeline;
    this.#assembly = assembly;
    this.#meter = meter;
    this.ended = ended;
  }

  /** Stops it and lets what is on its way arrive until `deadline`, as `performance.now()`. */
  async stop(deadline: number): Promise<void> {
    await this.#pipeline.stop(deadline);
    await this.ended;
  }

  /** Answers a question with plain JSON. */
  answer(question: Question): unknown {
    const { inspectables, source } = this.#assembly;
    const { what, key = "" } = question;
    switch (what) {
      case "status":
        return {
          numbers: this.#meter.read(),
          counts: inspectables.map(({ stage }) => stage.counts()),
        } satisfies PipelineReport;
      case "explain-key":
        return inspectables
          .map(({ name, stage }): ExplainedKey => ({ stage: name, lines: stage.explainKey(key) }))
          .filter(({ lines }) => lines.length > 0);
      case "retry":
        return inspectables.filter(({ stage }) => stage.retry(key)).length > 0;
      case "resync":
        source.resync?.();
        return source.resync !== undefined;
    }
  }
}

/**
 * Takes the pipeline's lock, seals the native library, makes the parts and starts them.
 *
 * @throws {StopError} when another process runs it, or a part cannot be made
 */
export async function startPipeline(options: HostOptions): Promise<PipelineHost> {
  const { plan, service, dryRun, emit, onRows } = options;
  await using undo = new AsyncDisposableStack();
  // A dry run writes nothing, so it may stand beside the real one.
  const lock = dryRun ? undefined : undo.use(await takeLock(service.runtime_folder, plan.name));
  sealLibrary(plan);
  const meter = new Meter();
  const failure = new Failure();
  const log = new RecordLogger({
    pipeline: plan.name,
    level: service.log_level,
    emit,
    // What a dry run would write is its result; none of it may be left out.
    ...(dryRun ? { rate: new LineRate({ burst: Number.MAX_SAFE_INTEGER }) } : {}),
  });
  let resync = () => {};
  const context = (component: string): Context => ({
    pipeline: plan.name,
    lineage: lock?.lineage,
    telemetry: meter.telemetry(component, log),
    library: plan.library,
    namespace: plan.namespace,
    dryRun,
    acknowledge: acknowledgement(plan),
    fail: (error) => failure.report(error),
    resync: () => resync(),
  });
  const fail = (error: Error) => failure.report(error);
  const assembly = await assemble(plan, { context, fail });
  resync = () => assembly.source.resync?.();
  const telemetry = meter.telemetry("pipeline", log);
  const pipeline = new Pipeline(assembly, telemetry, service.shutdown_ms);
  const watching = onRows && follow(assembly.stateSinks, tablesOf(plan), onRows, log);
  pipeline.start();
  failure.attach((error) => pipeline.fail(error));
  const held = undo.move();
  const ended = pipeline.ended.then(async (ending) => {
    await watching?.stop();
    await held.disposeAsync();
    return ending;
  });
  return new PipelineHost(pipeline, assembly, meter, ended);
}

/** Gives the native library its paths, before any part of it is loaded. */
export function sealLibrary({ grant, library }: PipelinePlan): void {
  if (grant.ffi.length > 0) sealNative(library, grant.native);
}

/** Keeps a failure that comes before there is a pipeline to fail. */
class Failure {
  #early: Error | undefined;
  #take: ((error: Error) => void) | undefined;

  report(error: Error): void {
    if (this.#take === undefined) this.#early ??= error;
    else this.#take(error);
  }

  attach(take: (error: Error) => void): void {
    this.#take = take;
    if (this.#early !== undefined) take(this.#early);
  }
}
