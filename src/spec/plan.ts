/**
 * The plan: the checked, completed, immutable form of a spec, and the only form that leaves this
 * room. It is plain JSON, because it travels to each pipeline's process over a pipe; secrets in it
 * are still references.
 *
 * @module
 */
import type { Grant, GrantPart, PipelineShape } from "../core/component.ts";

/** Settings of the service around the pipelines. */
export interface ServicePlan {
  /** Folder of locks and the control socket, absolute. */
  readonly runtime_folder: string;
  /** Folder of spilled buffers and checkpoints, absolute. */
  readonly data_folder: string;
  readonly log_level: "debug" | "info" | "warn" | "error";
  readonly log_format: "text" | "json";
  /** The longest that a shutdown may take, milliseconds. */
  readonly shutdown_ms: number;
}

/** One pipeline, resolved: defaults filled in, paths absolute, names of databases looked up. */
export interface PipelinePlan extends PipelineShape {
  /** Absolute path of the native library. */
  readonly library: string;
  readonly grant: Grant;
  /** The parts that the grant was made of, each with its reason. */
  readonly reasons: readonly GrantPart[];
}

/** Every pipeline of one spec. */
export interface Plan {
  /** The spec's file, absolute. */
  readonly file: string;
  readonly service: ServicePlan;
  readonly pipelines: readonly PipelinePlan[];
}
