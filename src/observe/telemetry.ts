/**
 * Plain counters and gauges.
 *
 * @module
 */
import type { Counter, Logger, Telemetry } from "../core/telemetry.ts";

/** The numbers of one pipeline: by component, for example `sink.state_db`, then by name. */
export type Numbers = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * Keeps the numbers of one pipeline. Counting is an addition to a field; everything else happens
 * when somebody asks.
 */
export class Meter {
  readonly #parts = new Map<string, Part>();

  /** The telemetry of one component. The same name gives the same numbers again. */
  telemetry(component: string, log: Logger): Telemetry {
    let part = this.#parts.get(component);
    if (part === undefined) {
      part = { counters: new Map(), gauges: new Map() };
      this.#parts.set(component, part);
    }
    const { counters, gauges } = part;
    return {
      log,
      counter(name) {
        let counter = counters.get(name);
        if (counter === undefined) {
          counter = { value: 0 };
          counters.set(name, counter);
        }
        return counter;
      },
      gauge: (name, read) => void gauges.set(name, read),
    };
  }

  /** All numbers as they are now. A gauge that throws is left out. */
  read(): Numbers {
    const numbers: Record<string, Record<string, number>> = {};
    for (const [component, { counters, gauges }] of this.#parts) {
      const own: Record<string, number> = {};
      for (const [name, { value }] of counters) own[name] = value;
      for (const [name, read] of gauges) {
        try {
          own[name] = read();
        } catch {
          // Whoever asks for numbers must not be able to end a pipeline.
        }
      }
      numbers[component] = own;
    }
    return numbers;
  }
}

interface Part {
  readonly counters: Map<string, Counter>;
  readonly gauges: Map<string, () => number>;
}
