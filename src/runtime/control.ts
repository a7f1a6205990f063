/**
 * The control socket: requests of an operator on this machine, one JSON object a line.
 *
 * `{"request": "status"}` is answered with `{"ok": true, "result": …}` or
 * `{"ok": false, "error": "…"}`. Only the user that runs the service can connect.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";
import { stagingPath } from "../spec/programs.ts";
import { LineSplitter, LineWriter } from "./lines.ts";
import { parseObject, type Question, readQuestion, textOf } from "./protocol.ts";

/** The longest request, bytes. */
const LONGEST_REQUEST = 64 * 1024;

/** The longest answer, bytes. */
const LONGEST_ANSWER = 16 * 1024 * 1024;

/** How many may be connected at the same time. */
const MOST_CONNECTIONS = 16;

/** A request. */
export type ControlRequest =
  | { readonly request: "status" }
  | { readonly request: "ask"; readonly pipeline: string; readonly question: Question };

/** Answers requests with plain JSON, or throws with words for the operator. */
export type ControlHandler = (request: ControlRequest) => Promise<unknown>;

/** An open control socket. */
export class ControlServer implements AsyncDisposable {
  readonly #path: string;
  readonly #lock: Deno.FsFile;
  readonly #listener: Deno.UnixListener;
  readonly #handler: ControlHandler;
  readonly #connections = new Set<Deno.UnixConn>();
  readonly #serving: Promise<void>;

  /** Not for callers: use {@linkcode openControl}. */
  constructor(
    path: string,
    lock: Deno.FsFile,
    listener: Deno.UnixListener,
    handler: ControlHandler,
  ) {
    this.#path = path;
    this.#lock = lock;
    this.#listener = listener;
    this.#handler = handler;
    this.#serving = this.#serve();
  }

  /** Closes it and every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    removeIfThere(this.#path);
    for (const connection of this.#connections) close(connection);
    await this.#serving;
    this.#lock.close();
  }

  async #serve(): Promise<void> {
    const serving = new Set<Promise<void>>();
    for await (const connection of this.#listener) {
      if (this.#connections.size >= MOST_CONNECTIONS) {
        close(connection);
        continue;
      }
      this.#connections.add(connection);
      const served = this.#talk(connection).finally(() => {
        this.#connections.delete(connection);
        serving.delete(served);
        close(connection);
      });
      serving.add(served);
    }
    await Promise.all(serving);
  }

  async #talk(connection: Deno.UnixConn): Promise<void> {
    const splitter = new LineSplitter(LONGEST_REQUEST);
    const answers = new LineWriter(connection, LONGEST_ANSWER);
    const buffer = new Uint8Array(4096);
    try {
      for (;;) {
        const size = await connection.read(buffer);
        if (size === null) return;
        for (const line of splitter.push(buffer.subarray(0, size))) {
          answers.send(await this.#answer(line));
          await answers.flush();
        }
      }
    } catch {
      // A client that breaks off, or sends what is no line, is simply let go.
    }
  }

  async #answer(line: string): Promise<object> {
    try {
      return { ok: true, result: await this.#handler(readRequest(line)) };
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
  }
}

/**
 * Opens a control socket. One that a dead process has left behind is taken over.
 *
 * @throws {StopError} when another process listens there
 */
export async function openControl(path: string, handler: ControlHandler): Promise<ControlServer> {
  const lock = Deno.openSync(`${path}.lock`, {
    read: true,
    write: true,
    create: true,
    mode: 0o600,
  });
  try {
    // Whoever holds the lock is the only one of us who touches the socket.
    if (!lock.tryLockSync(true) || await isListening(path)) {
      throw new StopError(
        `Another portsync listens on ${path}; give this one a service.runtime_folder of its own`,
      );
    }
    removeIfThere(path);
    return new ControlServer(path, lock, listenPrivately(path), handler);
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * Listens on a socket that nobody else can reach before it has its mode: it is made in a folder of
 * our own and moved to its place.
 */
function listenPrivately(path: string): Deno.UnixListener {
  const staging = stagingPath(path);
  const folder = staging.slice(0, staging.lastIndexOf("/"));
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  Deno.chmodSync(folder, 0o700);
  removeIfThere(staging);
  const listener = Deno.listen({ transport: "unix", path: staging });
  try {
    Deno.chmodSync(staging, 0o600);
    Deno.renameSync(staging, path);
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}

async function isListening(path: string): Promise<boolean> {
  try {
    close(await Deno.connect({ transport: "unix", path }));
    return true;
  } catch {
    return false;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function close(connection: { close(): void }): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}

function readRequest(line: string): ControlRequest {
  const value = parseObject(line);
  const request = textOf(value, "request");
  if (request === "status") return { request };
  const pipeline = textOf(value, "pipeline");
  const question = readQuestion({ ...value, what: request });
  if (question === undefined || pipeline === undefined) {
    throw new StopError(
      "Expected a request: status, or explain-key, retry or resync with a pipeline",
    );
  }
  return { request: "ask", pipeline, question };
}

/**
 * Asks a control socket.
 *
 * @throws {StopError} when nobody listens, or with the words of who refused
 */
export async function askControl(path: string, request: object): Promise<unknown> {
  let connection: Deno.UnixConn;
  try {
    connection = await Deno.connect({ transport: "unix", path });
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw new StopError(`No portsync listens on ${path}`, { cause });
  }
  try {
    const writer = new LineWriter(connection);
    writer.send(request);
    const answer = parseObject(await readLine(connection));
    if ("ok" in answer && answer.ok === true) return "result" in answer ? answer.result : null;
    throw new StopError(textOf(answer, "error") ?? "The request was refused");
  } finally {
    close(connection);
  }
}

async function readLine(connection: Deno.UnixConn): Promise<string> {
  const splitter = new LineSplitter(LONGEST_ANSWER);
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const size = await connection.read(buffer);
    if (size === null) throw new StopError("The service ended before it answered");
    const [line] = splitter.push(buffer.subarray(0, size));
    if (line !== undefined) return line;
  }
}
