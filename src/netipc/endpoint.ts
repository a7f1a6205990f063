/**
 * Where a service is, and which profiles it may use.
 *
 * @module
 */
import { Profile } from "./codec/hello.ts";
import { NetipcError } from "./errors.ts";

/** How messages travel: over the socket, through shared memory, or as the two sides can. */
export type ProfileChoice = "auto" | "uds" | "shm";

/** A service: its folder and its name. */
export interface Endpoint {
  /** Absolute path of the folder; the library must have been sealed with it. */
  readonly runDir: string;
  /** Letters, digits, dots, lines and underscores. */
  readonly service: string;
}

const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;

/** The path of a service's socket. */
export function socketPath({ runDir, service }: Endpoint): string {
  if (!NAME.test(service)) {
    throw new NetipcError("not found", `${JSON.stringify(service)} is no name of a netipc service`);
  }
  return `${runDir.replace(/\/+$/, "")}/${service}.sock`;
}

/** What the paths of all regions of a service begin with. */
export function regionPrefix(endpoint: Endpoint): string {
  return socketPath(endpoint).replace(/\.sock$/, "-");
}

/** The path of the region of one session. */
export function regionPath(endpoint: Endpoint, sessionId: number): string {
  const id = BigInt(sessionId).toString(16).padStart(16, "0");
  return `${regionPrefix(endpoint)}${id}.ipcshm`;
}

/** The bits of a choice. A client that wants shared memory alone offers that alone. */
export function profilesOf(choice: ProfileChoice): number {
  if (choice === "uds") return Profile.uds;
  return choice === "shm" ? Profile.shm : Profile.uds | Profile.shm;
}

/** Whether a selected profile is one of shared memory. */
export function isShared(profile: number): boolean {
  return profile !== Profile.uds;
}
