/**
 * What the `kernel` sink says about itself.
 *
 * @module
 */
import type { KernelConfig } from "../../../schemas/kernel.ts";
import type {
  ComponentConfig,
  Definition,
  GrantPart,
  ResolveContext,
} from "../../core/component.ts";
import { namespacePath } from "../../core/namespace.ts";

/** The `kernel` sink. */
export const definition: Definition<KernelConfig> = {
  kind: "sink",
  type: "kernel",
  keeps: "state",
  summary: "Links of the kernel: admin state, MTU and master as the rows say. A link that is not " +
    "there yet is set up when it appears, and one that somebody else changes is put right. " +
    "Nothing is undone when a row goes. Needs CAP_NET_ADMIN.",
  examples: [
    {
      title: "The links of this machine, or of the pipeline's namespace",
      config: { type: "kernel" },
    },
    {
      title: "Beside a daemon that insists on values of its own",
      config: { type: "kernel", correction_max_ms: 60_000 },
    },
  ],
  grants(_config: ComponentConfig, { library, pipeline }: ResolveContext): GrantPart[] {
    const parts: GrantPart[] = [{
      why: "links are changed and followed by the native library",
      ffi: [library],
    }];
    if (pipeline.namespace !== undefined) {
      parts.push({
        why: `its sockets are opened in the network namespace ${pipeline.namespace}`,
        native: [namespacePath(pipeline.namespace)],
      });
    }
    return parts;
  },
};
