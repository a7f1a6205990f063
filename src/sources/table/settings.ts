/**
 * The settings of `table` as they stand in a plan: what the spec says, completed by `resolve`.
 *
 * @module
 */
import type { ComponentConfig } from "../../core/component.ts";
import { type DatabaseSettings, readDatabase, text, whole } from "../../sonic/server_settings.ts";

/** For messages about a plan that is not complete. */
const WHO = "source table";

/** Settings of `table`. */
export interface TableSettings {
  /** Where the database is. */
  readonly server: DatabaseSettings;
  /** Its name without separator. */
  readonly table: string;
  /** Patterns; every key when left out. */
  readonly keys: readonly string[] | undefined;
  /** Names; every field when left out. */
  readonly fields: readonly string[] | undefined;
  /** Whether SONiC's conventions are left in. */
  readonly asStored: boolean;
  /** How often to read where there are no notifications, milliseconds. */
  readonly pollMs: number;
}

/**
 * Reads resolved settings.
 *
 * @throws {StopError} when they are none, which is a fault of whoever made the plan
 */
export function readSettings(config: ComponentConfig): TableSettings {
  const { keys, fields, as_stored } = config;
  return {
    server: readDatabase(config, WHO),
    table: text(config, "table", WHO),
    keys: isTexts(keys) ? keys : undefined,
    fields: isTexts(fields) ? fields : undefined,
    asStored: as_stored === true,
    pollMs: whole(config, "poll_ms", WHO),
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
