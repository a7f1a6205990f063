/**
 * The process's own outputs.
 *
 * @module
 */
import type { Io, Output, Paint } from "./command.ts";

const SGR = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  cyan: "36",
} as const satisfies Record<keyof Paint, string>;

/** Paints for an output with or without colour. */
export function paintFor(colour: boolean): Paint {
  const brush = (code: string) => (text: string) => colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  return {
    bold: brush(SGR.bold),
    dim: brush(SGR.dim),
    red: brush(SGR.red),
    green: brush(SGR.green),
    yellow: brush(SGR.yellow),
    cyan: brush(SGR.cyan),
  };
}

/**
 * Standard output and standard error. Colour only on a terminal and without `NO_COLOR`, which
 * `Deno.noColor` tells without a permission for the environment.
 */
export function processIo(): Io {
  return { out: new StreamOutput(Deno.stdout), error: new StreamOutput(Deno.stderr) };
}

interface Stream {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

class StreamOutput implements Output {
  readonly terminal: boolean;
  readonly paint: Paint;
  readonly #stream: Stream;
  readonly #encoder = new TextEncoder();

  constructor(stream: Stream) {
    this.#stream = stream;
    this.terminal = stream.isTerminal();
    this.paint = paintFor(this.terminal && !Deno.noColor);
  }

  write(text: string): void {
    let bytes = this.#encoder.encode(text);
    while (bytes.length > 0) bytes = bytes.subarray(this.#stream.writeSync(bytes));
  }

  line(text = ""): void {
    this.write(text + "\n");
  }
}
