/**
 * How a component tells what it does, without knowing who listens.
 *
 * @module
 */

/** A number that only grows. Hot paths keep it and add to `value`. */
export interface Counter {
  /** How many there were since the start. */
  value: number;
}

/** Lines for the operator. `properties` may hold a `port`, an `error`, numbers. */
export interface Logger {
  /** What helps to find a fault. */
  debug(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** What an operator may want to know later. */
  info(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** What is wrong and mends itself. */
  warn(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** What is wrong until somebody acts. */
  error(message: string, properties?: Readonly<Record<string, unknown>>): void;
}

/** What a component is given to be observed by. */
export interface Telemetry {
  /** The component's logger. */
  readonly log: Logger;
  /** The counter of that name, made at its first use: `netlink_events_total`. */
  counter(name: string): Counter;
  /** A number read when somebody asks: `redis_up`. */
  gauge(name: string, read: () => number): void;
}
