/**
 * The settings of `state_db` as they stand in a plan: what the spec says, completed by `resolve`.
 *
 * @module
 */
import type { ComponentConfig } from "../../core/component.ts";
import {
  type DatabaseSettings,
  optionalText,
  readDatabase,
  text,
} from "../../sonic/server_settings.ts";

/** Settings of an embedded store. */
export interface SqliteSettings {
  /** Which store this is. */
  readonly store: "sqlite";
  /** Absolute. */
  readonly file: string;
  /** For log lines. */
  readonly name: string;
  /** Takes the place of the change's own table. */
  readonly table?: string;
}

/** Settings of a Redis server. */
export interface RedisSettings extends DatabaseSettings {
  /** Which store this is. */
  readonly store: "redis";
  /** Takes the place of the change's own table. */
  readonly table?: string;
}

/** The prefix of an embedded store's address. */
export const SQLITE = "sqlite:";

/** Whose settings these are, for complaints. */
const WHO = "sink state_db";

/**
 * Reads resolved settings.
 *
 * @throws {StopError} when they are none, which is a fault of whoever made the plan
 */
export function readSettings(config: ComponentConfig): RedisSettings | SqliteSettings {
  const url = text(config, "url", WHO);
  const renamed = optionalText(config, "table", WHO);
  const table = renamed === undefined ? {} : { table: renamed };
  if (url.startsWith(SQLITE)) {
    const file = url.slice(SQLITE.length);
    return { store: "sqlite", file, name: text(config, "name", WHO), ...table };
  }
  return { store: "redis", ...readDatabase(config, WHO), ...table };
}
