/**
 * Runs a program whose output is both shown and kept.
 *
 * @module
 */

/** What to run. */
export interface TeeOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the program. */
  readonly signal?: AbortSignal;
  /** Whether the output is shown while it comes; default true. */
  readonly show?: boolean;
}

/** How it ended. */
export interface TeeResult {
  readonly success: boolean;
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** Runs `program` and returns all that it printed. */
export async function tee(program: string, options: TeeOptions): Promise<TeeResult> {
  const { args, env = {}, signal, show = true } = options;
  const colours = show && Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" };
  const child = new Deno.Command(program, {
    args: [...args],
    env: { ...colours, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(signal === undefined ? {} : { signal }),
  }).spawn();
  let output = "";
  const take = async (stream: ReadableStream<Uint8Array>, to: typeof Deno.stdout) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      output += decoder.decode(chunk, { stream: true });
      for (let sent = 0; show && sent < chunk.length;) sent += await to.write(chunk.subarray(sent));
    }
  };
  await Promise.all([take(child.stdout, Deno.stdout), take(child.stderr, Deno.stderr)]);
  const { success, code } = await child.status;
  return { success, code, output };
}
