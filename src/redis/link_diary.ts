/**
 * What a link says to the operator: every turn at once, nothing twice in a short time.
 *
 * @module
 */
import { ReconnectError } from "../core/errors.ts";
import { LogRate } from "../core/log_rate.ts";
import type { Logger } from "../core/telemetry.ts";

/** Between two log lines of one kind, milliseconds. */
export const LOG_INTERVAL_MS = 30_000;

/** Who speaks, and of what. */
export interface DiaryOptions {
  /** Where it is said. */
  readonly log: Logger;
  /** What the connection is for, as in `STATE_DB`. */
  readonly purpose: string;
  /** Whether connects and losses are of no interest, only refusals are. */
  readonly quiet?: boolean;
}

/** Writes the log lines of one link. */
export class LinkDiary {
  readonly #options: DiaryOptions;
  readonly #server: string;
  #rate = new LogRate(LOG_INTERVAL_MS);
  #lostAt: number | undefined;
  /** Whether the last line was of a failure, so that somebody waits for the good news. */
  #isAwaited = false;

  /** @param server its address */
  constructor(options: DiaryOptions, server: string) {
    this.#options = options;
    this.#server = server;
  }

  /** An attempt failed, or a session ended. */
  failed(error: unknown, now = performance.now()): void {
    const message = error instanceof Error ? error.message : String(error);
    const silenced = this.#rate.pass(message, now);
    if (silenced === undefined) return;
    this.#isAwaited = true;
    const { log, purpose, quiet } = this.#options;
    const more = silenced > 0 ? ` (${silenced} more times since the last line)` : "";
    const level = quiet && error instanceof ReconnectError ? "debug" : "warn";
    log[level](`${purpose}: ${message}; trying again until it works${more}`);
  }

  /** A session is up. */
  up(now: number): void {
    const lostAt = this.#lostAt;
    this.#lostAt = undefined;
    const isDue = this.#rate.pass("up", now) !== undefined;
    if (!isDue && !this.#isAwaited) return;
    this.#isAwaited = false;
    const { log, purpose, quiet } = this.#options;
    const after = lostAt === undefined ? "" : ` again after ${seconds(now - lostAt)} s`;
    log[quiet ? "debug" : "info"](`${purpose}: connected to Redis at ${this.#server}${after}`);
  }

  /** A session was lost: from now on the time without one counts. */
  lost(now: number): void {
    this.#lostAt = now;
  }

  /** The server would not end a connection that we or a predecessor gave up. */
  staleKept(refusal: string): void {
    if (this.#rate.pass("stale", performance.now()) === undefined) return;
    const { log, purpose } = this.#options;
    log.warn(
      `${purpose}: Redis at ${this.#server} does not end connections that were given up, so ` +
        `an old write may still come through it; permit this user CLIENT LIST and CLIENT KILL: ` +
        refusal,
    );
  }

  /** The next line of every kind is said at once. */
  startAnew(): void {
    this.#rate = new LogRate(LOG_INTERVAL_MS);
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
