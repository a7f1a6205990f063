/**
 * The snapshot service of another program, read on an interval.
 *
 * @module
 */
import type { Batch } from "../../core/change.ts";
import type { Context } from "../../core/component.ts";
import { StopError } from "../../core/errors.ts";
import type { Source } from "../../core/stage.ts";
import { SnapshotCache } from "../../netipc/cache.ts";
import type { ClientState } from "../../netipc/connection.ts";
import { type NetipcSettings, readToken } from "./settings.ts";
import { SnapshotRows } from "./snapshot_changes.ts";

/** Makes the client; it connects from the first look at `batches` on. */
export async function createPollSource(
  settings: NetipcSettings,
  context: Context,
): Promise<Source> {
  return new PollSource(settings, context, await readToken(settings.auth_token));
}

class PollSource implements Source {
  readonly #settings: NetipcSettings;
  readonly #context: Context;
  readonly #cache: SnapshotCache;
  readonly #rows: SnapshotRows;
  #wantsDump = true;
  #lastState: ClientState = "disconnected";
  #wake = () => {};

  constructor(settings: NetipcSettings, context: Context, token: bigint) {
    const { telemetry, library } = context;
    const { type } = settings;
    this.#settings = settings;
    this.#context = context;
    this.#rows = new SnapshotRows(settings.table);
    this.#cache = new SnapshotCache({
      ...{ library, runDir: settings.run_dir, service: settings.service },
      ...{ profile: settings.profile, authToken: token, handshakeMs: settings.handshake_ms },
      timeoutMs: settings.timeout_ms,
    });
    const status = () => this.#cache.status();
    telemetry.gauge(`${type}_snapshot_items`, () => status().itemCount);
    telemetry.gauge(`${type}_snapshots_total`, () => status().successCount);
    telemetry.gauge(`${type}_failed_snapshots_total`, () => status().failureCount);
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
    const rejected = this.#context.telemetry.counter(`${this.#settings.type}_rejected_names_total`);
    while (!signal.aborted) {
      const isNew = await this.#cache.refresh({ signal });
      if (signal.aborted) return;
      this.#sayState();
      const { snapshot } = this.#cache;
      if (isNew && snapshot !== undefined) {
        const time = performance.timeOrigin + performance.now();
        const changes = this.#rows.take(snapshot, time, () => rejected.value++);
        if (this.#wantsDump) {
          this.#wantsDump = false;
          yield { changes: this.#rows.all(time), mark: "dump-begin" };
          yield { changes: [], mark: "dump-end" };
        } else if (changes.length > 0) {
          yield { changes };
        }
      }
      await this.#pause(signal);
    }
  }

  /** A snapshot has nobody to tell. */
  settle(): void {}

  /** The next snapshot is told as a whole. */
  resync(): void {
    this.#wantsDump = true;
    this.#wake();
  }

  close(): Promise<void> {
    return this.#cache.close();
  }

  /** Says when the service comes and goes, and stops for what only an operator can mend. */
  #sayState(): void {
    const { state } = this.#cache.status();
    const { service, run_dir } = this.#settings;
    if (state === "auth failed" || state === "incompatible") {
      throw new StopError(
        state === "auth failed"
          ? `The netipc service ${service} refuses the token; compare auth_token with its own`
          : `The netipc service ${service} has no profile or version in common; see profile`,
      );
    }
    const wasThere = this.#lastState === "ready";
    const isThere = state === "ready";
    const { log } = this.#context.telemetry;
    if (isThere && !wasThere) log.info(`The netipc service ${service} in ${run_dir} answers`);
    if (!isThere && (wasThere || this.#lastState === "disconnected")) {
      log.warn(
        `The netipc service ${service} in ${run_dir} does not answer; its last rows stay, and it ` +
          `is asked again every ${this.#settings.interval_ms} ms`,
        { state },
      );
    }
    this.#lastState = isThere ? "ready" : "broken";
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, this.#settings.interval_ms);
    signal.addEventListener("abort", this.#wake, { once: true });
    await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", this.#wake);
  }
}
