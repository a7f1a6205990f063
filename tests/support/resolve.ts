/**
 * What the resolve phase gives a definition, for tests of one definition alone.
 *
 * @module
 */
import type { ComponentConfig, PipelineShape, ResolveContext } from "../../src/core/component.ts";

/** A context whose only files are these, and whose spec stands in `/etc/portsync`. */
export function resolveContext(
  pipeline: Partial<PipelineShape> = {},
  files: Readonly<Record<string, string>> = {},
): ResolveContext {
  const source: ComponentConfig = { type: "netlink" };
  return {
    folder: "/etc/portsync",
    library: "/usr/lib/portsync/libportsync.so",
    readTextFile: (path) => {
      const text = files[path];
      return text === undefined
        ? Promise.reject(new Deno.errors.NotFound(path))
        : Promise.resolve(text);
    },
    isFile: (path) => Promise.resolve(Object.hasOwn(files, path)),
    pipeline: { name: "port-sync", source, transforms: [], sinks: [], ...pipeline },
  };
}
