/**
 * A server that answers with whatever a test wants, for what no real server does on request.
 *
 * @module
 */

/**
 * Answers one piece of bytes, as it was read.
 *
 * @param text what came, decoded as Latin-1
 * @param connection counts from 1
 * @returns the bytes to send, or `undefined` to end the connection
 */
export type Answer = (text: string, connection: number) => string | undefined;

/** Listens on a unix socket in a folder of its own. */
export class ScriptedServer implements AsyncDisposable {
  /** `unix:///…` */
  readonly url: string;
  /** Connections that were made so far. */
  connections = 0;
  readonly #answer: Answer;
  readonly #folder: string;
  readonly #listener: Deno.UnixListener;
  readonly #conns = new Set<Deno.Conn>();
  readonly #served: Promise<void>[] = [];

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#folder = Deno.makeTempDirSync({ prefix: "portsync-scripted-" });
    const path = `${this.#folder}/scripted.sock`;
    this.url = `unix://${path}`;
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#served.push(this.#accept());
  }

  /** Ends everything and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    await Promise.all(this.#served);
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #accept(): Promise<void> {
    try {
      for (;;) {
        const conn = await this.#listener.accept();
        this.#conns.add(conn);
        this.#served.push(this.#serve(conn, ++this.connections));
      }
    } catch {
      // The listener was closed.
    }
  }

  async #serve(conn: Deno.Conn, number: number): Promise<void> {
    const into = new Uint8Array(65_536);
    const latin1 = new TextDecoder("latin1");
    try {
      for (;;) {
        const count = await conn.read(into);
        if (count === null) break;
        const answer = this.#answer(latin1.decode(into.subarray(0, count)), number);
        if (answer === undefined) break;
        const bytes = Uint8Array.from(answer, (character) => character.charCodeAt(0));
        for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
      }
    } catch {
      // The other side, or the test, has ended it.
    }
    if (this.#conns.delete(conn)) {
      try {
        conn.close();
      } catch {
        // The test has.
      }
    }
  }
}

/** The answers to a login without a password: SELECT, CLIENT SETNAME, CLIENT ID, INFO server. */
export const LOGIN = "+OK\r\n+OK\r\n:7\r\n$15\r\nrun_id:abcdef\r\n\r\n";
