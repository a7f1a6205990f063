/**
 * `database_config.json` and `database_global.json` of SONiC: which server holds which database.
 * Source: `specs/sonic-db.md` §1.2 and §1.3.
 *
 * @module
 */
import type { Separator } from "./database_table.ts";

/** Where the host's own file is on every switch. */
export const DATABASE_CONFIG_FILE = "/var/run/redis/sonic-db/database_config.json";

/** Where the host lists the files of its namespaces. */
export const DATABASE_GLOBAL_FILE = "/var/run/redis/sonic-db/database_global.json";

/** One database, by name. */
export interface DatabasePlace {
  /** `unix:///path` where the server has a socket, otherwise `redis://host:port`. */
  readonly url: string;
  /** The number for SELECT. */
  readonly id: number;
  /** Between table and key. */
  readonly separator: Separator;
}

/** A file that is not what it should be. The message names the place inside the file. */
export class DatabaseConfigError extends Error {
  /** The class, also after minifying. */
  override readonly name = "DatabaseConfigError";
}

/**
 * Reads the text of a `database_config.json`.
 *
 * @throws {DatabaseConfigError} when it is no JSON or not of that form
 */
export function parseDatabaseConfig(text: string): ReadonlyMap<string, DatabasePlace> {
  const root = parseObject(text);
  const urls = new Map<string, string>();
  for (const [name, instance] of Object.entries(objectAt(root["INSTANCES"], "INSTANCES"))) {
    const place = `INSTANCES.${name}`;
    urls.set(name, instanceUrl(objectAt(instance, place), place));
  }
  const databases = new Map<string, DatabasePlace>();
  for (const [name, entry] of Object.entries(objectAt(root["DATABASES"], "DATABASES"))) {
    const place = `DATABASES.${name}`;
    const { id, separator, instance } = objectAt(entry, place);
    const url = typeof instance === "string" ? urls.get(instance) : undefined;
    if (url === undefined) throw wrong(`${place}.instance`, "a name of INSTANCES", instance);
    if (!isWhole(id, 0, 65_535)) throw wrong(`${place}.id`, "a whole number from 0", id);
    if (separator !== ":" && separator !== "|") {
      throw wrong(`${place}.separator`, '":" or "|"', separator);
    }
    databases.set(name, { url, id, separator });
  }
  return databases;
}

/** One file that a `database_global.json` lists. */
export interface GlobalEntry {
  /** The path as it stands there: relative to the folder of the global file. */
  readonly include: string;
  /** The network namespace, absent for the host itself. */
  readonly namespace?: string;
  /** The container, where the file tells entries of one namespace apart. */
  readonly containerName?: string;
}

/**
 * Reads the text of a `database_global.json`.
 *
 * @throws {DatabaseConfigError} when it is no JSON or not of that form
 */
export function parseDatabaseGlobal(text: string): readonly GlobalEntry[] {
  const includes = parseObject(text)["INCLUDES"];
  if (!Array.isArray(includes)) throw wrong("INCLUDES", "a list", includes);
  return includes.map((entry: unknown, index) => {
    const place = `INCLUDES[${index}]`;
    const { include, namespace, container_name: container } = objectAt(entry, place);
    if (typeof include !== "string" || include === "") {
      throw wrong(`${place}.include`, "a path", include);
    }
    return {
      include,
      ...(typeof namespace === "string" && namespace !== "" ? { namespace } : {}),
      ...(typeof container === "string" && container !== "" ? { containerName: container } : {}),
    };
  });
}

type JsonObject = { readonly [key: string]: unknown };

function instanceUrl(instance: JsonObject, place: string): string {
  const { unix_socket_path: socket, hostname, port } = instance;
  // Only sockets reach across namespaces, and daemons of the switch use them; see §1.2.
  if (typeof socket === "string" && socket.startsWith("/")) return `unix://${socket}`;
  if (socket !== undefined && socket !== "") {
    throw wrong(`${place}.unix_socket_path`, "an absolute path", socket);
  }
  if (typeof hostname !== "string" || hostname === "") {
    throw wrong(`${place}.hostname`, "a host", hostname);
  }
  if (!isWhole(port, 1, 65_535)) throw wrong(`${place}.port`, "a port", port);
  return hostname.includes(":") ? `redis://[${hostname}]:${port}` : `redis://${hostname}:${port}`;
}

function parseObject(text: string): JsonObject {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DatabaseConfigError(`it is no JSON: ${why}`, { cause });
  }
  return objectAt(root, "the whole file");
}

function objectAt(value: unknown, place: string): JsonObject {
  if (!isObject(value)) throw wrong(place, "an object", value);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && typeof value === "number" && value >= min && value <= max;
}

function wrong(place: string, expected: string, found: unknown): DatabaseConfigError {
  const what = found === undefined ? "nothing" : JSON.stringify(found).slice(0, 60);
  return new DatabaseConfigError(`${place} should be ${expected} and is ${what}`);
}
