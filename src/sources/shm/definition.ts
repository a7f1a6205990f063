/**
 * What the `shm` source says about itself.
 *
 * @module
 */
import { resolve } from "node:path/posix";
import type {
  ComponentConfig,
  Definition,
  GrantPart,
  ResolveContext,
} from "../../core/component.ts";
import { resolveFolder, serviceGrants } from "../netipc/settings.ts";
import type { ShmConfig } from "../../../schemas/shm.ts";

/** The `shm` source. */
export const definition: Definition<ShmConfig> = {
  kind: "source",
  type: "shm",
  summary: "Changes of other processes through shared memory: by netipc with a region for each " +
    "producer, or through a ring in a file that outlives both sides.",
  examples: [
    {
      title: "A queue that survives restarts of either side",
      config: { type: "shm", protocol: "ring", file: "/run/portsync/ports.ring" },
    },
    {
      title: "Producers that are answered through shared memory",
      config: { type: "shm", run_dir: "/run/portsync", service: "ports" },
    },
  ],
  resolve(config: ShmConfig, context: ResolveContext): Promise<ComponentConfig> {
    const { file, ...rest } = resolveFolder(config, context);
    return Promise.resolve(
      file === undefined ? rest : { ...rest, file: resolve(context.folder, file) },
    );
  },
  grants(config: ComponentConfig, context: ResolveContext): GrantPart[] {
    if (config["protocol"] !== "ring") return serviceGrants(config, context);
    return [{
      why: `the native library maps the ring ${config["file"]}`,
      ffi: [context.library],
      native: [String(config["file"])],
    }];
  },
};
