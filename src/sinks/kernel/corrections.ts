/**
 * What was written to each link and told of it, and how often a link is put right that somebody
 * else changes again and again: two writers who both want to win must not spin.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import { sameFields } from "../../sonic/fields.ts";
import type { Field } from "./plan.ts";

/** Corrections of one link that are made at once. */
const FREE = 3;
/** The pause before the next one, milliseconds; each further pause is twice as long. */
const FIRST_PAUSE_MS = 100;
/** A link that was left alone for so many of the longest pauses has a clean slate. */
const CALM = 6;

interface Known {
  /** What the kernel has taken from us. */
  readonly written: Record<string, string>;
  /** The row as it was told last, with what was written since; undefined where that is not known. */
  row: Fields | undefined;
  /** Whether it was told that the link is not as it was written, so that a correction follows. */
  isTold: boolean;
  corrections: number;
  lastAt: number;
}

/** Knows the links that were written. It has no clock of its own. */
export class Corrections {
  readonly #maxMs: number;
  readonly #known = new Map<string, Known>();

  /** `maxMs` is the longest pause between two corrections. */
  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** How many links are known. */
  get size(): number {
    return this.#known.size;
  }

  /** A row is about to be written; of `removed` fields nothing is wanted any more. */
  begin(key: string, removed: readonly string[], now: number): void {
    const known = this.#known.get(key) ??
      { written: {}, row: undefined, isTold: false, corrections: 0, lastAt: -Infinity };
    this.#known.set(key, known);
    for (const name of removed) delete known.written[name];
    if (!known.isTold) return;
    known.isTold = false;
    if (now - known.lastAt > CALM * this.#maxMs) known.corrections = 0;
    known.corrections++;
    known.lastAt = now;
  }

  /** The kernel has taken a field; `isWanted` says whether the row has it. */
  wrote(key: string, [name, value]: Field, isWanted: boolean): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    if (isWanted) known.written[name] = value;
    if (known.row !== undefined) known.row = { ...known.row, [name]: value };
  }

  /** The kernel has not taken everything, and nobody knows what of it: the row is to be told. */
  failed(key: string): void {
    const known = this.#known.get(key);
    if (known !== undefined) known.row = undefined;
  }

  /** The link is gone, or nobody's any more. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  /** Whether a link is as whoever is told of it must believe, so that there is nothing to tell. */
  agrees(key: string, row: Fields): boolean {
    const known = this.#known.get(key);
    if (known?.row === undefined || !sameFields(known.row, row)) return false;
    if (!isContradicted(known, row)) known.isTold = false;
    return true;
  }

  /** How long the telling that a link is different has to wait, milliseconds. */
  waitFor(key: string, now: number): number {
    const known = this.#known.get(key);
    const over = (known?.corrections ?? 0) - FREE;
    if (known === undefined || over < 0) return 0;
    const pause = Math.min(this.#maxMs, FIRST_PAUSE_MS * 2 ** over);
    return Math.max(0, known.lastAt + pause - now);
  }

  /** It was told what a link is. */
  told(key: string, row: Fields): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    known.row = row;
    known.isTold = isContradicted(known, row);
  }
}

/** Whether somebody else has changed what was written. */
function isContradicted({ written }: Known, row: Fields): boolean {
  return Object.entries(written).some(([name, value]) => row[name] !== value);
}
