/**
 * What a stage tells an operator who asks over the control socket.
 *
 * @module
 */

/** A stage that keeps state for each key and can say what it makes of it. */
export interface Inspectable {
  /** What is known of a key, `TABLE|key` or the key alone: lines for people, none if unknown. */
  explainKey(key: string): string[];
  /** Sends at once what waits for its next attempt or was set aside. False if nothing did. */
  retry(key: string): boolean;
  /** Named numbers: entries by state, requests in flight, writes by kind, and the like. */
  counts(): Record<string, number>;
}

/** Whether a stage can be asked. */
export function isInspectable(stage: object): stage is Inspectable {
  return "explainKey" in stage && typeof stage.explainKey === "function" &&
    "retry" in stage && typeof stage.retry === "function" &&
    "counts" in stage && typeof stage.counts === "function";
}
