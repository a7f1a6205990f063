/**
 * A telemetry that remembers, for tests to look at.
 *
 * @module
 */
import type { Counter, Logger, Telemetry } from "../../src/core/telemetry.ts";

/** One line of the log. */
export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Keeps every line, counter and gauge. */
export class RecordedTelemetry implements Telemetry {
  readonly lines: LogLine[] = [];
  readonly counters = new Map<string, Counter>();
  readonly gauges = new Map<string, () => number>();
  readonly log: Logger = {
    debug: (message, properties) => this.#add("debug", message, properties),
    info: (message, properties) => this.#add("info", message, properties),
    warn: (message, properties) => this.#add("warn", message, properties),
    error: (message, properties) => this.#add("error", message, properties),
  };
  #waiting: (() => void)[] = [];

  counter(name: string): Counter {
    const known = this.counters.get(name);
    if (known) return known;
    const counter = { value: 0 };
    this.counters.set(name, counter);
    return counter;
  }

  gauge(name: string, read: () => number): void {
    this.gauges.set(name, read);
  }

  /** The messages of one level, or of all. */
  messages(level?: keyof Logger): string[] {
    return this.lines.filter((line) => level === undefined || line.level === level)
      .map((line) => line.message);
  }

  /** Waits for a line that matches. */
  async line(pattern: RegExp): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line.message));
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #add(level: keyof Logger, message: string, properties: LogLine["properties"] = {}): void {
    this.lines.push({ level, message, properties });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
