/**
 * The settings of `validate` as they stand in a plan: what the spec says, completed by `resolve`.
 *
 * @module
 */
import type { ComponentConfig } from "../../core/component.ts";
import { StopError } from "../../core/errors.ts";
import type { Separator } from "../../sonic/database_table.ts";
import type { ServerSettings } from "../../sonic/link_options.ts";

/** Where the known ports stand, completely. */
export interface PortsSettings {
  readonly server: ServerSettings;
  readonly separator: Separator;
  readonly table: string;
  readonly pollMs: number;
  readonly holdMax: number;
}

/** Settings of `validate`. */
export interface ValidateSettings {
  /** Patterns; every name when left out. */
  readonly interfaces?: readonly string[];
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

type Options = { readonly [option: string]: unknown };

function readPorts(ports: unknown): PortsSettings {
  if (!isOptions(ports)) throw wrong("ports", "an object");
  const username = optional(ports, "username");
  const password = optional(ports, "password");
  const caCertificate = optional(ports, "ca_certificate");
  return {
    server: {
      url: text(ports, "url"),
      database: whole(ports, "database"),
      name: text(ports, "name"),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(caCertificate === undefined ? {} : { caCertificate }),
      connectTimeoutMs: whole(ports, "connect_timeout_ms"),
      requestTimeoutMs: whole(ports, "request_timeout_ms"),
    },
    separator: text(ports, "separator") === ":" ? ":" : "|",
    table: text(ports, "table"),
    pollMs: whole(ports, "poll_ms"),
    holdMax: whole(ports, "hold_max"),
  };
}

function text(options: Options, name: string): string {
  const value = options[name];
  if (typeof value !== "string") throw wrong(`ports.${name}`, "a text");
  return value;
}

function optional(options: Options, name: string): string | undefined {
  return options[name] === undefined ? undefined : text(options, name);
}

function whole(options: Options, name: string): number {
  const value = options[name];
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw wrong(`ports.${name}`, "a whole number");
}

function isOptions(value: unknown): value is Options {
  return typeof value === "object" && value !== null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function wrong(name: string, expected: string): StopError {
  return new StopError(`The plan's transform validate has no ${name} that is ${expected}`);
}
