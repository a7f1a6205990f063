/**
 * How the sources that speak with other processes stand together, and which of their options mean
 * something in which of their modes.
 *
 * @module
 */
import type { Finding } from "./finding.ts";
import { quote } from "./printable.ts";
import { isMapping, type Path } from "./tree.ts";

/** The folder of a service whose spec names none, as the schema has it. */
const RUN_DIR = "/run/portsync";

/** Options that only one mode of a netipc service reads. */
const ONLY = {
  serve: ["acknowledge", "allow_uids", "socket_mode", "max_clients", "max_request_bytes"],
  poll: ["interval_ms", "timeout_ms", "table"],
} as const;

/** What a ring has to do with; every other option belongs to netipc. */
const RING: ReadonlySet<string> = new Set([
  "type",
  "protocol",
  "file",
  "capacity_bytes",
  "acknowledge",
]);

/** Options that are set and that nobody would read. */
export function idleOptions(path: Path, source: unknown): Finding[] {
  if (!isMapping(source) || (source["type"] !== "uds" && source["type"] !== "shm")) return [];
  const { mode = "serve", protocol = "netipc" } = source;
  const complain = (option: string, why: string): Finding => {
    return { path: [...path, "source", option], part: "key", message: `${quote(option)} ${why}` };
  };
  if (source["type"] === "shm" && protocol === "ring") {
    return Object.keys(source).filter((option) => !RING.has(option))
      .map((option) => complain(option, "is for netipc, and a ring does not read it"));
  }
  const idle: readonly string[] = mode === "serve" ? ONLY.poll : mode === "poll" ? ONLY.serve : [];
  const findings = idle.filter((option) => Object.hasOwn(source, option)).map((option) =>
    complain(option, `is not for mode: ${mode}`)
  );
  for (const option of ["file", "capacity_bytes"]) {
    if (source["type"] !== "shm" || !Object.hasOwn(source, option)) continue;
    findings.push(complain(option, "is only for protocol: ring"));
  }
  return findings;
}

/** Two pipelines that want to be the one reader of a ring, or the one server of a service. */
export function sharedPeers(pipelines: readonly (readonly [string, unknown])[]): Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  for (const [name, pipeline] of pipelines) {
    const place = isMapping(pipeline) ? placeOf(pipeline["source"]) : undefined;
    if (place === undefined) continue;
    const owner = owners.get(place.file);
    owners.set(place.file, owner ?? name);
    if (owner === undefined) continue;
    const path = ["pipelines", name, "source", place.option];
    const message = `The pipeline ${quote(owner)} ${place.deed}`;
    findings.push({ path, part: "value", message });
  }
  return findings;
}

function placeOf(
  source: unknown,
): { readonly file: string; readonly option: string; readonly deed: string } | undefined {
  if (!isMapping(source)) return undefined;
  const { type, mode = "serve", protocol, file, run_dir = RUN_DIR, service } = source;
  if (type === "shm" && protocol === "ring") {
    if (typeof file !== "string") return undefined;
    return { file, option: "file", deed: "reads the same ring, and a ring has one reader" };
  }
  if ((type !== "uds" && type !== "shm") || mode !== "serve") return undefined;
  if (typeof run_dir !== "string" || typeof service !== "string") return undefined;
  const socket = `${run_dir}/${service}.sock`.replaceAll(/\/+/g, "/");
  return { file: socket, option: "service", deed: "listens at the same socket" };
}
