/**
 * The links as a stream, for people who look on.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import type { RowChange } from "../../core/stage.ts";
import { LinkFollower, type LinkFollowerOptions } from "./link_follower.ts";

/** Every link, then those that are different, until the signal. */
export async function* watchLinks(
  options: Omit<LinkFollowerOptions, "onTurn">,
  signal: AbortSignal,
): AsyncGenerator<readonly RowChange[]> {
  const waiting = new Map<string, Fields | undefined>();
  let news = Promise.withResolvers<void>();
  let isFirst = true;
  await using follower = new LinkFollower({
    ...options,
    onTurn: (changed, links) => {
      for (const key of changed.keys()) waiting.set(key, links.row(key));
      // A namespace without any link is news too, once.
      if (changed.size > 0 || isFirst) news.resolve();
      isFirst = false;
      return undefined;
    },
  });
  const stop = new AbortController();
  const running = follower.run(AbortSignal.any([signal, stop.signal])).then(
    () => news.resolve(),
    (error) => news.reject(error),
  );
  try {
    while (!signal.aborted) {
      await news.promise;
      if (signal.aborted) return;
      news = Promise.withResolvers<void>();
      const changes = Array.from(waiting, ([key, fields]) => ({ key, fields }));
      waiting.clear();
      yield changes;
    }
  } finally {
    stop.abort();
    await running;
  }
}
