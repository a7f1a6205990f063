/**
 * The programs of portsync: which module each process runs, and what a supervisor needs for a plan.
 *
 * @module
 */
import type { Program, SupervisorGrant } from "./grant.ts";
import type { PipelinePlan } from "./plan.ts";
import type { Resolved } from "./resolve.ts";

/** Whether this is the bundle that `tools/build.ts` makes, and not the sources. */
const IS_BUNDLE = import.meta.url.endsWith(".js");

/** The folder of `mod`: in a bundle, all that it was cut into stands there. */
const HOME = new URL(IS_BUNDLE ? "./" : "../../", import.meta.url);

/** The module of every command. */
export const MAIN_ENTRY: string = new URL(IS_BUNDLE ? "mod.js" : "mod.ts", HOME).pathname;

/** The module of a pipeline's own process. The plan comes over its standard input. */
export const PIPELINE_ENTRY: string =
  new URL(`src/runtime/pipeline_main.${IS_BUNDLE ? "js" : "ts"}`, HOME).pathname;

/** The module that looks at a peer for a command. What to do comes over its standard input. */
export const TOOL_ENTRY: string =
  new URL(`src/netipc/tool_main.${IS_BUNDLE ? "js" : "ts"}`, HOME).pathname;

/** The native library: beside the bundle's folder, or where the sources are built. */
export const LIBRARY: string =
  new URL(IS_BUNDLE ? "../libportsync.so" : "build/libportsync.so", HOME).pathname;

/**
 * What a process that moves data tells V8: at most 1 MiB for young objects, nearly all of which are
 * dead after one batch. After 80,000 events that is 8 MiB less, and bursts are as fast as without
 * it. 2 MiB take 1 MiB more. `--single-threaded` would save less than 1 MiB, but starts slower: the
 * processes share their modules' compiled code, and do not once one of them has another setting.
 */
const HEAP_FLAGS = ["--v8-flags=--max-semi-space-size=1"];

/** The process of one pipeline. Its name stands in the arguments for whoever reads `ps`. */
export function pipelineProgram(pipeline: string): Program {
  return { entry: PIPELINE_ENTRY, args: [pipeline], flags: HEAP_FLAGS };
}

/** The supervisor of a spec. */
export function supervisorProgram(file: string): Program {
  return { entry: MAIN_ENTRY, args: ["run", file] };
}

/** One pipeline alone, without a supervisor. */
export function loneProgram(file: string, pipeline: string): Program {
  return { entry: MAIN_ENTRY, args: ["run", file, "--pipeline", pipeline], flags: HEAP_FLAGS };
}

/** The control socket of a supervisor. No netipc service has such a name: those end in `.sock`. */
export function controlPath(runtimeFolder: string): string {
  return `${runtimeFolder}/control.socket`;
}

/** The control socket of a pipeline that runs alone. */
export function lonePath(runtimeFolder: string, pipeline: string): string {
  return `${runtimeFolder}/${pipeline}.socket`;
}

/** Where a control socket is made, until it has its mode and is moved to its place. */
export function stagingPath(path: string): string {
  return path.replace(/[^/]*$/, ".starting/$&");
}

/** Listening on a control socket, and looking whether somebody else does. */
function controlGrant(path: string): string[] {
  return [`unix:${path}`, `unix:${stagingPath(path)}`];
}

/** What making a plan and standing for it takes, beside what the plan itself needs. */
const OWN_NAMES = [
  "CREDENTIALS_DIRECTORY",
  "HOME",
  "NOTIFY_SOCKET",
  "XDG_RUNTIME_DIR",
  "XDG_STATE_HOME",
];

/** What the grants of a supervisor and of a lone pipeline depend on beside the plan. */
export interface Surroundings {
  /** Absolute path of the Deno that runs us. */
  readonly deno: string;
  /** Names of the environment that the spec refers to. */
  readonly environment: readonly string[];
}

/**
 * The narrowest grant under which a supervisor can run a plan: reading what the resolve phase
 * reads, its own folder with locks and control socket, and starting Deno.
 */
export function supervisorGrant(resolved: Resolved, surroundings: Surroundings): SupervisorGrant {
  const folder = resolved.plan.service.runtime_folder;
  const { deno } = surroundings;
  const own = ownGrant(resolved, surroundings);
  return {
    ...own,
    read: union(own.read, [deno]),
    net: controlGrant(controlPath(folder)),
    ffi: [],
    run: [deno],
  };
}

/** The narrowest grant of one pipeline without a supervisor: its own, and making the plan. */
export function loneGrant(
  resolved: Resolved,
  { name, grant }: PipelinePlan,
  surroundings: Surroundings,
): SupervisorGrant {
  const folder = resolved.plan.service.runtime_folder;
  const own = ownGrant(resolved, surroundings);
  return {
    ...own,
    read: union(own.read, grant.read),
    write: union(own.write, grant.write),
    net: union(controlGrant(lonePath(folder, name)), grant.net),
    ffi: grant.ffi,
    run: [],
  };
}

function ownGrant({ plan, reads }: Resolved, { environment }: Surroundings) {
  const folder = plan.service.runtime_folder;
  return {
    read: union([plan.file, folder], reads),
    write: [folder],
    env: union(OWN_NAMES, environment),
    sys: ["uid"],
  };
}

function union(left: readonly string[], right: readonly string[]): string[] {
  return [...new Set([...left, ...right])].sort();
}
