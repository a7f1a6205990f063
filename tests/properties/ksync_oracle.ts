/**
 * A second, slow and obvious model of the KSync engine, for dependencies without circles.
 *
 * It has no states and no transition table. It keeps what is wanted, what the sink is believed to
 * hold and what is outstanding, and after every event it asks each key anew, from these alone, what
 * has to be sent. The names of the states are derived in the end, to be compared.
 *
 * Longer than 400 lines: it is one model, to be read as a whole and checked against the
 * specification.
 *
 * @module
 */
import type { Fields } from "../../src/core/change.ts";
import type { StateName } from "../../src/transforms/ksync/states.ts";

/** What a key is believed to be in the sink. */
type Believed = Fields | "absent" | "unknown";

/** What differs from run to run. */
export interface Rules {
  readonly resolveOn: "acked" | "sent";
  readonly compress: boolean;
  readonly renew: "ignore" | "hold";
  readonly retryOnChange: boolean;
  readonly maxAttempts: number;
  readonly requestTimeoutMs: number;
  /** The wait after the n-th failure. */
  delay(attempt: number): number;
}

/** A request as the model expects it. */
export interface Expected {
  readonly kind: "add" | "change" | "delete";
  readonly fields: Fields;
  readonly removed: readonly string[];
}

/** Everything that the model knows of a key. */
export class Known {
  wanted = false;
  /** The value wanted last; undefined as long as nobody wanted any. */
  value: Fields | undefined;
  needs: readonly string[] = [];
  believed: Believed;
  /** Names of fields that the sink may hold although they are not believed. */
  possible = new Set<string>();
  /** The owner, or a failure, asks for a look that has not been taken. */
  pending = false;
  waitsFor: string | undefined;
  /** Whether the sink was believed to hold anything when the wait began, or was scanned. */
  wasThere = false;
  flight: { readonly value: Fields | "gone"; readonly sentAt: number } | undefined;
  /** While a delete is outstanding: the owner wants the row back, or it is deleted once more. */
  comesBack = false;
  again = false;
  renew = false;
  renewing = false;
  /** A held renew, or a held delete, looks at references again. */
  held = false;
  wait: { readonly due: number; readonly order: number } | "sink" | undefined;
  failed = false;
  refused: Fields | undefined;
  attempts = 0;
  holds = 0;
  stale = false;
  named = 0;

  constructor(believed: Believed) {
    this.believed = believed;
  }
}

/** The model of one table. */
export class Oracle {
  readonly keys = new Map<string, Known>();
  /** Rows of the sink that no key stands for, as they were read last. */
  readonly others = new Map<string, Fields | undefined>();
  /** What was sent since the last look, by key. */
  sent = new Map<string, Expected>();
  isOpen = true;
  now = 0;
  readonly #rules: Rules;
  #order = 0;
  #dump = 0;
  #dumping = false;
  #sweeping = false;
  #sweepAt = Infinity;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  // Owners

  set(name: string, value: Fields, needs: readonly string[]): void {
    const key = this.#claim(name, value);
    key.value = value;
    key.wanted = true;
    key.named = this.#dump;
    this.#need(key, needs);
    key.pending = true;
    if (key.flight !== undefined) {
      if (key.flight.value === "gone") {
        key.renew = key.again = false;
        key.comesBack = true;
      }
    } else if (key.failed) {
      if (!this.#same(key.refused, value)) this.#look(name);
    } else if (key.wait !== undefined) {
      const goes = !key.renew &&
        ((key.wait !== "sink" && this.#rules.retryOnChange) || this.#isSynced(key));
      if (goes) this.#look(name);
    } else if (!key.renew) {
      this.#look(name, false);
    }
    this.#settle();
  }

  delete(name: string): void {
    let key = this.keys.get(name);
    if (key === undefined) {
      if (this.isOpen && !this.others.has(name)) return;
      key = this.#make(name);
    }
    if (this.#isPlaceholder(key) && this.others.has(name)) {
      const row = this.others.get(name);
      const value = key.value ?? {};
      key.believed = row === undefined
        ? "unknown"
        : pick(row, (field) => Object.hasOwn(value, field));
      this.others.delete(name);
    }
    const wasWanted = key.wanted;
    const isPlaceholder = this.#isPlaceholder(key);
    key.wanted = false;
    key.stale = false;
    key.named = this.#dump;
    this.#withdraw(name, key, wasWanted, isPlaceholder);
  }

  /** What follows when a key is not wanted any more. */
  #withdraw(name: string, key: Known, wasWanted: boolean, isPlaceholder: boolean): void {
    if (key.flight !== undefined) {
      if (key.flight.value !== "gone") {
        key.renew = false;
        key.pending = true;
      } else {
        if (key.comesBack) key.again = !this.#rules.compress;
        key.renew = key.renewing = key.comesBack = false;
      }
    } else if (key.wait !== undefined || key.failed) {
      if (wasWanted) {
        key.renew = false;
        key.pending = true;
        if (key.failed || key.wait !== "sink" || this.#isAbsent(key)) this.#look(name);
      }
    } else if (isPlaceholder) {
      key.pending = !this.#isAbsent(key);
      this.#look(name);
    } else {
      if (wasWanted) key.pending = true;
      key.renew = false;
      key.waitsFor = undefined;
      this.#look(name);
    }
    this.#settle();
  }

  renew(name: string): boolean {
    const key = this.keys.get(name);
    if (key === undefined || key.stale || key.value === undefined) return false;
    if (this.#isPlaceholder(key)) this.#claim(name, key.value);
    const wasPlaceholder = this.#isPlaceholder(key);
    if (!key.wanted || key.flight === undefined) key.pending = true;
    key.wanted = true;
    key.named = this.#dump;
    if (key.flight !== undefined || key.wait !== undefined) {
      key.renew = true;
    } else {
      key.renew = !wasPlaceholder;
      this.#look(name);
    }
    this.#settle();
    return true;
  }

  hold(name: string): void {
    (this.keys.get(name) ?? this.#make(name)).holds++;
  }

  release(name: string): void {
    const key = this.keys.get(name);
    if (key !== undefined) key.holds--;
    this.#settle();
  }

  // The sink

  ok(name: string): void {
    const key = this.#flying(name);
    const { value } = key.flight ?? { value: "gone" };
    key.flight = undefined;
    key.attempts = 0;
    key.refused = undefined;
    key.possible.clear();
    if (value === "gone") {
      key.believed = "absent";
      key.pending = key.again || key.comesBack;
      key.renewing = key.again = key.comesBack = false;
    } else {
      key.believed = value;
    }
    if (key.pending || key.renew) this.#look(name);
    this.#settle();
  }

  /** The request failed for now; `untouched` says that nothing was applied. */
  transient(name: string, untouched: boolean): void {
    const key = this.#lose(name, untouched);
    if (!key.wanted && this.#isAbsent(key) && this.#rules.compress) {
      this.#look(name);
    } else {
      key.attempts++;
      const { maxAttempts, delay } = this.#rules;
      if (maxAttempts > 0 && key.attempts >= maxAttempts) {
        this.#fail(key, key.wanted ? key.value : undefined);
      } else {
        key.wait = { due: this.now + delay(key.attempts - 1), order: this.#order++ };
      }
    }
    this.#settle();
  }

  permanent(name: string): void {
    const key = this.#flying(name);
    const { value } = key.flight ?? { value: "gone" };
    const isReadd = key.comesBack && !key.renew && !key.renewing;
    key.flight = undefined;
    key.again = key.comesBack = false;
    key.pending = true;
    key.refused = value === "gone" ? undefined : value;
    if (value === "gone") {
      if (isReadd) this.#look(name);
      else this.#fail(key, undefined);
    } else if (key.wanted && this.#same(value, key.value)) {
      this.#fail(key, value);
    } else {
      this.#look(name);
    }
    this.#settle();
  }

  lost(): void {
    this.isOpen = false;
    this.others.clear();
    for (const [name, key] of this.keys) {
      if (key.flight !== undefined) this.#lose(name, false);
      else if (this.stateOf(name) !== "IN_SYNC" && key.wait === undefined) continue;
      key.pending = true;
      key.wait = "sink";
    }
    this.#settle();
  }

  /** The sink is back, and these are its rows. */
  scanned(rows: ReadonlyMap<string, Fields>): void {
    for (const [name, key] of this.keys) {
      const row = rows.get(name);
      if (row === undefined) key.believed = "absent";
      else if (this.#isPlaceholder(key)) key.believed = "absent"; // nobody's, see `others`
      else key.believed = this.#ours(key, row);
      key.possible.clear();
    }
    for (const [name, row] of rows) {
      const key = this.keys.get(name);
      if (key === undefined || this.#isPlaceholder(key)) this.others.set(name, row);
    }
    this.isOpen = true;
    const gone = [...this.keys].filter(([, key]) => key.stale && key.believed === "absent");
    for (const [, key] of gone) key.wanted = key.stale = key.renew = false;
    for (const [name, key] of gone) {
      if (this.keys.get(name) === key) this.#withdraw(name, key, true, false);
    }
    for (const [name, key] of [...this.keys]) {
      key.wasThere = key.believed !== "absent";
      if (key.stale && typeof key.believed === "object") key.value = key.believed;
      if (key.wait !== undefined || key.failed || (key.held && this.#isAbsent(key))) {
        this.#look(name);
      }
    }
    this.#settle();
  }

  // The source

  dumpBegins(isBegun: boolean): void {
    this.#dump++;
    this.#dumping = isBegun;
    this.#sweeping = false;
    this.#sweepAt = Infinity;
  }

  dumpEnds(): void {
    if (!this.#dumping) return;
    this.#dumping = false;
    this.#sweeping = true;
    for (const key of this.keys.values()) {
      if (key.wanted && key.named !== this.#dump) key.stale = true;
      if (key.stale) this.#sweepAt = this.now;
    }
    for (const name of this.others.keys()) this.others.set(name, undefined);
  }

  // The clock and the operator

  pass(ms: number): void {
    this.now += ms;
    const overdue = [...this.keys].filter(([, { flight }]) =>
      flight !== undefined && this.now >= flight.sentAt + this.#rules.requestTimeoutMs
    );
    for (const [name] of overdue.sort(([, a], [, b]) => sentAt(a) - sentAt(b))) {
      this.transient(name, false);
    }
    for (let name = this.#firstDue(); name !== undefined; name = this.#firstDue()) {
      this.#retry(name);
    }
    if (this.#sweepAt <= this.now && this.#sweeping) {
      this.#sweepAt = Infinity;
      for (const [name, key] of [...this.keys]) if (key.stale) this.delete(name);
    }
  }

  retry(name: string): void {
    const key = this.keys.get(name);
    if (key?.failed || key?.wait !== undefined) this.#retry(name);
  }

  // What follows

  /** The state that the engine must be in. */
  stateOf(name: string): StateName | "gone" {
    const key = this.keys.get(name);
    if (key === undefined) return "gone";
    if (key.flight !== undefined) {
      if (key.flight.value !== "gone") {
        if (!key.wanted) return "DEL_DEFER_SYNC";
        return key.pending ? "NEED_SYNC" : "SYNC_WAIT";
      }
      if (key.again) return "DEL_DEFER_DEL_ACK";
      return key.comesBack ? "RENEW_WAIT" : "DEL_ACK_WAIT";
    }
    if (key.failed) return "FAILED";
    if (key.wait !== undefined) return "BACKOFF";
    if (key.held) return "DEL_DEFER_REF";
    if (key.waitsFor !== undefined) {
      return key.wasThere ? "CHANGE_DEFER" : "ADD_DEFER";
    }
    return key.wanted ? "IN_SYNC" : "TEMP";
  }

  /** The reference count that the engine must have. */
  referencesOf(name: string): number {
    const key = this.keys.get(name);
    if (key === undefined) return 0;
    let count = 1 + key.holds + (key.waitsFor === undefined ? 0 : 1);
    for (const other of this.keys.values()) {
      if (other.needs.includes(name)) count++;
      if (other.waitsFor === name) count++;
    }
    return count;
  }

  #make(name: string): Known {
    const key = new Known(this.isOpen ? "absent" : "unknown");
    key.named = this.#dump;
    this.keys.set(name, key);
    return key;
  }

  #isPlaceholder(key: Known): boolean {
    return !key.wanted && !key.pending && key.flight === undefined && key.wait === undefined &&
      !key.failed && !key.held;
  }

  /** An owner names a key: what was found of it in the sink counts as far as the owner names it. */
  #claim(name: string, value: Fields): Known {
    const key = this.keys.get(name) ?? this.#make(name);
    const isNew = this.#isPlaceholder(key);
    if (isNew && this.others.has(name)) {
      key.believed = this.others.get(name) ?? "unknown";
      this.others.delete(name);
    }
    if (isNew && typeof key.believed === "object") {
      key.believed = pick(key.believed, (field) => Object.hasOwn(value, field));
    }
    key.stale = false;
    return key;
  }

  #need(key: Known, needs: readonly string[]): void {
    for (const need of needs) if (!this.keys.has(need)) this.#make(need);
    key.needs = needs;
    if (key.flight === undefined && key.wait === undefined && !key.failed) {
      key.waitsFor = undefined;
    }
  }

  #flying(name: string): Known {
    const key = this.keys.get(name);
    if (key?.flight === undefined) throw new Error(`The model has nothing outstanding for ${name}`);
    return key;
  }

  /** The request is over, and what it did is unknown. */
  #lose(name: string, untouched: boolean): Known {
    const key = this.#flying(name);
    const { value } = key.flight ?? { value: "gone" };
    key.flight = undefined;
    if (!untouched) {
      for (const field of names(key.believed)) key.possible.add(field);
      if (value !== "gone") { for (const field of names(value)) key.possible.add(field); }
      key.believed = "unknown";
    }
    if (key.renewing) key.renew = true;
    key.renewing = key.again = key.comesBack = false;
    key.pending = true;
    return key;
  }

  #fail(key: Known, refused: Fields | undefined): void {
    key.failed = true;
    key.refused = refused;
    key.renew = key.renewing = false;
    key.pending = true;
  }

  #retry(name: string): void {
    const key = this.keys.get(name);
    if (key === undefined) return;
    key.wait = undefined;
    key.failed = false;
    this.#look(name);
    this.#settle();
  }

  #firstDue(): string | undefined {
    let first: [string, number, number] | undefined;
    for (const [name, { wait }] of this.keys) {
      if (wait === undefined || wait === "sink" || wait.due > this.now) continue;
      const isFirst = first === undefined || wait.due < first[1] ||
        (wait.due === first[1] && wait.order < first[2]);
      if (isFirst) first = [name, wait.due, wait.order];
    }
    return first?.[0];
  }

  #isAbsent(key: Known): boolean {
    return this.isOpen && key.believed === "absent";
  }

  #same(left: Fields | undefined, right: Fields | undefined): boolean {
    return left !== undefined && right !== undefined && text(left) === text(right);
  }

  #isSynced(key: Known): boolean {
    return this.isOpen && typeof key.believed === "object" && key.possible.size === 0 &&
      this.#same(key.believed, key.value);
  }

  #ours(key: Known, row: Fields): Fields {
    return pick(
      row,
      (field) =>
        Object.hasOwn(key.value ?? {}, field) || names(key.believed).includes(field) ||
        key.possible.has(field),
    );
  }

  #isResolved(name: string): boolean {
    const key = this.keys.get(name);
    const isThere = typeof key?.believed === "object";
    switch (this.stateOf(name)) {
      case "IN_SYNC":
        return true;
      case "SYNC_WAIT":
      case "NEED_SYNC":
        return isThere || this.#rules.resolveOn === "sent";
      case "BACKOFF":
        return isThere && key !== undefined && key.wait !== "sink" && key.wanted && !key.renew;
      default:
        return false;
    }
  }

  #isReferred(name: string): boolean {
    const key = this.keys.get(name);
    return (key?.holds ?? 0) > 0 ||
      [...this.keys.values()].some(({ needs }) => needs.includes(name));
  }

  /** Looks at one key that has nothing outstanding: sends what has to be sent, or says why not. */
  #look(name: string, mayRenew = true): void {
    const key = this.keys.get(name);
    if (key === undefined || key.flight !== undefined) return;
    key.wait = undefined;
    key.failed = false;
    key.held = false;
    key.waitsFor = undefined;
    if (key.wanted) {
      if (key.renew && mayRenew) {
        if (!this.#renewed(name, key)) return;
      }
      this.#write(name, key);
    } else {
      this.#remove(name, key);
    }
  }

  /** Begins a renew. True when there is nothing to delete, so that the write comes at once. */
  #renewed(name: string, key: Known): boolean {
    if (this.#isAbsent(key) && this.#rules.compress) {
      key.renew = false;
      return true;
    }
    if (this.#rules.renew === "hold" && this.#isReferred(name)) {
      key.held = true;
      return false;
    }
    if (!this.isOpen) {
      key.wait = "sink";
      return false;
    }
    key.renew = false;
    key.renewing = key.comesBack = true;
    this.#send(name, key, "gone");
    return false;
  }

  #write(name: string, key: Known): void {
    const missing = key.needs.find((need) => !this.#isResolved(need));
    if (missing !== undefined) {
      key.waitsFor = missing;
      key.wasThere = this.isOpen && key.believed !== "absent";
    } else if (this.#isSynced(key)) {
      key.pending = false;
    } else if (!this.isOpen) {
      key.wait = "sink";
    } else {
      this.#send(name, key, key.value ?? {});
    }
  }

  #remove(name: string, key: Known): void {
    if (!key.pending) return;
    if (this.#isAbsent(key) && this.#rules.compress) {
      key.pending = false;
    } else if (this.#isReferred(name)) {
      key.held = true;
    } else if (!this.isOpen) {
      key.wait = "sink";
    } else {
      this.#send(name, key, "gone");
    }
  }

  #send(name: string, key: Known, value: Fields | "gone"): void {
    const { believed } = key;
    key.flight = { value, sentAt: this.now };
    key.pending = false;
    if (value === "gone") {
      this.sent.set(name, { kind: "delete", fields: {}, removed: [] });
      return;
    }
    const from = typeof believed === "object" ? believed : {};
    const extra = believed === "absent" ? [] : [...key.possible];
    this.sent.set(name, {
      kind: typeof believed === "object" ? "change" : "add",
      fields: pick(value, (field) => from[field] !== value[field]),
      removed: [...new Set([...Object.keys(from), ...extra])]
        .filter((field) => !Object.hasOwn(value, field)).sort(),
    });
  }

  /** Asks every key again until nothing moves: who waited, who was held, who is not needed. */
  #settle(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const [name, key] of [...this.keys]) {
        if (key.waitsFor !== undefined && this.#isResolved(key.waitsFor)) {
          this.#look(name, false);
          moved = true;
        } else if (key.held && !this.#isReferred(name)) {
          this.#look(name);
          moved = true;
        } else if (this.#isPlaceholder(key) && !this.#isReferred(name)) {
          this.keys.delete(name);
          moved = true;
        }
      }
    }
  }
}

function sentAt(key: Known): number {
  return key.flight?.sentAt ?? 0;
}

function names(value: Believed): string[] {
  return typeof value === "object" ? Object.keys(value) : [];
}

function pick(fields: Fields, keep: (name: string) => boolean): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => keep(name)));
}

/** A row as text that does not depend on the order of its fields. */
export function text(fields: Fields): string {
  return Object.keys(fields).sort().map((name) => `${name}=${fields[name]}`).join(" ");
}
