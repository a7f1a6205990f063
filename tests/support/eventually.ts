/**
 * Waiting for what gives no event.
 *
 * @module
 */

/** How to wait. */
export interface Patience {
  /** Give up after this long; default 20 s, since test machines are shared. */
  readonly withinMs?: number;
  /** The pause between two looks; default 20 ms. */
  readonly everyMs?: number;
}

/**
 * Looks until there is nothing to complain about.
 *
 * @param look returns what is wrong, or undefined
 * @throws {Error} with the last complaint when time is over
 */
export async function eventually(
  look: () => string | undefined | Promise<string | undefined>,
  patience: Patience = {},
): Promise<void> {
  const { withinMs = 20_000, everyMs = 20 } = patience;
  const deadline = performance.now() + withinMs;
  for (;;) {
    const complaint = await look();
    if (complaint === undefined) return;
    if (performance.now() > deadline) throw new Error(`After ${withinMs} ms: ${complaint}`);
    await pause(everyMs);
  }
}

/** A pause that does not outlive the test. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
