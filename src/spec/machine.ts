/**
 * What the resolve phase may ask of the machine: reading only.
 *
 * @module
 */
import type { Environment } from "./interpolate.ts";

/** A file's kind and who may write it. */
export interface FileFacts {
  readonly isFile: boolean;
  /** Permission bits, where the file system has them. */
  readonly mode: number | null;
}

/** The machine as the resolve phase sees it. Tests give one of their own. */
export interface Machine {
  /** The user that runs us; undefined where we may not know. */
  readonly uid: number | undefined;
  readonly environment: Environment;
  /** Folder that relative paths of the command line start at, absolute. */
  readonly workingFolder: string;
  /** @throws {Deno.errors.NotFound} and other errors of Deno */
  readTextFile(path: string): Promise<string>;
  /** @throws {Deno.errors.NotFound} and other errors of Deno */
  stat(path: string): Promise<FileFacts>;
}

/** This machine, as far as the process's permissions go. */
export function thisMachine(): Machine {
  return {
    uid: ownUid(),
    environment: (name) => Deno.env.get(name),
    workingFolder: Deno.cwd(),
    readTextFile: (path) => Deno.readTextFile(path),
    stat: (path) => Deno.stat(path),
  };
}

function ownUid(): number | undefined {
  try {
    return Deno.uid() ?? undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** Joins a folder and a path, and takes out `.` and `..`; an absolute path stays. */
export function absolutePath(path: string, folder: string): string {
  const steps: string[] = [];
  for (const step of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  }
  return "/" + steps.join("/");
}
