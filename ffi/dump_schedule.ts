/**
 * When the next dump is asked for: at once after a loss, and with growing pauses while losses or
 * interruptions go on, since each dump costs the kernel its lock.
 *
 * @module
 */

/** The pause after the first dump that did not help, milliseconds. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1000;
/** After this long without need of a dump the pauses begin anew. */
const CALM_MS = 5000;

/** Says when to dump. It has no clock: times are milliseconds of any clock that runs forward. */
export class DumpSchedule {
  #due: number | undefined;
  #running = false;
  #again = false;
  #pause = 0;
  #lastEnd = Number.NEGATIVE_INFINITY;

  /** Whether a dump was begun and has not ended. */
  get running(): boolean {
    return this.#running;
  }

  /** A dump is needed. During a dump it means another one after it. */
  want(now: number): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    if (this.#due !== undefined) return;
    if (now - this.#lastEnd >= CALM_MS) this.#pause = 0;
    this.#due = Math.max(now, this.#lastEnd + this.#pause);
    this.#pause = Math.min(Math.max(this.#pause * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
  }

  /** Milliseconds until the next dump is due: 0 for now, `undefined` when none is wanted. */
  dueIn(now: number): number | undefined {
    return this.#due === undefined ? undefined : Math.max(0, this.#due - now);
  }

  /** The dump that was due has been asked for. */
  begun(): void {
    this.#due = undefined;
    this.#running = true;
  }

  /** The dump has ended, and was complete or was not. */
  ended(now: number, complete: boolean): void {
    const again = this.#again || !complete;
    this.#running = false;
    this.#again = false;
    this.#lastEnd = now;
    if (again) this.want(now);
  }
}
