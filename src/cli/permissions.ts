/**
 * What a command must be allowed, said before Deno would ask for it.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";
import { shellLine } from "../spec/grant.ts";
import type { PipelinePlan } from "../spec/plan.ts";

/** A permission that a command cannot do without. */
export type Need =
  | { readonly name: "read" | "write"; readonly path: string }
  | { readonly name: "run"; readonly command: string }
  | { readonly name: "sys"; readonly kind: "uid" };

/** What starting pipelines takes. */
export function needsToStart(file: string): Need[] {
  return [
    { name: "read", path: file },
    { name: "run", command: Deno.execPath() },
    { name: "sys", kind: "uid" },
  ];
}

/**
 * Refuses to go on without the permissions, and says how to give them. Nothing is ever asked on the
 * terminal.
 *
 * @param words the command line, for the message
 * @throws {StopError} with the flags
 */
export function requirePermissions(needs: readonly Need[], words: readonly string[]): void {
  const missing = needs.filter((need) => Deno.permissions.querySync(need).state !== "granted");
  if (missing.length === 0) return;
  const flags = missing.map(flagOf);
  const start = ["deno", "run", "-P", `--allow-run=${Deno.execPath()}`, "mod.ts", ...words];
  throw new StopError(
    `Deno was started without ${flags.join(" ")}\n` +
      `  Start with the permission set of deno.json: ${shellLine(start)}\n` +
      "  What one spec needs, and nothing more, is what portsync explain FILE prints",
  );
}

/**
 * Refuses to run a pipeline in this process under less than its grant.
 *
 * @throws {StopError} with the command that prints the right command line
 */
export function requireGrant({ name, grant }: PipelinePlan, file: string): void {
  const kinds = { read: grant.read, write: grant.write, ffi: grant.ffi };
  const missing = Object.entries(kinds).flatMap(([kind, paths]) =>
    paths.filter((path) => !isGranted(kind, path)).map((path) => `--allow-${kind}=${path}`)
  );
  if (missing.length === 0) return;
  throw new StopError(
    `Pipeline ${name} may not do what it needs in this process: ${missing.join(" ")}\n` +
      `  The whole command line is what portsync explain ${file} prints`,
  );
}

function isGranted(kind: string, path: string): boolean {
  const name = kind === "read" || kind === "write" ? kind : "ffi";
  return Deno.permissions.querySync({ name, path }).state === "granted";
}

function flagOf(need: Need): string {
  switch (need.name) {
    case "run":
      return `--allow-run=${need.command}`;
    case "sys":
      return `--allow-sys=${need.kind}`;
    default:
      return `--allow-${need.name}=${need.path}`;
  }
}
