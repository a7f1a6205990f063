/**
 * What a command must be allowed, said before Deno would ask for it.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";
import { shellLine } from "../spec/grant.ts";

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
