/**
 * Bytes to and from a server, and nothing about what they mean.
 *
 * @module
 */
import { ReconnectError, StopError } from "../core/errors.ts";
import { type Address, formatAddress } from "./address.ts";

/** How to connect. */
export interface ConnectOptions {
  /** How long connecting may take, milliseconds, the TLS handshake included. */
  readonly timeoutMs: number;
  /** Certificates (PEM) that are trusted besides those of the system. */
  readonly caCerts?: readonly string[];
  /** Gives up at once. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to a server.
 *
 * @throws {ReconnectError} when it cannot be reached now
 * @throws {StopError} when this process may not connect there at all
 */
export async function connect(address: Address, options: ConnectOptions): Promise<Connection> {
  const server = formatAddress(address);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), options.timeoutMs);
  const signals = options.signal ? [late.signal, options.signal] : [late.signal];
  try {
    const conn = await openConn(address, options.caCerts ?? [], AbortSignal.any(signals));
    return new Connection(conn, server);
  } catch (cause) {
    if (late.signal.aborted) {
      throw new ReconnectError(
        `Redis at ${server} cannot be reached: no connection within ${options.timeoutMs} ms`,
      );
    }
    throw connectError(cause, server);
  } finally {
    clearTimeout(timer);
  }
}

/** An open connection. */
export class Connection {
  readonly #conn: Deno.Conn;
  readonly #server: string;
  #open = true;

  /** @param server the address, for messages */
  constructor(conn: Deno.Conn, server: string) {
    this.#conn = conn;
    this.#server = server;
  }

  /**
   * Writes all the bytes. The system call is made before this returns, unless another write is
   * under way. The bytes must stay as they are until the promise settles.
   *
   * @throws {ReconnectError} when the connection is gone
   */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      let written = await this.#conn.write(bytes);
      while (written < bytes.length) written += await this.#conn.write(bytes.subarray(written));
    } catch (cause) {
      throw this.#lost(cause);
    }
  }

  /**
   * Reads what is there, or waits for it.
   *
   * @returns how many bytes were put into `into`
   * @throws {ReconnectError} when the connection is gone
   */
  async read(into: Uint8Array): Promise<number> {
    let count: number | null;
    try {
      count = await this.#conn.read(into);
    } catch (cause) {
      throw this.#lost(cause);
    }
    if (count === null) {
      throw new ReconnectError(`Redis at ${this.#server} closed the connection`);
    }
    return count;
  }

  /** Lets go of the connection. Reads and writes under way fail. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#conn.close();
  }

  #lost(cause: unknown): ReconnectError {
    return new ReconnectError(`Lost Redis at ${this.#server}: ${reason(cause)}`, { cause });
  }
}

async function openConn(
  address: Address,
  caCerts: readonly string[],
  signal: AbortSignal,
): Promise<Deno.Conn> {
  if (address.kind === "unix") {
    return await Deno.connect({ transport: "unix", path: address.path });
  }
  const { hostname, port } = address;
  const conn = await Deno.connect({ hostname, port, signal });
  conn.setNoDelay(true);
  if (!address.tls) return conn;
  const secured = await Deno.startTls(conn, { hostname, caCerts: [...caCerts] });
  const giveUp = () => secured.close();
  signal.addEventListener("abort", giveUp);
  try {
    await secured.handshake();
    return secured;
  } catch (error) {
    if (!signal.aborted) secured.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function connectError(cause: unknown, server: string): Error {
  if (cause instanceof Deno.errors.NotCapable) {
    return new StopError(
      `This process is not permitted to connect to Redis at ${server}; ` +
        "portsync explain prints the permissions that the spec needs",
      { cause },
    );
  }
  return new ReconnectError(`Redis at ${server} cannot be reached: ${reason(cause)}`, { cause });
}

function reason(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "there is no such socket";
  if (cause instanceof Deno.errors.ConnectionRefused) return "nobody listens there";
  if (cause instanceof Deno.errors.PermissionDenied) {
    return "permission denied; this user needs read and write permission on the socket";
  }
  if (cause instanceof Deno.errors.ConnectionReset || cause instanceof Deno.errors.BrokenPipe) {
    return "the server closed the connection";
  }
  return cause instanceof Error ? cause.message : String(cause);
}
