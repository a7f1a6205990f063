import assert from "node:assert/strict";
import fc from "fast-check";
import type { Change, Fields } from "../../core/change.ts";
import { PortGate } from "./port_gate.ts";

const TABLE = "PORT_TABLE";

function set(key: string, mtu = "1500", table = TABLE): Change {
  return { op: "set", table, key, fields: { mtu }, time: 0 };
}

function del(key: string, table = TABLE): Change {
  return { op: "delete", table, key, fields: {}, time: 0 };
}

Deno.test("a set waits until its port is known, and only the last one passes", () => {
  const gate = new PortGate(10);
  const out: Change[] = [];
  assert.equal(gate.set(set("a", "1"), out), "hold");
  assert.equal(gate.set(set("a", "2"), out), "hold");
  assert.deepEqual([...gate.takeQuestions()], [["a", "ask"]]);
  assert.deepEqual([...gate.takeQuestions()], []);
  gate.answer("a", false, out);
  assert.equal(gate.set(set("a", "3"), out), "hold");
  assert.equal(gate.held, 1);
  assert.deepEqual(out, []);
  gate.answer("a", true, out);
  assert.deepEqual(out, [set("a", "3")]);
  assert.equal(gate.held, 0);
  assert.equal(gate.set(set("a", "4"), out), "pass");
  assert.deepEqual(out.at(-1), set("a", "4"));
});

Deno.test("two tables may hold the same key", () => {
  const gate = new PortGate(10);
  const out: Change[] = [];
  gate.set(set("a", "1"), out);
  gate.set(set("a", "2", "OTHER"), out);
  gate.delete(del("a"), out);
  assert.equal(gate.held, 1);
  gate.answer("a", true, out);
  assert.deepEqual(out, [del("a"), set("a", "2", "OTHER")]);
});

Deno.test("a delete passes at once, and what waited is forgotten", () => {
  const gate = new PortGate(10);
  const out: Change[] = [];
  gate.delete(del("never seen"), out);
  gate.set(set("a"), out);
  gate.takeQuestions();
  gate.delete(del("a"), out);
  assert.deepEqual([...gate.takeQuestions()], [["a", "forget"]]);
  gate.answer("a", true, out);
  assert.deepEqual(out, [del("never seen"), del("a")]);
  assert.equal(gate.held, 0);
});

Deno.test("a port deleted and set again in one turn is asked about again", () => {
  const gate = new PortGate(10);
  const out: Change[] = [];
  gate.set(set("a"), out);
  gate.answer("a", true, out);
  gate.takeQuestions();
  gate.delete(del("a"), out);
  assert.equal(gate.set(set("a", "2"), out), "hold");
  assert.deepEqual([...gate.takeQuestions()], [["a", "ask"]]);
});

Deno.test("a port that is no longer known keeps its row, also through a dump", () => {
  const gate = new PortGate(10);
  let out: Change[] = [];
  gate.set(set("a", "1"), out);
  gate.answer("a", true, out);
  gate.answer("a", false, out);
  out = [];
  assert.equal(gate.set(set("a", "2"), out), "hold");
  assert.deepEqual(out, []);
  gate.dumpBegins();
  assert.equal(gate.set(set("a", "3"), out), "hold");
  assert.deepEqual(out, [set("a", "1")], "named as it last passed");
  assert.equal(gate.dumpEnds(), true);
  gate.answer("a", true, out);
  assert.deepEqual(out.at(-1), set("a", "3"));
});

Deno.test("the end of a dump waits for the last answer", () => {
  const gate = new PortGate(10);
  const out: Change[] = [];
  gate.dumpBegins();
  gate.set(set("a"), out);
  gate.set(set("b"), out);
  assert.equal(gate.dumpEnds(), false);
  gate.answer("a", false, out);
  assert.equal(gate.takeEnd(), false);
  gate.answer("b", true, out);
  assert.deepEqual(out, [set("b")]);
  assert.equal(gate.takeEnd(), true);
  assert.equal(gate.takeEnd(), false);
});

Deno.test("an end that waits is void when the source dumps again or loses events", () => {
  for (const turn of ["dumpBegins", "eventsLost"] as const) {
    const gate = new PortGate(10);
    gate.dumpBegins();
    gate.set(set("a"), []);
    assert.equal(gate.dumpEnds(), false);
    gate[turn]();
    gate.answer("a", true, []);
    assert.equal(gate.takeEnd(), false);
  }
});

Deno.test("what waits from before a dump passes only once the dump has named it", () => {
  const gate = new PortGate(10);
  const out: Change[] = [];
  for (const key of ["gone", "here"]) {
    gate.set(set(key), out);
    gate.answer(key, false, out);
  }
  gate.dumpBegins();
  gate.answer("gone", true, out);
  gate.answer("here", true, out);
  assert.deepEqual(out, []);
  assert.equal(gate.set(set("here", "2"), out), "pass");
  assert.equal(gate.dumpEnds(), true);
  assert.deepEqual(out, [set("here", "2")]);
  assert.equal(gate.held, 0);
  assert.equal(gate.takeQuestions().get("gone"), "forget");
});

Deno.test("what finds no room is refused, and dumped again when its port is known", () => {
  const gate = new PortGate(2);
  const out: Change[] = [];
  gate.dumpBegins();
  for (const key of ["a", "b"]) assert.equal(gate.set(set(key), out), "hold");
  for (const key of ["c", "d", "c"]) assert.equal(gate.set(set(key), out), "full");
  assert.equal(gate.set(set("a", "2"), out), "hold", "it has its room already");
  assert.deepEqual([...gate.takeQuestions().keys()], ["a", "b", "c", "d"]);
  assert.equal(gate.dumpEnds(), false);
  for (const key of ["a", "b", "d"]) gate.answer(key, false, out);
  assert.equal(gate.takeWish(), false, "nothing that is missed is known");
  gate.answer("c", true, out);
  assert.equal(gate.takeEnd(), false, "c was not named to the next stage");
  assert.equal(gate.takeWish(), true);
  assert.equal(gate.takeWish(), false, "once for each dump");
  assert.equal(gate.dumpEnds(), false, "not while the dump that is wanted has not begun");
  gate.dumpBegins();
  for (const key of ["a", "b", "c", "d"]) gate.set(set(key), out);
  assert.equal(gate.dumpEnds(), true);
  assert.deepEqual(out, [set("c")]);
  assert.equal(gate.takeWish(), false);
});

Deno.test("names without number are not even looked at, and then nothing is swept", () => {
  const gate = new PortGate(1);
  gate.dumpBegins();
  for (let n = 0; n < 1000; n++) gate.set(set(`a${n}`), []);
  assert.equal(gate.takeQuestions().size, 17);
  for (let n = 0; n < 17; n++) gate.answer(`a${n}`, false, []);
  assert.equal(gate.dumpEnds(), false);
  assert.equal(gate.takeEnd(), false);
  gate.dumpBegins();
  assert.equal(gate.dumpEnds(), true);
  assert.equal(gate.held, 0);
});

/** The next stage, as far as it matters: rows, and what a complete dump did not name goes. */
class Rows {
  readonly rows: Map<string, string>;
  #named = new Set<string>();

  constructor(planted: readonly string[]) {
    this.rows = new Map(planted.map((key) => [key, "planted"]));
  }

  take(changes: readonly Change[]): void {
    for (const { op, key, fields } of changes) {
      if (op === "delete") this.rows.delete(key);
      else this.rows.set(key, mtuOf(fields));
      this.#named.add(key);
    }
  }

  dumpBegins(): void {
    this.#named = new Set();
  }

  dumpEnds(): void {
    for (const key of this.rows.keys()) if (!this.#named.has(key)) this.rows.delete(key);
  }
}

function mtuOf(fields: Fields): string {
  return fields["mtu"] ?? "";
}

/** A kernel, a database of ports, and what portsyncd would have made of them. */
class World {
  readonly links = new Map<string, string>();
  readonly members = new Set<string>();
  readonly gate: PortGate;
  readonly sink: Rows;
  /** What the right rows are, by events that were delivered. */
  readonly right = new Map<string, string>();
  /** Ports that the gate believes to be known, as it was told. */
  readonly told = new Map<string, boolean>();
  readonly #seen = new Set<string>();
  /** Events of the kernel that the source has not handed on. */
  #queue: (() => void)[] = [];
  #isLosing = false;
  #clock = 0;

  constructor(holdMax: number, planted: readonly string[]) {
    this.gate = new PortGate(holdMax);
    this.sink = new Rows(planted);
  }

  change(key: string): void {
    const mtu = String(++this.#clock);
    this.links.set(key, mtu);
    this.#event(() => this.#set(key, mtu));
  }

  remove(key: string): void {
    if (this.links.delete(key)) this.#event(() => this.#delete(key));
  }

  member(key: string, isMember: boolean): void {
    if (isMember) this.members.add(key);
    else this.members.delete(key);
  }

  lose(): void {
    this.#isLosing = true;
    this.#queue = [];
  }

  dump(): void {
    this.#isLosing = false;
    this.#queue.push(() => this.gate.eventsLost());
    this.#queue.push(() => {
      this.gate.dumpBegins();
      this.sink.dumpBegins();
      this.#seen.clear();
    });
    for (const [key, mtu] of this.links) this.#queue.push(() => this.#set(key, mtu));
    this.#queue.push(() => {
      for (const key of [...this.right.keys()]) if (!this.#seen.has(key)) this.right.delete(key);
      if (this.gate.dumpEnds()) this.sink.dumpEnds();
    });
  }

  /** Hands on some of what the source has. */
  deliver(count: number): void {
    for (const step of this.#queue.splice(0, count)) step();
  }

  /** The database answers what it was asked, and tells what has changed. */
  answer(): void {
    for (const [key, question] of this.gate.takeQuestions()) {
      if (question === "forget") this.told.delete(key);
      else this.told.set(key, !this.members.has(key));
    }
    const out: Change[] = [];
    for (const [key, before] of this.told) {
      const isMember = this.members.has(key);
      if (before === isMember) continue;
      this.told.set(key, isMember);
      this.gate.answer(key, isMember, out);
    }
    this.sink.take(out);
    for (const { key, fields } of out) this.right.set(key, mtuOf(fields));
    if (this.gate.takeEnd()) this.sink.dumpEnds();
    if (this.gate.takeWish()) this.dump();
  }

  #event(step: () => void): void {
    if (!this.#isLosing) this.#queue.push(step);
  }

  #set(key: string, mtu: string): void {
    this.#seen.add(key);
    const out: Change[] = [];
    if (this.gate.set(set(key, mtu), out) === "pass") this.right.set(key, mtu);
    this.sink.take(out);
  }

  #delete(key: string): void {
    this.#seen.delete(key);
    this.right.delete(key);
    const out: Change[] = [];
    this.gate.delete(del(key), out);
    this.sink.take(out);
  }
}

const keys = fc.constantFrom("a", "b", "c", "d", "e");
const step: fc.Arbitrary<(world: World) => void> = fc.oneof(
  keys.map((key) => (world: World) => world.change(key)),
  keys.map((key) => (world: World) => world.remove(key)),
  fc.tuple(keys, fc.boolean()).map(([key, is]) => (world: World) => world.member(key, is)),
  fc.nat({ max: 6 }).map((count) => (world: World) => world.deliver(count)),
  fc.constant((world: World) => world.answer()),
  fc.constant((world: World) => world.lose()),
  fc.constant((world: World) => world.dump()),
);

Deno.test("whatever happens, the rows end as portsyncd would have left them", () => {
  const steps = fc.array(step, { maxLength: 60, size: "max" });
  const planted = fc.uniqueArray(fc.constantFrom("a", "b", "c", "stale"));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), planted, steps, (holdMax, rows, list) => {
      const world = new World(holdMax, rows);
      for (const run of list) run(world);
      // Quiescence: a complete dump, and every answer.
      world.dump();
      for (let turn = 0; turn < 10; turn++) {
        world.deliver(1000);
        world.answer();
      }
      assert.ok(world.gate.held <= holdMax);
      assert.deepEqual(
        new Map([...world.sink.rows].toSorted()),
        new Map([...world.right].toSorted()),
      );
      for (const [key, mtu] of world.links) {
        if (world.members.has(key)) assert.equal(world.sink.rows.get(key), mtu);
      }
      for (const key of world.sink.rows.keys()) assert.ok(world.links.has(key));
    }),
    { numRuns: 3000 },
  );
});
