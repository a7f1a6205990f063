/**
 * From the settings of a plan to a link.
 *
 * @module
 */
import type { Context } from "../core/component.ts";
import { StopError } from "../core/errors.ts";
import { readSecret } from "../core/secret.ts";
import { parseAddress } from "../redis/address.ts";
import type { LinkOptions } from "../redis/link.ts";

/** A database of a server, as a plan has it. */
export interface ServerSettings {
  /** `unix:///path`, `redis://host:port` or `rediss://host:port`. */
  readonly url: string;
  /** The number for SELECT. */
  readonly database: number;
  /** The database's name, for log lines. */
  readonly name: string;
  /** The user for AUTH; the server's default user when left out. */
  readonly username?: string;
  /** A reference, `${file:/path}`. */
  readonly password?: string;
  /** A file of certificates (PEM), absolute. */
  readonly caCertificate?: string;
  /** How long one attempt to connect may take, milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a command may stay unanswered, milliseconds. */
  readonly requestTimeoutMs: number;
}

/**
 * How to connect. The secret is read anew at every attempt, so that it can be mended.
 *
 * @throws {StopError} when the address is none or the certificates cannot be read
 */
export function linkOptions(settings: ServerSettings, context: Context): LinkOptions {
  const { password, caCertificate } = settings;
  return {
    address: parseAddress(settings.url),
    database: settings.database,
    username: settings.username,
    password: password === undefined ? undefined : () => readSecret(password),
    caCerts: caCertificate === undefined ? [] : [readCertificates(caCertificate)],
    purpose: settings.name,
    clientName: `portsync:${context.pipeline}`,
    lineage: context.lineage,
    connectTimeoutMs: settings.connectTimeoutMs,
    requestTimeoutMs: settings.requestTimeoutMs,
    log: context.telemetry.log,
    onStop: (error) => context.fail(error),
  };
}

function readCertificates(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StopError(`The certificates in ${file} cannot be read: ${why}`, { cause });
  }
}
