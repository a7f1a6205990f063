/**
 * Waiting for what a connection tells.
 *
 * @module
 */
import type { ConnectionEvents } from "../../src/core/stage.ts";

/** Resolves at the next turn of that kind. Call it before what causes the turn. */
export function nextTurn(connection: ConnectionEvents, wanted: "lost" | "up"): Promise<void> {
  return new Promise((resolve) => {
    const stop = connection.subscribe((event) => {
      if (event !== wanted) return;
      stop();
      resolve();
    });
  });
}
