/**
 * A client of one service: connects, calls, and gets over what can be got over.
 *
 * @module
 */
import {
  copyInto,
  IncrementCall,
  IncrementsCall,
  type MethodCall,
  SNAPSHOT,
  writeBatch,
} from "./calls.ts";
import { BatchView } from "./codec/batch.ts";
import type { SnapshotView } from "./codec/cgroups_snapshot.ts";
import { CodecError } from "./codec/errors.ts";
import { FLAG_BATCH, HEADER_BYTES, isAnswer, Kind, Method, writeHeader } from "./codec/header.ts";
import { Profile } from "./codec/hello.ts";
import { copyOf, type Span, spanOf, type Text, Window } from "./codec/span.ts";
import { decodeString, encodeString } from "./codec/string_reverse.ts";
import { type ClientState, Connection } from "./connection.ts";
import type { Endpoint, ProfileChoice } from "./endpoint.ts";
import { abortedError, closedError, NetipcError, timeoutError } from "./errors.ts";
import { type Attempt, growthFor, isFinal, refusalOf } from "./failures.ts";
import type { Agreed } from "./link.ts";
import type { Abort, Session } from "./session.ts";

/** What a client is made with. */
export interface ClientOptions extends Endpoint {
  /** Absolute path of the native library, sealed with the service's folder. */
  readonly library: string;
  /** How messages travel; default `auto`: shared memory where the server has it. */
  readonly profile?: ProfileChoice;
  /** The number that the server wants to see; default 0. */
  readonly authToken?: bigint;
  /** Longest request to begin with; default 1024. It grows when a request needs it. */
  readonly maxRequestBytes?: number;
  /** Most items of a batch; default 1. */
  readonly maxRequestItems?: number;
  /** Longest response that is hoped for; default 65536. The server decides. */
  readonly maxResponseBytes?: number;
  /** How long a call may take; default 30,000 ms. */
  readonly timeoutMs?: number;
  /** How long a handshake may take; default 5,000 ms. */
  readonly handshakeMs?: number;
}

/** What a client has done so far. */
export interface ClientStatus {
  readonly state: ClientState;
  readonly connectCount: number;
  readonly reconnectCount: number;
  readonly callCount: number;
  readonly errorCount: number;
}

/** Limits of one call. */
export interface CallOptions {
  /** How long it may take; default the client's. */
  readonly timeoutMs?: number;
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

const NO_OPTIONS: CallOptions = {};
const MOST_GROWTHS = 8;

/**
 * A client of one service. It does nothing on its own: `refresh()` connects, calls call. One call
 * at a time; what a call gives in place is good until the next one.
 *
 * @example
 * ```ts ignore
 * sealNative(library, ["/run/netdata/"]);
 * await using client = new Client({ library, runDir: "/run/netdata", service: "cgroups-snapshot" });
 * await client.refresh();
 * for (const { name } of (await client.snapshot()).materialize().items) console.log(name);
 * ```
 */
export class Client implements AsyncDisposable {
  /** How long a call may take that says nothing else, milliseconds. */
  readonly timeoutMs: number;
  /** The name of its service. */
  readonly service: string;
  readonly #connection: Connection;
  readonly #abort = { aborted: false };
  /** Where the payload of the last response stands. */
  readonly #payload = new Window(spanOf(new Uint8Array()));
  readonly #increment = new IncrementCall();
  #calling = false;
  #connectCount = 0;
  #reconnectCount = 0;
  #callCount = 0;
  #errorCount = 0;

  constructor(options: ClientOptions) {
    this.service = options.service;
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.#connection = new Connection({
      profile: "auto",
      authToken: 0n,
      maxRequestBytes: 1024,
      maxRequestItems: 1,
      maxResponseBytes: 65536,
      handshakeMs: 5_000,
      ...options,
    });
  }

  /** Where the client stands. */
  get state(): ClientState {
    return this.#connection.state;
  }

  /** Whether the session goes through shared memory. */
  get shared(): boolean {
    const { session } = this.#connection;
    return session !== undefined && session.agreed.profile !== Profile.uds;
  }

  /** The session's limit of a request's payload; 0 without a session. */
  get requestBytes(): number {
    return this.#connection.session?.agreed.requestBytes ?? 0;
  }

  /** What the client has done so far. */
  status(): ClientStatus {
    return {
      state: this.state,
      connectCount: this.#connectCount,
      reconnectCount: this.#reconnectCount,
      callCount: this.#callCount,
      errorCount: this.#errorCount,
    };
  }

  /** Connects where that can mend the state and no call is doing so. Whether the state changed. */
  async refresh(): Promise<boolean> {
    const before = this.state;
    if (this.#calling) return false;
    const broken = before === "broken";
    if (broken) {
      // From here on no other refresh begins the same.
      this.#connection.state = "connecting";
      await this.#connection.disconnect();
    }
    if (broken || before === "disconnected" || before === "not found") {
      await this.#connection.connect(this.#abort);
      if (this.state === "ready" && broken) this.#reconnectCount++;
      if (this.state === "ready" && !broken) this.#connectCount++;
    }
    return this.state !== before;
  }

  /** Gives up the call that goes on and all later ones, until `clearAbort`. */
  abort(): void {
    this.#abort.aborted = true;
    this.#connection.session?.wake();
  }

  /** Lets calls go on after `abort`. */
  clearAbort(): void {
    this.#abort.aborted = false;
  }

  /** Ends the session; a call that goes on fails. `refresh()` begins anew. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /** As {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Calls a method.
   *
   * @throws {NetipcError} also for a response that cannot be read, after a second try
   */
  // deno-lint-ignore require-await -- it rejects with what ask throws, and an await costs a turn
  async call<T>(call: MethodCall<T>, options: CallOptions = NO_OPTIONS): Promise<T> {
    return this.ask(call, options);
  }

  /**
   * As {@linkcode call}, but without a promise where the answer comes within 50 µs: for loops that
   * ask faster than promises can be made and kept. Nothing else runs while such a loop does.
   *
   * @returns the answer itself, or a promise of one that takes longer
   * @throws {NetipcError} as `call`; it may throw as well as reject
   */
  ask<T>(call: MethodCall<T>, options: CallOptions = NO_OPTIONS): T | Promise<T> {
    const { signal, timeoutMs = this.timeoutMs } = options;
    const session = this.#begin(call.items ?? 1);
    const { closes } = this.#connection;
    const abort = signal === undefined ? this.#abort : either(this.#abort, signal);
    let answer: Span | Promise<Span>;
    try {
      answer = this.#exchange(session, call, timeoutMs, abort);
      // Most calls end here, without a wait and without a look at the clock.
      if (!(answer instanceof Promise)) return this.#finish(call, answer);
    } catch (error) {
      answer = Promise.reject(error);
    }
    const deadline = performance.now() + timeoutMs;
    return this.#wait({ call, deadline, abort, closes }, session, answer, signal);
  }

  /** Asks for the next number: a method for tests. */
  increment(value: bigint, options?: CallOptions): Promise<bigint> {
    this.#increment.value = value;
    return this.call(this.#increment, options);
  }

  /**
   * Asks for the next numbers, all in one message.
   *
   * @param answers where to put them; it may be `values` itself
   * @throws {RangeError} when there is no room for as many
   */
  increments(
    values: BigUint64Array,
    answers: BigUint64Array = new BigUint64Array(values.length),
    options?: CallOptions,
  ): Promise<BigUint64Array> {
    const [only] = values;
    if (answers.length < values.length) {
      return Promise.reject(new RangeError("There is no room for the answers"));
    }
    if (only === undefined) return Promise.resolve(answers);
    if (values.length > 1) return this.call(new IncrementsCall(values, answers), options);
    return this.increment(only, options).then((answer) => {
      answers[0] = answer;
      return answers;
    });
  }

  /** Asks for a byte string backwards, given in place: a method for tests. */
  reverse(text: Text, options?: CallOptions): Promise<Uint8Array> {
    return this.call({
      method: Method.stringReverse,
      write: (target) => encodeString(target, text),
      read: decodeString,
    }, options);
  }

  /** Asks for all cgroups, given in place. */
  snapshot(options?: CallOptions): Promise<SnapshotView> {
    return this.call(SNAPSHOT, options);
  }

  /**
   * Calls a method with many items in one message; the answers come in their order, copied.
   *
   * @throws {NetipcError} "overflow" for more items than were agreed
   */
  batch(
    method: number,
    items: readonly Uint8Array[],
    options?: CallOptions,
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    const [only] = items;
    if (items.length === 0) return Promise.resolve([]);
    if (items.length === 1 && only !== undefined) {
      return this.call({
        method,
        write: (target) => copyInto(target, only),
        read: (payload) => [copyOf(payload)],
      }, options);
    }
    return this.call({
      method,
      items: items.length,
      write: (target) => writeBatch(target, items),
      read: (payload, count) => new BatchView(payload, count).materialize(),
    }, options);
  }

  #begin(items: number): Session {
    const { session, state } = this.#connection;
    if (this.#calling) throw new Error("A netipc client makes one call at a time");
    if (state !== "ready" || session === undefined) {
      this.#errorCount++;
      throw new NetipcError("not ready", `No session with netipc's ${this.service}: ${state}`);
    }
    if (items > session.agreed.requestItems) {
      this.#errorCount++;
      const most = session.agreed.requestItems;
      throw new NetipcError("overflow", `${this.service} takes ${most} items and not ${items}`);
    }
    return session;
  }

  /** Writes and sends the request; the response's span, if it comes at once. */
  #exchange<T>(
    session: Session,
    call: MethodCall<T>,
    timeoutMs: number,
    abort: Abort,
  ): Span | Promise<Span> {
    const { view } = session.out;
    const length = call.write(session.payload);
    if (length > session.payload.length) throw new CodecError("overflow", "request");
    writeHeader(view, 0, Kind.request, call.method, length, this.#callCount + 1);
    if (call.items !== undefined) {
      view.setUint16(10, FLAG_BATCH, true);
      view.setUint32(20, call.items, true);
    }
    if (abort.aborted) throw abortedError(this.service);
    return session.exchange(HEADER_BYTES + length, timeoutMs, abort);
  }

  /** Checks the response and reads its payload. */
  #finish<T>(call: MethodCall<T>, span: Span): T {
    const { view, start, length } = span;
    const { method, items = 1 } = call;
    const id = this.#callCount + 1;
    if (!isAnswer(view, start, method, id, items)) throw refusalOf(span, method, id, this.service);
    const payload = this.#payload.over(span, start + HEADER_BYTES, length - HEADER_BYTES);
    const result = call.read(payload, items);
    this.#callCount = id;
    return result;
  }

  /** Waits for an answer that did not come at once, or deals with a first failure. */
  async #wait<T>(
    attempt: Attempt<T>,
    session: Session,
    answer: Promise<Span>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    this.#calling = true;
    signal?.addEventListener("abort", this.#wake);
    try {
      return this.#finish(attempt.call, await answer);
    } catch (error) {
      return await this.#recover(attempt, session.agreed, error);
    } finally {
      this.#calling = false;
      signal?.removeEventListener("abort", this.#wake);
    }
  }

  /** What follows the first failure of a call: another try, larger limits, or the end. */
  async #recover<T>(attempt: Attempt<T>, agreed: Agreed, failure: unknown): Promise<T> {
    const { call, deadline, abort, closes } = attempt;
    let retried = false;
    let growths = 0;
    let before = agreed;
    for (let error = failure;;) {
      const growth = growthFor(error, call);
      const final = isFinal(error) || closes !== this.#connection.closes ||
        (growth === "none" ? retried : ++growths > MOST_GROWTHS);
      if (final) return await this.#fail(error, closes);
      const session = await this.#connection.reconnect(before, growth, deadline, abort);
      if (session === undefined) {
        return await this.#fail(this.#reason(error, deadline, abort), closes);
      }
      this.#reconnectCount++;
      retried ||= growth === "none";
      before = session.agreed;
      try {
        const left = Math.max(0, deadline - performance.now());
        return this.#finish(call, await this.#exchange(session, call, left, abort));
      } catch (again) {
        error = again;
      }
    }
  }

  /** Why a call fails that could not be tried again. */
  #reason(error: unknown, deadline: number, abort: Abort): unknown {
    if (abort.aborted) return abortedError(this.service);
    return performance.now() >= deadline ? timeoutError(this.service) : error;
  }

  async #fail(error: unknown, closes: number): Promise<never> {
    this.#errorCount++;
    if (closes !== this.#connection.closes) throw closedError(0, this.service);
    const disconnecting = this.#connection.disconnect();
    this.#connection.state = "broken";
    await disconnecting;
    if (!(error instanceof CodecError)) throw error;
    const fault = error.fault === "overflow" ? "overflow" : "protocol";
    throw new NetipcError(fault, error.message, { cause: error });
  }

  readonly #wake = () => this.#connection.session?.wake();
}

/** Given up by either of the two. */
function either(own: Abort, signal: AbortSignal): Abort {
  return {
    get aborted(): boolean {
      return own.aborted || signal.aborted;
    },
  };
}
