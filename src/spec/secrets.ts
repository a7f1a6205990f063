/**
 * References to secrets in a component's settings: where their files are, and that they are there.
 * Nothing here reads a secret.
 *
 * @module
 */
import type { ComponentConfig, GrantPart } from "../core/component.ts";
import { secretCredential, secretFile } from "../core/secret.ts";
import type { SettingError } from "../core/setting_error.ts";
import type { Machine } from "./machine.ts";
import { formatPath, isMapping, type Path } from "./tree.ts";

/** What is wrong with a reference. */
type Problem = Pick<SettingError, "path" | "message">;

/** Settings whose secrets are all files. */
export interface WithSecrets {
  readonly config: ComponentConfig;
  readonly parts: readonly GrantPart[];
  readonly problems: readonly Problem[];
}

/** Turns credentials into files and looks whether every file is there. */
export async function resolveSecrets(
  config: ComponentConfig,
  machine: Machine,
): Promise<WithSecrets> {
  const parts: GrantPart[] = [];
  const problems: Problem[] = [];
  const walk = async (value: unknown, path: Path): Promise<unknown> => {
    if (typeof value === "string") {
      const file = fileOf(value, machine);
      if (file === undefined) return value;
      const problem = typeof file === "string" ? await missing(file, machine) : file.problem;
      if (problem !== undefined) problems.push({ path, message: problem });
      if (typeof file !== "string") return value;
      parts.push({ why: `${config.type}: the secret of ${formatPath(path)}`, read: [file] });
      return `\${file:${file}}`;
    }
    if (Array.isArray(value)) {
      return await Promise.all(value.map((item, index) => walk(item, [...path, index])));
    }
    if (!isMapping(value)) return value;
    const walked: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) walked[key] = await walk(item, [...path, key]);
    return walked;
  };
  const walked = await walk(config, []);
  return { config: isMapping(walked) ? { ...walked, type: config.type } : config, parts, problems };
}

/** The file of a reference; undefined for a text that is none. */
function fileOf(text: string, machine: Machine): string | { problem: string } | undefined {
  const name = secretCredential(text);
  if (name === undefined) return secretFile(text);
  const folder = machine.environment("CREDENTIALS_DIRECTORY");
  if (folder?.startsWith("/")) return `${folder}/${name}`;
  return {
    problem: `There are no credentials here; in the unit, write LoadCredential=${name}:/path`,
  };
}

async function missing(file: string, machine: Machine): Promise<string | undefined> {
  try {
    const { isFile } = await machine.stat(file);
    return isFile ? undefined : `The secret ${file} is no file`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `There is no secret ${file}`;
    if (error instanceof Deno.errors.PermissionDenied) return `The secret ${file} may not be read`;
    throw error;
  }
}
