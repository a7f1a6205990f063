/**
 * The settings of a spec as the engine's own.
 *
 * @module
 */
import type { KsyncConfig } from "../../../schemas/ksync.ts";
import type { Fields } from "../../core/change.ts";
import { compileGlobs } from "../../core/glob.ts";
import type { ContainerOptions } from "./container.ts";
import { DEFAULT_OPTIONS } from "./engine.ts";
import type { EngineOptions } from "./machine.ts";
import { compileRules } from "./rules.ts";

/** The engine's options. */
export function engineOptions(config: KsyncConfig): EngineOptions {
  const { retry, sweep, damping } = config;
  return {
    ...DEFAULT_OPTIONS,
    resolveOn: config.resolve_on,
    requestTimeoutMs: config.request_timeout_ms,
    retry: {
      initialMs: retry.initial_ms,
      maxMs: retry.max_ms,
      factor: retry.factor,
      jitter: retry.jitter,
      maxAttempts: retry.max_attempts,
    },
    retryOnChange: retry.on_change === "now",
    maxInFlight: config.max_in_flight,
    coalesceMs: config.coalesce_ms,
    gatherMs: config.gather_ms,
    gatherOperations: config.batch_operations,
    damping: damping === undefined ? undefined : {
      penalty: damping.penalty,
      suppressAbove: damping.suppress_above,
      reuseBelow: damping.reuse_below,
      halfLifeMs: damping.half_life_ms,
      maxSuppressMs: damping.max_suppress_ms,
    },
    renew: config.renew,
    onDependencyDeleted: config.on_dependency_deleted,
    onCycle: config.on_cycle,
    holdWarnMs: config.hold_warn_ms,
    sweep: {
      afterMs: sweep.after_ms,
      intervalMs: sweep.interval_ms,
      perInterval: sweep.per_interval,
      maxWaitMs: sweep.max_wait_ms,
      withoutEnd: sweep.without_end,
    },
  };
}

/** The options of one table. */
export function tableOptions(config: KsyncConfig, table: string): ContainerOptions {
  const { owns, numeric_fields, depends_on, resolved_when } = config;
  const conditions = (resolved_when ?? []).filter((condition) => condition.table === table);
  return {
    owns: owns === undefined ? undefined : ownership(owns.keys, owns.field),
    ownFields: owns?.fields === undefined ? undefined : new Set(owns.fields),
    numericFields: numeric_fields === undefined ? undefined : new Set(numeric_fields),
    dependencies: compileRules(depends_on ?? [], table),
    isDataResolved: conditions.length === 0
      ? undefined
      : (fields) => conditions.every(({ field, equals }) => fields[field] === equals),
    compressDeletes: config.compress_deletes,
    needsScan: true,
  };
}

/** Whether a row is ours to adopt and to sweep: its key matches, and it carries our field. */
function ownership(
  keys: readonly string[] | undefined,
  field: string | undefined,
): (key: string, fields: Fields) => boolean {
  const matches = keys === undefined ? () => true : compileGlobs(keys);
  return (key, fields) => matches(key) && (field === undefined || Object.hasOwn(fields, field));
}
