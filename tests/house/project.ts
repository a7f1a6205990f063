/**
 * The project as the house tests see it: its files, and the graph of its modules.
 *
 * @module
 */

/** The folder of the project, with a slash at its end. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** A module of the project; `path` is relative to the project. */
export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
}

/** One import, as it stands in the source. */
export interface Import {
  /** What is written between the quotes. */
  readonly specifier: string;
  /** A path relative to the project, or the specifier with its scheme: `npm:zod`, `node:net`. */
  readonly target: string;
  readonly line: number;
  /** `import type`, which loads nothing. */
  readonly typeOnly: boolean;
  /** `import()`, which loads when it is called. */
  readonly dynamic: boolean;
}

/** Folders that hold none of the project's own sources. */
const FOREIGN = new Set([".git", "build", "coverage", "node_modules"]);

/** Every file of the project whose name matches, sorted, relative to the project. */
export async function filesOf(pattern: RegExp, folder = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(ROOT + folder)) {
    const path = folder + entry.name;
    if (entry.isDirectory && !FOREIGN.has(entry.name)) {
      found.push(...await filesOf(pattern, `${path}/`));
    } else if (entry.isFile && pattern.test(path)) found.push(path);
  }
  return found.sort();
}

/** The text of a file of the project. */
export function read(path: string): Promise<string> {
  return Deno.readTextFile(ROOT + path);
}

/** Reads every import of every TypeScript module with the compiler's own parser. */
export async function readModules(): Promise<Module[]> {
  const entry = await Deno.makeTempFile({ prefix: "portsync-house-", suffix: ".ts" });
  try {
    const paths = await filesOf(/\.ts$/);
    await Deno.writeTextFile(
      entry,
      paths.map((path) => `import "file://${ROOT}${path}";`).join(""),
    );
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", `${ROOT}deno.json`, entry],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const info: unknown = JSON.parse(new TextDecoder().decode(stdout));
    return list(info, "modules").flatMap(toModule);
  } finally {
    await Deno.remove(entry);
  }
}

function toModule(info: unknown): Module[] {
  const path = relative(text(info, "specifier"));
  if (path === undefined) return [];
  return [{ path, imports: list(info, "dependencies").flatMap(toImport) }];
}

function toImport(info: unknown): Import[] {
  const specifier = text(info, "specifier");
  const code = property(info, "code");
  const resolved = code ?? property(info, "type");
  const start = property(property(resolved, "span"), "start");
  const line = property(start, "line");
  const target = text(resolved, "specifier");
  return [{
    specifier,
    target: relative(target) ?? target.replace(/^npm:\/?(@?[^@/]+(?:\/[^@/]+)?).*$/, "npm:$1"),
    line: (typeof line === "number" ? line : 0) + 1,
    typeOnly: code === undefined,
    dynamic: property(info, "isDynamic") === true,
  }];
}

function relative(url: string): string | undefined {
  return url.startsWith(`file://${ROOT}`) ? url.slice(`file://${ROOT}`.length) : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

function text(value: unknown, name: string): string {
  const found = property(value, name);
  return typeof found === "string" ? found : "";
}

function list(value: unknown, name: string): unknown[] {
  const found = property(value, name);
  return Array.isArray(found) ? found : [];
}
