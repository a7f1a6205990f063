/**
 * What the registry knows of the `ksync` transform.
 *
 * @module
 */
import type { KsyncConfig } from "../../../schemas/ksync.ts";
import type { ComponentConfig, Definition, PipelineShape } from "../../core/component.ts";
import { SettingError } from "../../core/setting_error.ts";
import { checkRule } from "./rules.ts";

/** The table that the link sources write. */
const LINK_TABLE = "PORT_TABLE";

/** The definition of `ksync`. */
export const definition: Definition<KsyncConfig> = {
  kind: "transform",
  type: "ksync",
  summary:
    "Keeps the desired and the believed state of every key and writes the difference, with " +
    "one request for each key at a time, retries, and mark and sweep after a dump.",
  examples: [
    { title: "Nothing but the defaults", config: { type: "ksync" } },
    {
      title: "Rows that need others, and a port that flaps",
      config: {
        type: "ksync",
        depends_on: [{
          table: "VLAN_MEMBER_TABLE",
          key: "{vlan}|{port}",
          needs: ["VLAN_TABLE|{vlan}", "PORT_TABLE|{port}"],
        }],
        resolved_when: [{ table: "PORT_TABLE", field: "state", equals: "ok" }],
        damping: { half_life_ms: 5000 },
      },
    },
  ],
  resolve(config, context): Promise<ComponentConfig> {
    for (const [at, rule] of (config.depends_on ?? []).entries()) {
      const complaint = checkRule(rule);
      if (complaint !== undefined) {
        return Promise.reject(new SettingError(complaint, ["depends_on", at]));
      }
    }
    return Promise.resolve({ ...config, ...followNeighbours(config, context.pipeline) });
  },
  // It only speaks to its sink, whose grants are its own.
  grants: () => [],
};

/** What can be told from the neighbours: which tables the source writes, what the sink compares. */
function followNeighbours(
  config: ComponentConfig,
  pipeline: PipelineShape,
): Record<string, unknown> {
  const isKernel = pipeline.sinks.some(({ type }) => type === "kernel");
  // The kernel says an MTU in its own way, whatever way it was given.
  const numeric = isKernel && config["numeric_fields"] === undefined;
  return { ...followSource(config, pipeline), ...(numeric && { numeric_fields: ["mtu"] }) };
}

function followSource(config: ComponentConfig, pipeline: PipelineShape): Record<string, unknown> {
  const { source, transforms } = pipeline;
  const table = tableOf(source);
  if (table === undefined || config["tables"] !== undefined) return {};
  // A module of the user may write other tables.
  const isPlain = transforms.every(({ type }) => type === "validate" || type === "ksync");
  return isPlain ? { tables: [table] } : {};
}

/** The one table that a source writes; undefined for those whose spec does not say it. */
function tableOf(source: ComponentConfig): string | undefined {
  if (source.type === "netlink" || source.type === "replay") return LINK_TABLE;
  const says = source.type === "table" || source["mode"] === "poll";
  const table = says ? source["table"] : undefined;
  return typeof table === "string" ? table : undefined;
}
