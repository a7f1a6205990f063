/**
 * Turns of the event loop.
 *
 * @module
 */

/**
 * Lets everything else have its turn: input, signals, timers. A promise alone does not, and a
 * source under load may never wait for anything else. Costs 3 µs; a timer would cost 2 ms.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/**
 * Waits for a promise, but not beyond a deadline.
 *
 * @param deadline as `performance.now()`
 * @returns whether the promise settled in time; a rejection is passed on
 */
export async function inTime(promise: Promise<unknown>, deadline: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, deadline - performance.now()));
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
