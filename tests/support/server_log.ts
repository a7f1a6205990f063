/**
 * What a started program prints: kept for a failing test to show, and waited for.
 *
 * @module
 */

/** Reads a program's output to its end. */
export class ServerLog {
  /** All that was printed. */
  text = "";
  /** Settles when the program has closed its output. */
  readonly ended: Promise<void>;
  #waiting: (() => void) | undefined;
  #open = true;

  constructor(output: ReadableStream<Uint8Array>) {
    this.ended = this.#read(output);
  }

  /** Waits for a text that matches; `false` when the output ended without it. */
  async seen(pattern: RegExp): Promise<boolean> {
    while (!pattern.test(this.text)) {
      if (!this.#open) return false;
      await new Promise<void>((resolve) => this.#waiting = resolve);
    }
    return true;
  }

  async #read(output: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of output.pipeThrough(decoder())) {
      this.text += chunk;
      this.#waiting?.();
    }
    this.#open = false;
    this.#waiting?.();
  }
}

function decoder(): TransformStream<Uint8Array, string> {
  const utf8 = new TextDecoder();
  return new TransformStream({
    transform: (chunk, controller) => controller.enqueue(utf8.decode(chunk, { stream: true })),
  });
}
