/**
 * Ctrl-C and the service manager's signal.
 *
 * @module
 */

/**
 * Aborts a signal on the first SIGINT or SIGTERM and calls `insist` on every later one. Call the
 * disposer when nothing is left to interrupt.
 */
export function onInterrupt(insist: () => void): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const listener = () => {
    if (controller.signal.aborted) insist();
    else controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, listener);
    },
  };
}
