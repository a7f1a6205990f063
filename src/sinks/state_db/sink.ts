/**
 * The `state_db` sink: in Redis or in a file, for real or dry.
 *
 * @module
 */
import type { ComponentConfig, Context, CreateStateSink } from "../../core/component.ts";
import type { StateSink } from "../../core/stage.ts";
import { dryRun } from "./dry_run.ts";
import { readSettings } from "./settings.ts";

/** Makes the sink, not yet opened. */
const createStateDb: CreateStateSink<ComponentConfig> = async (config, context) => {
  const sink = await create(config, context);
  return context.dryRun ? dryRun(sink, context.telemetry.log) : sink;
};

/** Loads only the one that is asked for. */
async function create(config: ComponentConfig, context: Context): Promise<StateSink> {
  const settings = readSettings(config);
  if (settings.store === "sqlite") {
    const { SqliteSink } = await import("./sqlite_sink.ts");
    return new SqliteSink(settings, context);
  }
  const { RedisSink } = await import("./redis_sink.ts");
  return new RedisSink(settings, context);
}

export default createStateDb;
