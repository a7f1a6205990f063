/**
 * The settings of `validate` as they stand in a plan: what the spec says, completed by `resolve`.
 *
 * @module
 */
import type { ComponentConfig } from "../../core/component.ts";
import { StopError } from "../../core/errors.ts";
import {
  type DatabaseSettings,
  type Options,
  readDatabase,
  text,
  whole,
} from "../../sonic/server_settings.ts";

/** Where the known ports stand, completely. */
export interface PortsSettings {
  /** The database that knows them. */
  readonly server: DatabaseSettings;
  /** Their table's name. */
  readonly table: string;
  /** How often to look where the server sends no notifications, milliseconds. */
  readonly pollMs: number;
  /** How many changes of unknown ports may wait. */
  readonly holdMax: number;
}

/** Settings of `validate`. */
export interface ValidateSettings {
  /** Patterns; every name when left out. */
  readonly interfaces?: readonly string[];
  /** Where the known ports stand; every port is known when left out. */
  readonly ports?: PortsSettings;
}

/**
 * Reads resolved settings.
 *
 * @throws {StopError} when they are none, which is a fault of whoever made the plan
 */
export function readSettings(config: ComponentConfig): ValidateSettings {
  const { interfaces, ports } = config;
  return {
    ...(isTexts(interfaces) ? { interfaces } : {}),
    ...(ports === undefined ? {} : { ports: readPorts(ports) }),
  };
}

/** Whose settings these are, for complaints. */
const WHO = "transform validate";

function readPorts(ports: unknown): PortsSettings {
  if (!isOptions(ports)) throw new StopError(`The plan's ${WHO} has no ports that are an object`);
  return {
    server: readDatabase(ports, WHO),
    table: text(ports, "table", WHO),
    pollMs: whole(ports, "poll_ms", WHO),
    holdMax: whole(ports, "hold_max", WHO),
  };
}

function isOptions(value: unknown): value is Options {
  return typeof value === "object" && value !== null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
