/**
 * What the `uds` and the `shm` source take from their settings.
 *
 * @module
 */
import { resolve } from "node:path/posix";
import type { ComponentConfig, GrantPart, ResolveContext } from "../../core/component.ts";
import { StopError } from "../../core/errors.ts";
import { readSecret } from "../../core/secret.ts";
import type { ProfileChoice } from "../../netipc/endpoint.ts";
import type { ShmConfig } from "../../../schemas/shm.ts";
import type { UdsConfig } from "../../../schemas/uds.ts";

/** Settings of a netipc service, whichever source they belong to. */
export interface NetipcSettings extends Omit<UdsConfig, "type"> {
  /** Which source it is, for the names of its numbers. */
  readonly type: "uds" | "shm";
}

/** The settings of the `shm` source as those of a service that has nothing but shared memory. */
export function settingsOf(config: ShmConfig): NetipcSettings {
  const { protocol: _protocol, file: _file, capacity_bytes: _capacity, service, ...rest } = config;
  if (service === undefined) throw new StopError("The netipc service has no name");
  return { ...rest, service, profile: "shm" satisfies ProfileChoice };
}

/** The number that both sides must know. */
export async function readToken(reference: string | undefined): Promise<bigint> {
  if (reference === undefined) return 0n;
  const text = (await readSecret(reference)).trim();
  if (/^(?:\d{1,20}|0x[0-9a-fA-F]{1,16})$/.test(text)) {
    const token = BigInt(text);
    if (token < 2n ** 64n) return token;
  }
  throw new StopError(
    "The secret of auth_token is no number of 64 bits, in decimal or in hexadecimal behind 0x",
  );
}

/** Makes the folder absolute. */
export function resolveFolder<C extends { readonly run_dir: string }>(
  config: C,
  { folder }: ResolveContext,
): C {
  return { ...config, run_dir: resolve(folder, config.run_dir) };
}

/** What a netipc service needs: the library, and the library its folder. */
export function serviceGrants(config: ComponentConfig, { library }: ResolveContext): GrantPart[] {
  const folder = String(config["run_dir"]);
  return [
    { why: "netipc is spoken by the native library", ffi: [library] },
    {
      why: `the socket and the shared memory of ${config["service"]} are in ${folder}`,
      native: [`${folder}/`],
    },
  ];
}
