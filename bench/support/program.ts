/**
 * A helper program that says `ready`, begins when it is told to, and prints one line of JSON, as
 * those of `bench/end_to_end/` do.
 *
 * @module
 */
import { buildProgram } from "../../tests/support/build_c.ts";
import type { Netns } from "../../tests/support/netns.ts";

/** What a helper measured. */
export type Measured = Readonly<Record<string, number>>;

/**
 * Builds and starts a helper, and waits until it is ready.
 *
 * @param source the C file from the project's folder
 * @param netns the namespace to run in; this process's when left out
 */
export async function startProgram(
  source: string,
  args: readonly string[],
  netns?: Netns,
): Promise<Program> {
  const path = await buildProgram(source);
  const options = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
  const command = netns === undefined
    ? new Deno.Command(path, { args: [...args], ...options })
    : netns.command(path, args, options);
  const program = new Program(command.spawn());
  await program.ready(source);
  return program;
}

/** A started helper. Disposing of it ends it. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #isOver = false;

  /** Not for callers: use {@linkcode startProgram}. */
  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#output = child.stdout.getReader();
  }

  /** Waits until it can begin. */
  async ready(source: string): Promise<void> {
    const line = await this.#read();
    if (line.trim() !== "ready") throw new Error(`${source} is not ready: ${line}`);
  }

  /** Lets it begin. */
  async go(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new Uint8Array([10]));
    writer.releaseLock();
  }

  /** What it measured, once it is done. */
  async result(): Promise<Measured> {
    const line = await this.#read();
    const { code } = await this.#child.status;
    this.#isOver = true;
    if (code !== 0) throw new Error(`A helper program ended with ${code}: ${line}`);
    return JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.#child.kill("SIGKILL");
    await this.#child.stdin.close().catch(() => {});
    await this.#output.cancel();
    await this.#child.status;
  }

  async #read(): Promise<string> {
    let text = "";
    while (!text.endsWith("\n")) {
      const { value, done } = await this.#output.read();
      if (done) break;
      text += this.#decoder.decode(value, { stream: true });
    }
    return text;
  }
}
