/**
 * The programs of portsync: which module each process runs, and what a supervisor needs for a plan.
 *
 * @module
 */
import type { Program, SupervisorGrant } from "./grant.ts";
import type { Resolved } from "./resolve.ts";

/** The module of a pipeline's own process. The plan comes over its standard input. */
export const PIPELINE_ENTRY: string = new URL("../runtime/pipeline_main.ts", import.meta.url)
  .pathname;

/** The module of every command. */
export const MAIN_ENTRY: string = new URL("../../mod.ts", import.meta.url).pathname;

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
