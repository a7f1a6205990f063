/**
 * Bounds how often a link is put right that somebody else changes again and again: two writers who
 * both want to win must not spin.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import type { Field } from "./plan.ts";

/** Corrections of one link that are made at once. */
const FREE = 3;
/** The pause before the next one, milliseconds; each further pause is twice as long. */
const FIRST_PAUSE_MS = 100;
/** A link that was left alone for so many of the longest pauses has a clean slate. */
const CALM = 6;

interface Known {
  /** What was written last and taken by the kernel. */
  readonly written: Record<string, string>;
  /** Whether it was told that the link is different, so that the next write puts it right. */
  isTold: boolean;
  corrections: number;
  lastAt: number;
}

/** What was written to each link, and how often it had to be again. It has no clock of its own. */
export class Corrections {
  readonly #maxMs: number;
  readonly #known = new Map<string, Known>();

  /** @param maxMs the longest pause between two corrections */
  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** How many links were written. */
  get size(): number {
    return this.#known.size;
  }

  /** A row is about to be written; of `removed` fields nothing is wanted any more. */
  begin(key: string, removed: readonly string[], now: number): void {
    const known = this.#known.get(key) ??
      { written: {}, isTold: false, corrections: 0, lastAt: -Infinity };
    this.#known.set(key, known);
    for (const name of removed) delete known.written[name];
    if (!known.isTold) return;
    known.isTold = false;
    if (now - known.lastAt > CALM * this.#maxMs) known.corrections = 0;
    known.corrections++;
    known.lastAt = now;
  }

  /** The kernel has taken a field. */
  wrote(key: string, [name, value]: Field): void {
    const known = this.#known.get(key);
    if (known !== undefined) known.written[name] = value;
  }

  /** The row is nobody's any more. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  /** Whether a link is as it was written, so that there is nothing to tell. */
  agrees(key: string, row: Fields): boolean {
    const known = this.#known.get(key);
    if (known === undefined) return false;
    const agrees = Object.entries(known.written).every(([name, value]) => row[name] === value);
    if (agrees) known.isTold = false;
    return agrees;
  }

  /** How long the telling that a link is different has to wait, milliseconds. */
  waitFor(key: string, now: number): number {
    const known = this.#known.get(key);
    const over = (known?.corrections ?? 0) - FREE;
    if (known === undefined || over < 0) return 0;
    const pause = Math.min(this.#maxMs, FIRST_PAUSE_MS * 2 ** over);
    return Math.max(0, known.lastAt + pause - now);
  }

  /** It was told that a link is different. */
  told(key: string): void {
    const known = this.#known.get(key);
    if (known !== undefined) known.isTold = true;
  }
}
