/**
 * Somebody who sees each write of one row, and a writer who does nothing else.
 *
 * @module
 */

/** A connection that only this benchmark reads, so nothing of ours stands between. */
export class Wire implements Disposable {
  readonly #connection: Deno.UnixConn;
  readonly #buffer = new Uint8Array(1 << 16);

  /** Not for callers: use {@linkcode Wire.open}. */
  constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
  }

  /** Connects to the socket of a server. */
  static async open(path: string): Promise<Wire> {
    return new Wire(await Deno.connect({ transport: "unix", path }));
  }

  /** Tells of every write to a row from now on: one reading each. */
  static async watch(path: string, database: number, row: string): Promise<Wire> {
    const wire = await Wire.open(path);
    await wire.write(`SUBSCRIBE __keyspace@${database}__:${row}\r\n`);
    await wire.read();
    return wire;
  }

  /** Sends commands. */
  async write(commands: string): Promise<void> {
    let rest = new TextEncoder().encode(commands);
    while (rest.length > 0) rest = rest.subarray(await this.#connection.write(rest));
  }

  /** Reads what there is, at least a byte; how much it was. */
  async read(): Promise<number> {
    const length = await this.#connection.read(this.#buffer);
    if (length === null) throw new Error("Redis has ended the connection");
    return length;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** Commands that set one field of a row in a database, one for each number. */
export function commands(row: (number: number) => string, from: number, to: number): string {
  let text = "";
  for (let number = from; number < to; number++) text += `HSET ${row(number)} number ${number}\r\n`;
  return text;
}
