/**
 * The programs of portsync: which module each process runs, and what a supervisor needs for a plan.
 *
 * @module
 */
import type { Program, SupervisorGrant } from "./grant.ts";
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

/** The native library: beside the bundle's folder, or where the sources are built. */
export const LIBRARY: string =
  new URL(IS_BUNDLE ? "../libportsync.so" : "build/libportsync.so", HOME).pathname;

/** The process of one pipeline. Its name stands in the arguments for whoever reads `ps`. */
export function pipelineProgram(pipeline: string): Program {
  return { entry: PIPELINE_ENTRY, args: [pipeline] };
}

/** The supervisor of a spec. */
export function supervisorProgram(file: string): Program {
  return { entry: MAIN_ENTRY, args: ["run", file] };
}

/**
 * The narrowest grant under which a supervisor can run a plan: reading what the resolve phase
 * reads, its own folder with locks and control socket, and starting Deno.
 */
export function supervisorGrant(
  { plan, reads }: Resolved,
  options: {
    /** Absolute path of the Deno that runs us. */
    readonly deno: string;
    /** Names of the environment that the spec refers to. */
    readonly environment: readonly string[];
  },
): SupervisorGrant {
  const folder = plan.service.runtime_folder;
  const names = [
    "CREDENTIALS_DIRECTORY",
    "HOME",
    "NOTIFY_SOCKET",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
  ];
  return {
    read: [...new Set([plan.file, options.deno, folder, ...reads])].sort(),
    write: [folder],
    net: [`unix:${folder}/control.sock`],
    ffi: [],
    run: [options.deno],
    env: [...new Set([...names, ...options.environment])].sort(),
    sys: ["uid", "umask"],
  };
}
