/**
 * What the `uds` source says about itself.
 *
 * @module
 */
import type {
  ComponentConfig,
  Definition,
  GrantPart,
  ResolveContext,
} from "../../core/component.ts";
import { resolveFolder, serviceGrants } from "../netipc/settings.ts";
import type { UdsConfig } from "../../../schemas/uds.ts";

/** The `uds` source. */
export const definition: Definition<UdsConfig> = {
  kind: "source",
  type: "uds",
  summary: "Changes of other processes of this machine by netipc, over a unix socket and, where " +
    "both sides can, shared memory: producers send them and hear what became of each, or the " +
    "snapshots of a service are compared.",
  examples: [
    {
      title: "Producers of two users, who must know a number",
      config: {
        type: "uds",
        run_dir: "/run/portsync",
        service: "ports",
        auth_token: "${credential:ports-token}",
        allow_uids: [0, 1001],
        socket_mode: "0660",
      },
    },
    {
      title: "The cgroups that netdata knows, every two seconds",
      config: {
        type: "uds",
        mode: "poll",
        run_dir: "/run/netdata",
        service: "cgroups-snapshot",
        interval_ms: 2000,
      },
    },
  ],
  resolve(config: UdsConfig, context: ResolveContext): Promise<ComponentConfig> {
    return Promise.resolve(resolveFolder(config, context));
  },
  grants(config: ComponentConfig, context: ResolveContext): GrantPart[] {
    return serviceGrants(config, context);
  },
};
