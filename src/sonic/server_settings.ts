/**
 * The server that a plan names: how its settings are read, and what it takes to reach it.
 *
 * @module
 */
import type { GrantPart } from "../core/component.ts";
import { StopError } from "../core/errors.ts";
import { secretFile } from "../core/secret.ts";
import { addressGrant, parseAddress } from "../redis/address.ts";
import type { Separator } from "./database_table.ts";
import type { ServerSettings } from "./link_options.ts";

/** Settings as a plan has them, not yet looked at. */
export type Options = { readonly [option: string]: unknown };

/** A database of a server, with what stands between table and key in it. */
export interface DatabaseSettings extends ServerSettings {
  /** Between table and key. */
  readonly separator: Separator;
}

/**
 * Reads what `locateDatabase` and a definition's `resolve` have completed.
 *
 * @param who whose settings these are, as in `source table`
 * @throws {StopError} when they are not complete, which is a fault of whoever made the plan
 */
export function readDatabase(options: Options, who: string): DatabaseSettings {
  const username = optionalText(options, "username", who);
  const password = optionalText(options, "password", who);
  const caCertificate = optionalText(options, "ca_certificate", who);
  return {
    url: text(options, "url", who),
    database: whole(options, "database", who),
    name: text(options, "name", who),
    separator: text(options, "separator", who) === ":" ? ":" : "|",
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(caCertificate === undefined ? {} : { caCertificate }),
    connectTimeoutMs: whole(options, "connect_timeout_ms", who),
    requestTimeoutMs: whole(options, "request_timeout_ms", who),
  };
}

/**
 * What it takes to reach a database.
 *
 * @param what what is read or written there, as in `PORT of CONFIG_DB`
 */
export function databaseGrants(settings: ServerSettings, what: string): GrantPart[] {
  const { url, password, caCertificate } = settings;
  const parts: GrantPart[] = [{ why: `${what} is at ${url}`, ...addressGrant(parseAddress(url)) }];
  const secret = password === undefined ? undefined : secretFile(password);
  if (secret !== undefined) parts.push({ why: `the password for ${url}`, read: [secret] });
  if (caCertificate !== undefined) {
    parts.push({ why: `the certificates to trust for ${url}`, read: [caCertificate] });
  }
  return parts;
}

/** A text that must be there. */
export function text(options: Options, name: string, who: string): string {
  const value = options[name];
  if (typeof value !== "string") throw incomplete(who, name, "a text");
  return value;
}

/** A text that may be left out. */
export function optionalText(options: Options, name: string, who: string): string | undefined {
  return options[name] === undefined ? undefined : text(options, name, who);
}

/** A whole number that must be there. */
export function whole(options: Options, name: string, who: string): number {
  const value = options[name];
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw incomplete(who, name, "a whole number");
}

function incomplete(who: string, name: string, expected: string): StopError {
  return new StopError(`The plan's ${who} has no ${name} that is ${expected}`);
}
