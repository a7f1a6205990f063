/**
 * What the `netlink` source says about itself.
 *
 * @module
 */
import type { ComponentConfig, Definition, GrantPart } from "../../core/component.ts";
import type { ResolveContext } from "../../core/component.ts";
import { namespacePath } from "../../core/namespace.ts";

/** The `netlink` source. */
export const definition: Definition = {
  kind: "source",
  type: "netlink",
  summary: "Links of the kernel over rtnetlink: a dump at the start, then every event, and " +
    "another dump whenever events were lost.",
  examples: [
    {
      title: "The front-panel ports and port channels of a switch",
      config: { type: "netlink", interfaces: ["Ethernet*", "PortChannel*"] },
    },
    {
      title: "Every link, with its hardware address and the bridge it belongs to",
      config: { type: "netlink", extra_fields: ["mac", "master"] },
    },
  ],
  grants(_config: ComponentConfig, { library, pipeline }: ResolveContext): GrantPart[] {
    const parts: GrantPart[] = [{ why: "rtnetlink is read by the native library", ffi: [library] }];
    if (pipeline.namespace !== undefined) {
      parts.push({
        why: `its sockets are opened in the network namespace ${pipeline.namespace}`,
        native: [namespacePath(pipeline.namespace)],
      });
    }
    return parts;
  },
};
