/**
 * The settings of `state_db` as they stand in a plan: what the spec says, completed by `resolve`.
 *
 * @module
 */
import type { ComponentConfig } from "../../core/component.ts";
import { StopError } from "../../core/errors.ts";
import type { Separator } from "../../sonic/database_table.ts";
import type { ServerSettings } from "../../sonic/link_options.ts";

/** Settings of an embedded store. */
export interface SqliteSettings {
  readonly store: "sqlite";
  /** Absolute. */
  readonly file: string;
  /** For log lines. */
  readonly name: string;
  /** Takes the place of the change's own table. */
  readonly table?: string;
}

/** Settings of a Redis server. */
export interface RedisSettings extends ServerSettings {
  readonly store: "redis";
  readonly separator: Separator;
  /** Takes the place of the change's own table. */
  readonly table?: string;
}

/** The prefix of an embedded store's address. */
export const SQLITE = "sqlite:";

/**
 * Reads resolved settings.
 *
 * @throws {StopError} when they are none, which is a fault of whoever made the plan
 */
export function readSettings(config: ComponentConfig): RedisSettings | SqliteSettings {
  const url = text(config, "url");
  const table = optional(config, "table");
  const named = table === undefined ? {} : { table };
  if (url.startsWith(SQLITE)) {
    return {
      store: "sqlite",
      file: url.slice(SQLITE.length),
      name: text(config, "name"),
      ...named,
    };
  }
  const username = optional(config, "username");
  const password = optional(config, "password");
  const caCertificate = optional(config, "ca_certificate");
  return {
    store: "redis",
    url,
    database: whole(config, "database"),
    name: text(config, "name"),
    separator: text(config, "separator") === ":" ? ":" : "|",
    ...named,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(caCertificate === undefined ? {} : { caCertificate }),
    connectTimeoutMs: whole(config, "connect_timeout_ms"),
    requestTimeoutMs: whole(config, "request_timeout_ms"),
  };
}

function text(config: ComponentConfig, name: string): string {
  const value = config[name];
  if (typeof value !== "string") throw wrong(name, "a text");
  return value;
}

function optional(config: ComponentConfig, name: string): string | undefined {
  return config[name] === undefined ? undefined : text(config, name);
}

function whole(config: ComponentConfig, name: string): number {
  const value = config[name];
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrong(name, "a whole number");
  return value;
}

function wrong(name: string, expected: string): StopError {
  return new StopError(`The plan's sink state_db has no ${name} that is ${expected}`);
}
