/**
 * Permissions: what one pipeline may do, and the command line that says so to Deno.
 *
 * `explain` prints what the functions here make and the runtime starts with the same, so the two
 * cannot differ.
 *
 * @module
 */
import type { Grant, GrantPart } from "../core/component.ts";
import { ExitCode, StopError } from "../core/errors.ts";

/** A module to run, with everything of the command line that is no permission. */
export interface Program {
  /** The module's path or URL. */
  readonly entry: string;
  /** What stands behind the module. */
  readonly args: readonly string[];
  /** Further flags of Deno, such as `--v8-flags=…`. */
  readonly flags?: readonly string[];
}

/** What a supervisor may do; beside the kinds of a grant it starts programs and reads names. */
export interface SupervisorGrant extends Omit<Grant, "native"> {
  /** Programs that it may start. */
  readonly run: readonly string[];
  /** Names of the environment that it may read. */
  readonly env: readonly string[];
  /** What it may ask of the system, as Deno names it. */
  readonly sys: readonly string[];
}

/** The kinds of permission, in the order in which they are printed. */
const KINDS = ["read", "write", "net", "ffi", "run", "env", "sys"] as const;

/** Adds the parts up: each entry once, sorted, so that equal plans have equal grants. */
export function mergeGrants(parts: readonly GrantPart[]): Grant {
  const union = (kind: keyof Grant) => {
    return [...new Set(parts.flatMap((part) => part[kind] ?? []))].sort();
  };
  return {
    read: union("read"),
    write: union("write"),
    net: union("net"),
    ffi: union("ffi"),
    native: union("native"),
  };
}

/**
 * The arguments of a Deno that runs a program under exactly this grant: it never asks for more,
 * never downloads, and a kind without entries is refused as a whole.
 *
 * @throws {StopError} for an entry with a comma, which no flag of Deno can carry: it would become
 * two entries, and a wider grant
 *
 * @example
 * ```ts
 * import { denoArguments, mergeGrants } from "./grant.ts";
 * const grant = mergeGrants([{ why: "the secret", read: ["/etc/portsync/redis"] }]);
 * denoArguments(grant, { entry: "/opt/portsync/child.ts", args: [] });
 * // ["run", "--quiet", "--no-prompt", "--cached-only", "--allow-read=/etc/portsync/redis", …]
 * ```
 */
export function denoArguments(
  grant: Omit<Grant, "native"> | SupervisorGrant,
  program: Program,
): string[] {
  const lists: Readonly<Partial<Record<typeof KINDS[number], readonly string[]>>> = grant;
  const flags = ["--quiet", "--no-prompt", "--cached-only", ...program.flags ?? []];
  for (const kind of KINDS) {
    const entries = lists[kind] ?? [];
    const divided = entries.find((entry) => entry.includes(","));
    if (divided !== undefined) throw commaError(divided);
    if (entries.length > 0) flags.push(`--allow-${kind}=${entries.join(",")}`);
  }
  return ["run", ...flags, program.entry, ...program.args];
}

function commaError(entry: string): StopError {
  return new StopError(
    `${entry} has a comma in it, which Deno's permissions cannot carry; use another path`,
    { exitCode: ExitCode.config },
  );
}

/** A command line as it is typed into a shell. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => {
    return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  }).join(" ");
}
