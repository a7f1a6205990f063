/**
 * A network between client and server that can swallow bytes and bring them late, as a partition
 * does: the kernel goes on sending what a closed socket still had.
 *
 * @module
 */

/** Stands before a server's unix socket with one of its own. */
export class LateProxy implements AsyncDisposable {
  /** `unix:///…`, where clients connect. */
  readonly url: string;
  readonly #folder: string;
  readonly #target: string;
  readonly #listener: Deno.UnixListener;
  readonly #conns: Deno.Conn[] = [];
  readonly #tasks: Promise<void>[] = [];
  #isPartitioned = false;
  /** What came during the partition, with the connection to the server that it is for. */
  #late: { readonly bytes: Uint8Array; readonly to: Deno.Conn }[] = [];

  /** @param target path of the server's socket */
  constructor(target: string) {
    this.#target = target;
    this.#folder = Deno.makeTempDirSync({ prefix: "portsync-proxy-" });
    const path = `${this.#folder}/proxy.sock`;
    this.url = `unix://${path}`;
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#tasks.push(this.#accept());
  }

  /** From now on nothing of the present connections arrives, not even their end. */
  partition(): void {
    this.#isPartitioned = true;
  }

  /** New connections work again; what was sent before is still under way. */
  heal(): void {
    this.#isPartitioned = false;
  }

  /** How many bytes are under way. */
  get held(): number {
    return this.#late.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** What was under way arrives. */
  async deliver(): Promise<void> {
    for (const { bytes, to } of this.#late.splice(0)) {
      await to.write(bytes).catch(() => {
        // The server has ended that connection.
      });
    }
  }

  /** Ends everything and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    await Promise.all(this.#tasks);
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #accept(): Promise<void> {
    for (;;) {
      const client = await this.#listener.accept().catch(() => undefined);
      if (!client) return;
      const server = await Deno.connect({ transport: "unix", path: this.#target });
      this.#conns.push(client, server);
      this.#tasks.push(this.#forward(client, server), this.#backward(server, client));
    }
  }

  async #forward(client: Deno.Conn, server: Deno.Conn): Promise<void> {
    const into = new Uint8Array(65_536);
    for (;;) {
      const count = await client.read(into).catch(() => null);
      if (count === null) return;
      const bytes = into.slice(0, count);
      if (this.#isPartitioned) this.#late.push({ bytes, to: server });
      else await server.write(bytes).catch(() => 0);
    }
  }

  async #backward(server: Deno.Conn, client: Deno.Conn): Promise<void> {
    const into = new Uint8Array(65_536);
    for (;;) {
      const count = await server.read(into).catch(() => null);
      if (count === null) return;
      if (!this.#isPartitioned) await client.write(into.subarray(0, count)).catch(() => 0);
    }
  }
}
