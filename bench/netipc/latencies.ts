/**
 * Latencies in buckets of 1.6 %, as `pair.c` keeps them.
 *
 * @module
 */

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Sleeps until then, as `performance.now()`; what it is now. The next requests are late by as much
 * as a sleep is too long, and then come at once.
 */
export function sleepUntil(due: number): number {
  const now = performance.now();
  if (now >= due) return now;
  Atomics.wait(never, 0, 0, due - now);
  return performance.now();
}

/** Seconds of processor time that a process has used. */
export function cpuSeconds(pid: number | "self" = "self"): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** How long requests took. */
export class Latencies {
  readonly #buckets = new Float64Array(4096);
  #total = 0;
  #start = 0;
  #cpu = 0;

  /** Adds one, nanoseconds. */
  add(ns: number): void {
    const power = 31 - Math.clz32(Math.max(64, ns));
    const part = Math.floor(ns / 2 ** (power - 6)) & 63;
    const bucket = power * 64 + part;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#total++;
  }

  /** The connection stands: from here on it counts. When that was, as `performance.now()`. */
  begin(): number {
    this.#cpu = cpuSeconds();
    this.#start = performance.now();
    return this.#start;
  }

  /** Prints what there is to say, as `measure.h` does. */
  report(requests: number): void {
    const seconds = (performance.now() - this.#start) / 1000;
    const cpu = cpuSeconds() - this.#cpu;
    console.log(JSON.stringify({ requests, seconds, ...this.percentiles(), cpu }));
  }

  /** Microseconds that so many of the requests took at most. */
  percentiles(): { readonly p50: number; readonly p95: number; readonly p99: number } {
    return { p50: this.#at(0.5), p95: this.#at(0.95), p99: this.#at(0.99) };
  }

  #at(part: number): number {
    let seen = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      seen += count;
      if (seen > this.#total * part) {
        return (64 + bucket % 64) * 2 ** Math.floor(bucket / 64) / 64 / 1000;
      }
    }
    return 0;
  }
}

/**
 * Turns for so long, at most so many a second. Without a limit only one in eight is measured, since
 * a look at the clock costs as much as a part of a request.
 */
export class Pace {
  readonly #latencies: Latencies;
  readonly #rate: number;
  readonly #start: number;
  readonly #until: number;
  #before = 0;

  constructor(latencies: Latencies, seconds: number, rate: number) {
    this.#latencies = latencies;
    this.#rate = rate;
    this.#start = latencies.begin();
    this.#until = this.#start + seconds * 1000;
  }

  /** Waits for the turn of this number; false when the time is over. */
  begin(turn: number): boolean {
    if (this.#rate > 0) this.#before = sleepUntil(this.#start + turn * 1000 / this.#rate);
    else if (turn % 8 === 0) this.#before = performance.now();
    return this.#before < this.#until;
  }

  /** The answer is there. */
  end(turn: number): void {
    if (this.#rate > 0 || turn % 8 === 0) {
      this.#latencies.add((performance.now() - this.#before) * 1e6);
    }
  }
}
