/**
 * What the schema of one component cannot say: how components stand together.
 *
 * The rules look at the raw tree and pass over what has no sensible shape, so that their findings
 * come together with the schema's.
 *
 * @module
 */
import type { Finding } from "./finding.ts";
import { overlap } from "./overlap.ts";
import { idleOptions, sharedPeers } from "./peers.ts";
import { quote } from "./printable.ts";
import { isMapping, type Path } from "./tree.ts";

/** The sinks that keep the last state of each key; they are driven by ksync. */
export const STATE_SINKS: ReadonlySet<unknown> = new Set(["state_db", "kernel"]);

/** The sources whose rows are links. */
const LINK_SOURCES: ReadonlySet<unknown> = new Set(["netlink", "replay"]);

/** The table of snapshots whose spec names none, as the schema has it. */
const SNAPSHOTS = "CGROUP_TABLE";

/** A sink that writes rows, with the pattern of the keys that its pipeline writes. */
interface Writer {
  readonly pipeline: string;
  readonly path: Path;
  /** Address, database and table, or the namespace of the links. */
  readonly place: string;
  /** What another writer of the same does, for people. */
  readonly deed: string;
  readonly keys: readonly string[] | undefined;
}

/**
 * Everything that is wrong with how the components of a spec stand together.
 *
 * @param knownSinks the types of sinks that there are: of others nothing can be said
 */
export function applyRules(tree: unknown, knownSinks: ReadonlySet<unknown>): Finding[] {
  if (!isMapping(tree) || !isMapping(tree["pipelines"])) return [];
  const pipelines = Object.entries(tree["pipelines"]);
  if (pipelines.length === 0) {
    return [{ path: ["pipelines"], part: "value", message: "Expected at least one pipeline" }];
  }
  const findings: Finding[] = [];
  const writers: Writer[] = [];
  for (const [name, pipeline] of pipelines) {
    if (!isMapping(pipeline)) continue;
    const path = ["pipelines", name];
    const transforms = components(pipeline["transforms"]);
    const sinks = components(pipeline["sinks"]);
    findings.push(...placeOfKsync(path, transforms, sinks, pipeline["transforms"]));
    if (sinks.every(({ settings }) => knownSinks.has(settings["type"]))) {
      findings.push(...nothingToKeep(path, transforms, sinks));
    }
    findings.push(...patternsThatNeverMeet(path, pipeline["source"], transforms));
    findings.push(...rowsOfOthers(path, pipeline["source"], transforms));
    findings.push(...echoes(path, pipeline["source"], sinks));
    findings.push(...idleOptions(path, pipeline["source"]));
    writers.push(...writersOf(name, pipeline, transforms, sinks));
  }
  findings.push(...twoWriters(writers), ...sharedPeers(pipelines));
  return findings;
}

/** A component's raw settings and its place in its list. */
interface Component {
  readonly index: number;
  readonly settings: Record<string, unknown>;
}

function components(list: unknown): Component[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((settings: unknown, index) =>
    isMapping(settings) ? [{ index, settings }] : []
  );
}

function placeOfKsync(
  path: Path,
  transforms: readonly Component[],
  sinks: readonly Component[],
  list: unknown,
): Finding[] {
  const findings: Finding[] = [];
  const all = transforms.filter(({ settings }) => settings["type"] === "ksync");
  const [first, second] = all;
  const stateSink = sinks.find(({ settings }) => STATE_SINKS.has(settings["type"]));
  const typeOf = (index: number): Path => [...path, "transforms", index, "type"];
  if (second !== undefined) {
    const message = "ksync stands here a second time, and a pipeline has one";
    findings.push({ path: typeOf(second.index), part: "value", message });
  } else if (first !== undefined && Array.isArray(list) && first.index !== list.length - 1) {
    const message = "ksync is the last transform; move it behind the others";
    findings.push({ path: typeOf(first.index), part: "value", message });
  }
  if (stateSink !== undefined && first === undefined) {
    const message = `${
      stateSink.settings["type"]
    } keeps state and needs ksync as the last transform`;
    findings.push({ path: [...path, "sinks", stateSink.index, "type"], part: "value", message });
  }
  return findings;
}

function nothingToKeep(
  path: Path,
  transforms: readonly Component[],
  sinks: readonly Component[],
): Finding[] {
  const ksync = transforms.find(({ settings }) => settings["type"] === "ksync");
  const keeps = sinks.some(({ settings }) => STATE_SINKS.has(settings["type"]));
  if (ksync === undefined || keeps || sinks.length === 0) return [];
  const message = "ksync has nothing to keep: no sink of this pipeline keeps state";
  return [{ path: [...path, "transforms", ksync.index, "type"], part: "value", message }];
}

/** A validate whose patterns take nothing of what the source sends is a mistake. */
function patternsThatNeverMeet(
  path: Path,
  source: unknown,
  transforms: readonly Component[],
): Finding[] {
  const sent = isMapping(source) ? texts(source["interfaces"]) : undefined;
  if (sent === undefined) return [];
  return transforms.flatMap(({ index, settings }) => {
    const taken = settings["type"] === "validate" ? texts(settings["interfaces"]) : undefined;
    if (taken === undefined || overlap(sent, taken) !== "never") return [];
    const message = "No name that the source sends can match these patterns";
    return [{ path: [...path, "transforms", index, "interfaces"], part: "value", message }];
  });
}

/** `PORT_TABLE|Ethernet0.10` is intfmgrd's, and no dump of links may sweep it. */
function rowsOfOthers(
  path: Path,
  source: unknown,
  transforms: readonly Component[],
): Finding[] {
  if (!isMapping(source) || !LINK_SOURCES.has(source["type"])) return [];
  return transforms.flatMap(({ index, settings: { type, owns } }) => {
    const keys = type === "ksync" && isMapping(owns) ? texts(owns["keys"]) ?? [] : [];
    return keys.flatMap((pattern, at): Finding[] => {
      if (!pattern.includes(".")) return [];
      const message = "Rows with a dot in their name are intfmgrd's and never ours to remove";
      const below = ["transforms", index, "owns", "keys", at];
      return [{ path: [...path, ...below], part: "value", message }];
    });
  });
}

/** Links that are set to what they are change nothing, and cost an answer for each event. */
function echoes(path: Path, source: unknown, sinks: readonly Component[]): Finding[] {
  if (!isMapping(source) || source["type"] !== "netlink") return [];
  const message =
    "Links would be set to what they are; kernel wants rows from elsewhere, such as " +
    "a table";
  return sinks.filter(({ settings }) => settings["type"] === "kernel")
    .map(({ index }) => ({ path: [...path, "sinks", index, "type"], part: "value", message }));
}

function writersOf(
  name: string,
  pipeline: Record<string, unknown>,
  transforms: readonly Component[],
  sinks: readonly Component[],
): Writer[] {
  const sent = sentBy(pipeline["source"]);
  if (sent === undefined) return [];
  const narrowed = transforms.find(({ settings }) => {
    return settings["type"] === "validate" && texts(settings["interfaces"]) !== undefined;
  });
  const keys = texts(narrowed?.settings["interfaces"]) ?? sent.keys;
  return sinks.flatMap(({ index, settings }): Writer[] => {
    const path = ["pipelines", name, "sinks", index];
    if (settings["type"] === "kernel") {
      const place = JSON.stringify(["kernel", pipeline["namespace"] ?? null]);
      return [{ pipeline: name, path, place, keys, deed: "changes links of the same names" }];
    }
    if (settings["type"] !== "state_db") return [];
    const { url, database = "STATE_DB", table = sent.table } = settings;
    const place = JSON.stringify([url ?? null, database, table]);
    const deed = "writes rows of the same names to the same table";
    return [{ pipeline: name, path, place, keys, deed }];
  });
}

/** The keys and the table of what a source sends, as far as its settings say. */
function sentBy(
  source: unknown,
): { readonly keys: string[] | undefined; readonly table: unknown } | undefined {
  if (!isMapping(source)) return undefined;
  if (source["type"] === "table") return { keys: texts(source["keys"]), table: source["table"] };
  if (source["mode"] === "poll") return { keys: undefined, table: source["table"] ?? SNAPSHOTS };
  if (!LINK_SOURCES.has(source["type"])) return undefined;
  return { keys: texts(source["interfaces"]), table: "PORT_TABLE" };
}

/** Two writers of one row undo each other's work for ever, and sweep each other's rows. */
function twoWriters(writers: readonly Writer[]): Finding[] {
  const findings: Finding[] = [];
  for (const [index, writer] of writers.entries()) {
    const other = writers.slice(0, index).find((before) => {
      return before.place === writer.place && overlap(before.keys, writer.keys) === "surely";
    });
    if (other === undefined) continue;
    const message = other.pipeline === writer.pipeline
      ? "This sink stands here twice, and both would write the same rows"
      : `The pipeline ${quote(other.pipeline)} ${other.deed}`;
    findings.push({ path: [...writer.path, "type"], part: "value", message });
  }
  return findings;
}

/** A list of texts, or undefined for anything else. */
function texts(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const all = value.filter((item) => typeof item === "string");
  return all.length === value.length ? all : undefined;
}
