/**
 * What the registry knows of the `ksync` transform.
 *
 * @module
 */
import { ksyncSchema } from "../../../schemas/ksync.ts";
import type { ComponentConfig, Definition, PipelineShape } from "../../core/component.ts";
import { SettingError } from "../../core/setting_error.ts";
import { checkRule } from "./rules.ts";

/** The table that the link sources write. */
const LINK_TABLE = "PORT_TABLE";

/** The definition of `ksync`. */
export const definition: Definition = {
  kind: "transform",
  type: "ksync",
  summary: ksyncSchema.description ?? "",
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
    const settings = ksyncSchema.parse(config);
    for (const [at, rule] of (settings.depends_on ?? []).entries()) {
      const complaint = checkRule(rule);
      if (complaint !== undefined) {
        return Promise.reject(new SettingError(complaint, ["depends_on", at]));
      }
    }
    return Promise.resolve({ ...config, ...followSource(config, context.pipeline) });
  },
  // It only speaks to its sink, whose grants are its own.
  grants: () => [],
};

/** What can be told from the source: which tables it writes and which of their rows are its own. */
function followSource(config: ComponentConfig, pipeline: PipelineShape): Record<string, unknown> {
  const { source, transforms } = pipeline;
  if (source.type !== "netlink" && source.type !== "replay") return {};
  // A module of the user may write other tables.
  const isPlain = transforms.every(({ type }) => type === "validate" || type === "ksync");
  return {
    ...(config["tables"] === undefined && isPlain ? { tables: [LINK_TABLE] } : {}),
    // Without patterns every link is followed; `*` never matches a dot, so sub-interfaces stay
    // out: they belong to intfmgrd.
    ...(config["owns"] === undefined
      ? { owns: { keys: source["interfaces"] ?? ["*"], field: "state" } }
      : {}),
  };
}
