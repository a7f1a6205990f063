/**
 * Who may import whom, as `docs/design.md` says it.
 *
 * @module
 */
import type { Import, Module } from "./project.ts";

/** The rooms of the house, and from which others each may import; everybody may from `core`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  cli: ["runtime", "registry", "spec", "observe"],
  runtime: ["registry", "spec", "observe", "ffi"],
  registry: ["sources", "transforms", "sinks"],
  sources: ["schemas", "sonic", "netipc", "redis", "observe", "ffi"],
  transforms: ["schemas", "sonic", "netipc", "redis", "observe", "ffi"],
  sinks: ["schemas", "sonic", "netipc", "redis", "observe", "ffi"],
  sonic: ["redis"],
  netipc: ["ffi"],
  spec: ["schemas"],
  redis: [],
  observe: [],
  schemas: [],
  ffi: [],
  core: [],
  // What the package offers to others; nobody inside imports it.
  "mod.ts": ["cli", "netipc"],
};

/** What the process that moves data must not load. */
const HEAVY: ReadonlySet<string> = new Set([
  "npm:zod",
  "npm:yaml",
  "npm:smol-toml",
  "npm:toml-eslint-parser",
]);

/** The room of a module, or undefined for what stands outside: tests, benchmarks, tools. */
export function roomOf(path: string): string | undefined {
  if (path.endsWith("_test.ts")) return undefined;
  if (path === "mod.ts") return path;
  return /^(?:src\/)?(cli|runtime|registry|sources|transforms|sinks|sonic|netipc|redis|observe|spec|core|schemas|ffi)(?:\/|\.ts$)/
    .exec(path)?.[1];
}

/** Every import that runs against a wall, each as `file:line: rule`. */
export function wallComplaints(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, imports }) => {
    const room = roomOf(path);
    if (room === undefined) {
      return path.startsWith("src/") && !path.endsWith("_test.ts")
        ? [`${path}:1: stands in no room of src/`]
        : [];
    }
    return imports.flatMap((found) => {
      const complaint = againstWall(room, found);
      return complaint === undefined ? [] : [`${path}:${found.line}: ${complaint}`];
    });
  });
}

function againstWall(room: string, { target }: Import): string | undefined {
  if (/^[a-z]+:/.test(target)) {
    return room === "core" ? `core imports nothing, not even ${target}` : undefined;
  }
  const other = roomOf(target);
  if (other === undefined) return `${room} must not import ${target}, which is in no room`;
  if (other === room || other === "core" || MAY_IMPORT[room]?.includes(other)) return undefined;
  return `${room} must not import from ${other} (${target})`;
}

/** Specifiers that cannot be had everywhere, or that slip past the pinned versions. */
export function specifierComplaints(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier, target, line }) => {
      const place = `${path}:${line}:`;
      if (target === "") return [`${place} nothing is at ${specifier}`];
      if (/^(?:jsr|https?):/.test(target)) return [`${place} ${specifier} is not from npm`];
      if (specifier.startsWith("npm:")) {
        return [`${place} ${specifier} must be pinned in the import map of deno.json`];
      }
      return [];
    })
  );
}

/**
 * What the pipeline's process would load and must not: follows every import that loads something,
 * from each implementation that the registry lists and from `entries`.
 *
 * @returns one complaint for each chain, which it shows
 */
export function weightComplaints(
  modules: readonly Module[],
  entries: readonly string[],
): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const roots = [
    ...entries,
    ...(byPath.get("src/registry.ts")?.imports ?? [])
      .filter(({ dynamic, target }) => dynamic && !target.endsWith("/definition.ts"))
      .map(({ target }) => target),
  ];
  const walk = { who: "the pipeline's process", follows: loadsAll };
  return roots.flatMap((root) => chainsToHeavy(root, byPath, walk));
}

/**
 * What a process that stays beside the pipelines would load and must not, when another process
 * makes its plan: follows the table of commands as it is loaded at every start, and everything from
 * each of `commands` but the import by which it would make the plan itself.
 *
 * @param commands modules of commands
 * @returns one complaint for each chain, which it shows
 */
export function supervisorComplaints(
  modules: readonly Module[],
  commands: readonly string[],
): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const who = "a process that lets another one plan";
  const table = "src/cli/main.ts";
  const follows: Follows = (path, found) =>
    loadsAll(path, found) &&
    !(found.dynamic && (path === table || found.target === "src/cli/load_plan.ts"));
  return [table, ...commands].flatMap((root) => chainsToHeavy(root, byPath, { who, follows }));
}

type Follows = (path: string, found: Import) => boolean;

/** The registry lists definitions too, but loads only what it is asked for. */
const loadsAll: Follows = (path, { typeOnly, dynamic }) =>
  !typeOnly && !(dynamic && path === "src/registry.ts");

function chainsToHeavy(
  root: string,
  byPath: ReadonlyMap<string, Module>,
  { who, follows }: { readonly who: string; readonly follows: Follows },
): string[] {
  const complaints: string[] = [];
  const seen = new Set([root]);
  const open = [[root]];
  for (let chain = open.pop(); chain !== undefined; chain = open.pop()) {
    const path = chain.at(-1) ?? "";
    for (const found of byPath.get(path)?.imports ?? []) {
      if (!follows(path, found)) continue;
      const longer = [...chain, found.target];
      if (HEAVY.has(found.target)) {
        complaints.push(
          `${path}:${found.line}: ${who} must not load ${found.target} (${longer.join(" → ")})`,
        );
      } else if (!seen.has(found.target)) {
        seen.add(found.target);
        open.push(longer);
      }
    }
  }
  return complaints;
}
