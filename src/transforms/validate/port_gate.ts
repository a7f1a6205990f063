/**
 * Which changes pass, and which wait until their port is known.
 *
 * The rules are portsyncd's, made independent of who comes first (`specs/sonic-db.md` §3.3):
 *
 * - A set passes when its port is known. Otherwise it waits, the last of each row, and passes when
 *   the port becomes known.
 * - A delete passes, whether the port is known or not: the row goes, whoever wrote it.
 * - A port that is no longer known keeps its row as it is, until its link is deleted.
 *
 * A complete dump says which rows there are, so what passes must name all that should stay:
 *
 * - A port that was never known has no row: one that stands there is swept.
 * - A port that was known has one: the dump names it as it last passed.
 * - While it is not yet known whether a port is known, the dump has not ended.
 * - What waited from before the dump and was not named by it is gone.
 *
 * This is the pure part: it reads nothing, has no clock and sends nothing.
 *
 * @module
 */
import type { Change } from "../../core/change.ts";

/** What becomes of a set: it passes, it waits for its port, or there is no room to wait. */
export type Admission = "pass" | "hold" | "full";

/**
 * Sets that found no room are not kept, but their ports are still asked for, this many for each
 * one that may wait. Beyond, a key is not even looked at: somebody makes names up.
 */
const MISSED_FOR_EACH_HELD = 16;

/** Whether a port's state is to be found out, or matters no longer. */
export type Question = "ask" | "forget";

/** One row of a port. */
interface RowState {
  readonly table: string;
  /** Waits for the port. */
  held: Change | undefined;
  /** Would wait, but found no room. */
  isMissed: boolean;
  /** What passed last. */
  passed: Change | undefined;
  /** The dump in which it was last named. */
  round: number;
}

interface Port {
  /** `undefined` until the database has answered. */
  known: boolean | undefined;
  /** Mostly one. */
  rows: RowState[];
}

/** Keeps what waits. What passes is put at the end of the `out` that is given. */
export class PortGate {
  readonly #holdMax: number;
  readonly #ports = new Map<string, Port>();
  #questions = new Map<string, Question>();
  #held = 0;
  #missed = 0;
  #unanswered = 0;
  /** Counts the dumps. */
  #round = 0;
  #isDumping = false;
  /** The source's dump has ended, and some of its ports are not answered yet. */
  #isEndDue = false;
  /** A set that found no room could pass now, but for that the source has to say it again. */
  #wantsDump = false;
  #hasAskedForDump = false;
  /** A key was not even looked at, so that this dump is not complete. */
  #isBlind = false;

  /** @param holdMax how many sets may wait */
  constructor(holdMax: number) {
    this.#holdMax = holdMax;
  }

  /** How many sets wait. */
  get held(): number {
    return this.#held;
  }

  /** What waits for a port, the last of each row, and whether the port was found to be unknown. */
  waiting(key: string): { readonly changes: readonly Change[]; readonly isUnknown: boolean } {
    const port = this.#ports.get(key);
    const changes = port?.rows.flatMap(({ held }) => held ?? []) ?? [];
    return { changes, isUnknown: port?.known === false };
  }

  /** Everything that exists is named from here on. */
  dumpBegins(): void {
    this.#round++;
    this.#isDumping = true;
    this.#isEndDue = false;
    this.#wantsDump = false;
    this.#hasAskedForDump = false;
    this.#isBlind = false;
  }

  /** Events were lost; a dump will follow. */
  eventsLost(): void {
    this.#isDumping = false;
    this.#isEndDue = false;
  }

  /**
   * Everything that exists was named.
   *
   * @returns whether that may be said on now; see `takeEnd` for later
   */
  dumpEnds(): boolean {
    this.#isDumping = false;
    for (const [key, port] of this.#ports) {
      for (const row of port.rows) if (row.round !== this.#round) this.#drop(row);
      port.rows = port.rows.filter((row) => row.round === this.#round);
      this.#forgetEmpty(key, port);
    }
    // The next stage was not told of everything: this dump never ends for it.
    if (this.#isBlind || this.#wantsDump) return false;
    this.#isEndDue = this.#unanswered > 0;
    return !this.#isEndDue;
  }

  /** Takes a set. */
  set(change: Change, out: Change[]): Admission {
    const port = this.#ports.get(change.key);
    const row = port?.rows.find(({ table }) => table === change.table);
    if (port?.known) {
      const current = row ?? addRow(port, change.table);
      this.#drop(current);
      current.passed = change;
      current.round = this.#round;
      out.push(change);
      return "pass";
    }
    if (row) {
      row.round = this.#round;
      // The row stays as it is, and a dump has to name it.
      if (this.#isDumping && row.passed) out.push(row.passed);
      if (row.held) {
        row.held = change;
        return "hold";
      }
    }
    return this.#wait(change, port, row);
  }

  /** Takes a delete, which passes. */
  delete(change: Change, out: Change[]): void {
    out.push(change);
    const port = this.#ports.get(change.key);
    if (!port) return;
    for (const row of port.rows) if (row.table === change.table) this.#drop(row);
    port.rows = port.rows.filter(({ table }) => table !== change.table);
    this.#forgetEmpty(change.key, port);
  }

  /** Takes the database's answer for a port; what waited for it passes. */
  answer(key: string, isKnown: boolean, out: Change[]): void {
    const port = this.#ports.get(key);
    if (!port) return;
    if (port.known === undefined) this.#unanswered--;
    port.known = isKnown;
    if (!isKnown) return;
    for (const row of port.rows) {
      if (row.isMissed) this.#wantsDump = true;
      // What waits from before the dump may be gone: only the dump can tell.
      if (!row.held || this.#isDumping && row.round !== this.#round) continue;
      row.passed = row.held;
      out.push(row.held);
      this.#drop(row);
    }
  }

  /** Ports to ask about and to forget, since the last call. */
  takeQuestions(): ReadonlyMap<string, Question> {
    const questions = this.#questions;
    if (questions.size > 0) this.#questions = new Map();
    return questions;
  }

  /** Whether the end of the dump, which had to wait, may be said on now. True once. */
  takeEnd(): boolean {
    if (!this.#isEndDue || this.#unanswered > 0) return false;
    this.#isEndDue = false;
    return !this.#wantsDump;
  }

  /** Whether the source is to be asked for a dump. True once for each dump. */
  takeWish(): boolean {
    if (!this.#wantsDump || this.#hasAskedForDump) return false;
    this.#hasAskedForDump = true;
    return true;
  }

  /** Finds room for a set that has none yet. */
  #wait(change: Change, port: Port | undefined, row: RowState | undefined): Admission {
    const isFull = this.#held >= this.#holdMax;
    if (isFull && !row && this.#missed >= this.#holdMax * MISSED_FOR_EACH_HELD) {
      this.#isBlind = true;
      return "full";
    }
    const current = row ?? addRow(port ?? this.#addPort(change.key), change.table);
    this.#drop(current);
    current.round = this.#round;
    if (isFull) {
      current.isMissed = true;
      this.#missed++;
      return "full";
    }
    current.held = change;
    this.#held++;
    return "hold";
  }

  #addPort(key: string): Port {
    const port: Port = { known: undefined, rows: [] };
    this.#ports.set(key, port);
    this.#unanswered++;
    this.#questions.set(key, "ask");
    return port;
  }

  #drop(row: RowState): void {
    if (row.held) this.#held--;
    if (row.isMissed) this.#missed--;
    row.held = undefined;
    row.isMissed = false;
  }

  #forgetEmpty(key: string, port: Port): void {
    if (port.rows.length > 0) return;
    if (port.known === undefined) this.#unanswered--;
    this.#ports.delete(key);
    this.#questions.set(key, "forget");
  }
}

function addRow(port: Port, table: string): RowState {
  const row: RowState = { table, held: undefined, isMissed: false, passed: undefined, round: 0 };
  port.rows.push(row);
  return row;
}
