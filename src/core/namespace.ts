/**
 * Where `ip netns` keeps network namespaces.
 *
 * @module
 */

/** The path of a namespace by its name, free of links: `/var/run` is one on many systems. */
export function namespacePath(name: string): string {
  return `/run/netns/${name}`;
}
