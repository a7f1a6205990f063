/**
 * The `kernel` sink, for real or dry.
 *
 * @module
 */
import type { KernelConfig } from "../../../schemas/kernel.ts";
import type { CreateStateSink } from "../../core/component.ts";
import { dryRun } from "../state_db/dry_run.ts";
import { KernelSink } from "./kernel_sink.ts";

/** Opens nothing yet. */
const createKernelSink: CreateStateSink<KernelConfig> = (config, context) => {
  const sink = new KernelSink({ correctionMaxMs: config.correction_max_ms }, context);
  return context.dryRun ? dryRun(sink, context.telemetry.log) : sink;
};

export default createKernelSink;
