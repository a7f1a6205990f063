/**
 * Where a Redis server listens.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";

/** The port of a server whose address names none. */
const DEFAULT_PORT = 6379;

/** A unix socket, or a host and port, with or without TLS. */
export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | {
    readonly kind: "tcp";
    /** A name or literal address; of IPv6 without brackets. */
    readonly hostname: string;
    readonly port: number;
    readonly tls: boolean;
  };

/**
 * Reads `unix:///path`, `redis://host[:port]` or `rediss://host[:port]`.
 *
 * @throws {StopError} for anything else
 */
export function parseAddress(text: string): Address {
  const path = /^unix:\/\/(\/.*)$/i.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  const url = URL.parse(text);
  const tls = url?.protocol === "rediss:";
  if (url === null || url.hostname === "" || !(tls || url.protocol === "redis:")) {
    throw new StopError(
      `${text} is no address of a Redis server; write unix:///path, redis://host:port or ` +
        "rediss://host:port",
    );
  }
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  return { kind: "tcp", hostname, port, tls };
}

/** The address as the operator writes it. */
export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  return `${address.tls ? "rediss" : "redis"}://${hostAndPort(address.hostname, address.port)}`;
}

/** What a process needs to be allowed to connect: entries of `--allow-net`, `-read`, `-write`. */
export function addressGrant(
  address: Address,
): { readonly net: string[]; readonly read: string[]; readonly write: string[] } {
  if (address.kind === "unix") {
    return { net: [`unix:${address.path}`], read: [address.path], write: [address.path] };
  }
  return { net: [hostAndPort(address.hostname, address.port)], read: [], write: [] };
}

function hostAndPort(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
