/**
 * From what a spec says of a database to a server, a number and a separator.
 *
 * @module
 */
import type { ResolveContext } from "../core/component.ts";
import { SettingError } from "../core/setting_error.ts";
import {
  DATABASE_CONFIG_FILE,
  DATABASE_GLOBAL_FILE,
  DatabaseConfigError,
  type DatabasePlace,
  type GlobalEntry,
  parseDatabaseConfig,
  parseDatabaseGlobal,
} from "./database_config.ts";
import { FALLBACK_DATABASES, type Separator } from "./database_table.ts";

/** What a spec says. */
export interface DatabaseSettings {
  /** `unix:///path`, `redis://host:port` or `rediss://host:port`. */
  readonly url?: string | undefined;
  /** A name or a number. */
  readonly database: string | number;
  /** Another place of `database_config.json`, from the folder of the spec. */
  readonly database_config?: string | undefined;
}

/** Where a database is. */
export interface Located {
  /** `unix:///path`, `redis://host:port` or `rediss://host:port`. */
  readonly url: string;
  /** The number for SELECT. */
  readonly database: number;
  /** Between table and key. */
  readonly separator: Separator;
}

/**
 * Looks a database up: first in the spec, then in `database_config.json` where there is one, then
 * in the table of names that every switch has in common.
 *
 * @param path leads from the component's settings to these, for complaints
 * @throws {SettingError} when nothing says where the database is, or the file is wrong
 */
export async function locateDatabase(
  settings: DatabaseSettings,
  context: ResolveContext,
  path: readonly string[] = [],
): Promise<Located> {
  const { database, url } = settings;
  const { file, places } = await readPlaces(settings.database_config, context, path);
  const known = typeof database === "string"
    ? places?.get(database) ?? FALLBACK_DATABASES.get(database)
    : { id: database, separator: separatorOf(database, places) };
  if (!known) {
    throw new SettingError(
      `No database is called ${database}, neither in ${file} nor on a switch of SONiC`,
      [...path, "database"],
    );
  }
  const server = url ?? serverOf(database, places);
  if (server === undefined) {
    const missing = places ? `${file} does not name it` : `there is no ${file}`;
    throw new SettingError(
      `Nothing says where ${database} is: url is left out, and ${missing}`,
      path,
    );
  }
  return { url: server, database: known.id, separator: known.separator };
}

/** An absolute path from one that may be relative to a folder. */
export function absolutePath(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

type Places = ReadonlyMap<string, DatabasePlace>;

/** The server of a name; of a number when all databases of that number are on one server. */
function serverOf(database: string | number, places: Places | undefined): string | undefined {
  if (typeof database === "string") return places?.get(database)?.url;
  const urls = new Set(withNumber(database, places).map((place) => place.url));
  const [first] = urls;
  return urls.size === 1 ? first : undefined;
}

/** Names that share a number may differ in their separator; STATE_DB's is then the better guess. */
function separatorOf(database: number, places: Places | undefined): Separator {
  const named = withNumber(database, places ?? FALLBACK_DATABASES);
  return named.length > 0 && named.every((place) => place.separator === ":") ? ":" : "|";
}

function withNumber<Place extends { readonly id: number }>(
  database: number,
  places: ReadonlyMap<string, Place> | undefined,
): Place[] {
  return [...places?.values() ?? []].filter((place) => place.id === database);
}

interface Read {
  readonly file: string;
  /** Absent where there is no such file, and the spec does not ask for one. */
  readonly places?: Places;
}

async function readPlaces(
  setting: string | undefined,
  context: ResolveContext,
  path: readonly string[],
): Promise<Read> {
  const named = setting === undefined ? undefined : absolutePath(context.folder, setting);
  const file = named ?? await defaultFile(context);
  try {
    return { file, places: parseDatabaseConfig(await context.readTextFile(file)) };
  } catch (error) {
    if (named === undefined && error instanceof Deno.errors.NotFound) return { file };
    const at = named === undefined ? path : [...path, "database_config"];
    throw new SettingError(complaint(file, error), at, { cause: error });
  }
}

/** The file of the pipeline's namespace where the host lists it, otherwise the host's own. */
async function defaultFile(context: ResolveContext): Promise<string> {
  const { namespace } = context.pipeline;
  if (namespace === undefined) return DATABASE_CONFIG_FILE;
  let entries: readonly GlobalEntry[];
  try {
    entries = parseDatabaseGlobal(await context.readTextFile(DATABASE_GLOBAL_FILE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return DATABASE_CONFIG_FILE;
    throw new SettingError(complaint(DATABASE_GLOBAL_FILE, error), [], { cause: error });
  }
  const entry = entries.find((other) => other.namespace === namespace);
  if (!entry) return DATABASE_CONFIG_FILE;
  return absolutePath(DATABASE_GLOBAL_FILE.replace(/\/[^/]*$/, ""), entry.include);
}

function complaint(file: string, error: unknown): string {
  if (error instanceof DatabaseConfigError) return `${file} cannot be used: ${error.message}`;
  if (error instanceof Deno.errors.NotFound) return `There is no ${file}`;
  const why = error instanceof Error ? error.message : String(error);
  return `${file} cannot be read: ${why}`;
}
