/**
 * A private redis-server for one test: its own folder, unix socket and, when asked, loopback port.
 *
 * ```ts
 * await using redis = await startRedis({ persist: true });
 * await redis.cli("-n", "6", "HSET", "PORT_TABLE|Ethernet0", "state", "ok");
 * await redis.kill();
 * await redis.restart("withData");
 * ```
 *
 * @module
 */
import { ServerLog } from "./server_log.ts";

/** How the server is set up. Everything has a default that suits a SONiC switch. */
export interface RedisOptions {
  /** Also listen on a free port of 127.0.0.1. Default: only the unix socket. */
  readonly tcp?: boolean;
  /** Certificate and key files (PEM): the loopback port then speaks TLS. Implies `tcp`. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** `requirepass`: the password of the default user. */
  readonly password?: string;
  /** Users as ACL rules, for example `reader on >secret ~* &* +@read`. */
  readonly users?: readonly string[];
  /** `notify-keyspace-events`, `""` for none. Default: `AKE`, as on a switch. */
  readonly notifyKeyspaceEvents?: string;
  /** Follow this server, which must have been started with `tcp`. */
  readonly replicaOf?: RedisServer;
  /** `maxmemory`, for example `2mb`; writes then answer OOM when it is full. */
  readonly maxmemory?: string;
  /** Number of databases. Default: 100, as on a switch. */
  readonly databases?: number;
  /**
   * Write every command to an append-only file, so that `restart("withData")` finds everything
   * that was answered, even after a kill. Default: off, since it costs a little.
   */
  readonly persist?: boolean;
  /** Mode of the unix socket, for example `700`. */
  readonly socketMode?: string;
  /** Any other directive of `redis.conf`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Starts a server and waits until it answers. Fails with its log when it does not start. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const folder = await Deno.makeTempDir({ prefix: "portsync-redis-" });
  const server = new RedisServer(folder, options);
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** One redis-server process with its folder. Disposing of it kills and removes both. */
export class RedisServer implements AsyncDisposable {
  /** The unix socket's path; the same after a restart. */
  readonly socket: string;
  readonly #folder: string;
  readonly #options: RedisOptions;
  #port = 0;
  #child: Deno.ChildProcess | undefined;
  #log: ServerLog | undefined;
  #complaints: ServerLog | undefined;

  /** Use {@linkcode startRedis}. */
  constructor(folder: string, options: RedisOptions) {
    this.#folder = folder;
    this.#options = options;
    this.socket = `${folder}/redis.sock`;
  }

  /** `unix:///…/redis.sock` */
  get url(): string {
    return `unix://${this.socket}`;
  }

  /** The loopback port; 0 when the server was started without `tcp`. The same after a restart. */
  get port(): number {
    return this.#port;
  }

  /** `redis://127.0.0.1:PORT` or, with TLS, `rediss://localhost:PORT`. */
  get tcpUrl(): string {
    return this.#options.tls
      ? `rediss://localhost:${this.#port}`
      : `redis://127.0.0.1:${this.#port}`;
  }

  /** The server's own folder, for what else belongs to the test; removed with the server. */
  get folder(): string {
    return this.#folder;
  }

  /** The process, while it lives. */
  get pid(): number {
    return this.#running().pid;
  }

  /** What the server has printed since its last start, for a failing test to show. */
  get log(): string {
    return `${this.#log?.text ?? ""}${this.#complaints?.text ?? ""}`;
  }

  /** Starts the server again after a `kill()`, with the data that it finds. */
  async start(): Promise<void> {
    if (this.#child) throw new Error("redis-server is already running");
    const wantsPort = this.#options.tcp || this.#options.tls;
    for (let attempt = 1;; attempt++) {
      if (wantsPort && this.#port === 0) this.#port = freePort();
      if (await this.#spawn()) return;
      await this.kill();
      const log = this.log;
      // Another test may have taken the port between our look and the server's bind.
      if (attempt === 5 || !/bind|in use/i.test(log)) {
        throw new Error(`redis-server did not start:\n${log}`);
      }
      this.#port = 0;
    }
  }

  /** Ends the process with SIGKILL, as a crash does. Does nothing when it is not running. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
    await child.status;
    await Promise.all([this.#log?.ended, this.#complaints?.ended]);
  }

  /**
   * Kills the server if it runs and starts it again: without any row, or with all that it had
   * answered for (`persist: true`).
   */
  async restart(data: "empty" | "withData"): Promise<void> {
    if (data === "withData" && !this.#options.persist) {
      throw new Error("restart('withData') needs startRedis({ persist: true })");
    }
    await this.kill();
    if (data === "empty") {
      await Deno.remove(`${this.#folder}/appendonlydir`, { recursive: true }).catch(() => {});
    }
    await this.start();
  }

  /** Freezes the process (SIGSTOP): connections stay open and nothing answers. */
  stop(): void {
    this.#running().kill("SIGSTOP");
  }

  /** Lets a stopped process go on (SIGCONT). */
  cont(): void {
    this.#running().kill("SIGCONT");
  }

  /**
   * Runs redis-cli on the unix socket and returns what it printed, without the last newline.
   * An error reply throws.
   */
  async cli(...args: readonly string[]): Promise<string> {
    const password = this.#options.password;
    const { success, stdout, stderr } = await new Deno.Command("redis-cli", {
      args: ["-e", "-s", this.socket, ...args],
      env: password === undefined ? {} : { REDISCLI_AUTH: password },
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = new TextDecoder().decode(stdout).replace(/\n$/, "");
    if (!success) throw new Error(`redis-cli: ${new TextDecoder().decode(stderr)}${text}`);
    return text;
  }

  /** One hash as an object; empty when the row is not there. */
  async row(database: number, key: string): Promise<Record<string, string>> {
    const text = await this.cli("-n", String(database), "HGETALL", key);
    const lines = text === "" ? [] : text.split("\n");
    const fields: Record<string, string> = {};
    for (let at = 0; at + 1 < lines.length; at += 2) fields[lines[at] ?? ""] = lines[at + 1] ?? "";
    return fields;
  }

  /** Kills the server and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }

  #running(): Deno.ChildProcess {
    if (!this.#child) throw new Error("redis-server is not running");
    return this.#child;
  }

  async #spawn(): Promise<boolean> {
    const file = `${this.#folder}/redis.conf`;
    await Deno.writeTextFile(file, this.#config());
    // With setpriv the server ends with the test's thread, also when the test run is killed.
    this.#child = new Deno.Command("setpriv", {
      args: ["--pdeathsig", "KILL", "redis-server", file],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#log = new ServerLog(this.#child.stdout);
    this.#complaints = new ServerLog(this.#child.stderr);
    return await this.#log.seen(/ready to accept connections/i);
  }

  #config(): string {
    const { tls, password, replicaOf, maxmemory, persist, socketMode, users = [] } = this.#options;
    const lines = [
      `dir ${this.#folder}`,
      `unixsocket ${this.socket}`,
      `port ${tls ? 0 : this.#port}`,
      "bind 127.0.0.1",
      'save ""',
      `databases ${this.#options.databases ?? 100}`,
      `notify-keyspace-events "${this.#options.notifyKeyspaceEvents ?? "AKE"}"`,
      `appendonly ${persist ? "yes" : "no"}`,
      // The page cache outlives a killed process, so no sync is needed.
      "appendfsync no",
      ...users.map((user) => `user ${user}`),
    ];
    if (tls) {
      lines.push(`tls-port ${this.#port}`, `tls-cert-file ${tls.cert}`, `tls-key-file ${tls.key}`);
      lines.push("tls-auth-clients no");
    }
    if (password !== undefined) lines.push(`requirepass "${password}"`);
    if (maxmemory !== undefined) lines.push(`maxmemory ${maxmemory}`);
    if (socketMode !== undefined) lines.push(`unixsocketperm ${socketMode}`);
    if (replicaOf) {
      lines.push(`replicaof 127.0.0.1 ${replicaOf.port}`);
      const secret = replicaOf.#options.password;
      if (secret !== undefined) lines.push(`masterauth "${secret}"`);
    }
    for (const [name, value] of Object.entries(this.#options.config ?? {})) {
      lines.push(`${name} ${value}`);
    }
    return lines.join("\n") + "\n";
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = listener.addr.port;
  listener.close();
  return port;
}
