/**
 * The small parts of the engine, each by itself.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffDelay } from "./backoff.ts";
import { Engine } from "./engine.ts";
import { Entry, lastErrorOf } from "./entry.ts";
import { Flights, NO_SLOT } from "./flights.ts";
import { IndexAllocator } from "./index_allocator.ts";
import { Outbox } from "./outbox.ts";
import { PendingBatch } from "./receipts.ts";
import { Event, Hold, State } from "./states.ts";
import { CELLS } from "./actions.ts";
import { TABLE } from "./table.ts";
import { Timers } from "./timers.ts";
import { Trace, TRACE_LENGTH } from "./trace.ts";
import { APPLIED, deferred } from "../../core/change.ts";

function entry(key: string): Entry {
  const engine = new Engine({ send: () => true });
  return new Entry(engine.container("T"), key, null);
}

Deno.test("Indexes are lowest first, unique and given back once, like in a plain list", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 80 }),
    fc.array(fc.integer({ min: -60, max: 90 }), { maxLength: 200, size: "max" }),
    (max, steps) => {
      const allocator = new IndexAllocator(max);
      const taken = new Set<number>();
      for (const step of steps) {
        if (step < 0) {
          const free = Array.from({ length: max }, (_, n) => n).find((n) => !taken.has(n)) ?? -1;
          assert.equal(allocator.take(), free);
          if (free >= 0) taken.add(free);
        } else {
          assert.equal(allocator.give(step), taken.delete(step));
        }
        assert.equal(allocator.size, taken.size);
      }
    },
  ));
});

Deno.test("The waits of retries grow to their bound, give or take the jitter", () => {
  const backoff = { initialMs: 100, maxMs: 1000, factor: 2, jitter: 0.2, maxAttempts: 0 };
  assert.deepEqual([0, 1, 2, 3, 4, 50].map((attempt) => backoffDelay(backoff, attempt, 0.5)), [
    100,
    200,
    400,
    800,
    1000,
    1000,
  ]);
  assert.equal(backoffDelay(backoff, 0, 0), 80);
  assert.ok(Math.abs(backoffDelay(backoff, 0, 0.999_999) - 120) < 0.01);
  assert.equal(backoffDelay(backoff, 50, 0.999_999), 1000);
});

Deno.test("Timers come in the order of their times, and of their arrival where these are equal", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean()), { maxLength: 40 }),
    (wanted) => {
      const timers = new Timers();
      const expected: { due: number; entry: Entry }[] = [];
      for (const [n, [due, leaves]] of wanted.entries()) {
        const e = entry(String(n));
        timers.add(e, due);
        expected.push({ due, entry: e });
        assert.equal(timers.dueOf(e), due);
        if (!leaves) continue;
        const [gone] = expected.splice(n % expected.length, 1);
        assert.ok(gone);
        timers.remove(gone.entry);
        assert.equal(timers.dueOf(gone.entry), Infinity);
      }
      expected.sort((a, b) => a.due - b.due); // which keeps the order of arrival
      assert.equal(timers.size, expected.length);
      for (const { due, entry } of expected) {
        assert.equal(timers.next, due);
        assert.equal(timers.takeDue(due - 1), undefined);
        assert.equal(timers.takeDue(due), entry);
      }
      assert.equal(timers.next, Infinity);
    },
  ));
});

Deno.test("Requests keep their order, and an answer finds only its own", () => {
  const flights = new Flights(0x7fff_fffd);
  const [a, b, c] = [entry("a"), entry("b"), entry("c")];
  const slots = [a, b, c].map((e) => flights.take(e, {}, undefined, 1));
  const numbers = slots.map((slot) => flights.numbers[slot]);
  assert.deepEqual(numbers, [0x7fff_fffe, 0x7fff_ffff, -0x8000_0000]);
  assert.equal(flights.oldest, slots[0]);
  flights.release(1);
  assert.equal(flights.find(1, 0x7fff_ffff), undefined);
  flights.release(0);
  assert.equal(flights.oldest, 2);
  assert.equal(flights.find(2, -0x8000_0000), c);
  assert.equal(flights.take(b, null, undefined, 2), 0);
  flights.release(2);
  flights.release(0);
  assert.equal(flights.oldest, NO_SLOT);
  assert.equal(flights.count, 0);
});

Deno.test("No request has the number 0, which stands for none", () => {
  const flights = new Flights(-1);
  assert.equal(flights.numbers[flights.take(entry("a"), {}, undefined, 0)], 1);
});

Deno.test("The trace keeps the last transitions of many entries, and their times for years", () => {
  const trace = new Trace(1000);
  const slots = Array.from({ length: 600 }, () => trace.take());
  assert.equal(trace.size, 600);
  const years = 20 * 365 * 86_400_000;
  for (const [n, slot] of slots.entries()) {
    for (let at = 0; at <= n % 40; at++) {
      trace.add(slot, State.IN_SYNC, State.BACKOFF, Event.RETRY, Hold.SINK, 1000 + years + at);
    }
  }
  for (const [n, slot] of slots.entries()) {
    const added = n % 40 + 1;
    const times = trace.read(slot).map(({ time }) => time - 1000 - years);
    const first = Math.max(0, added - TRACE_LENGTH);
    assert.deepEqual(times, Array.from({ length: added - first }, (_, at) => first + at));
    assert.equal(trace.lastTime(slot), 1000 + years + added - 1);
  }
  assert.deepEqual(trace.read(0), [
    {
      time: 1000 + years,
      from: State.IN_SYNC,
      to: State.BACKOFF,
      event: Event.RETRY,
      hold: Hold.SINK,
    },
  ]);
  trace.release(3);
  assert.equal(trace.take(), 3);
  assert.deepEqual(trace.read(3), []);
});

Deno.test("Batches keep to the number and the size that are allowed", () => {
  const outbox = new Outbox(3, 20);
  assert.ok(outbox.isEmpty);
  const set = (key: string, value: string) =>
    outbox.add({ op: "set", table: "T", key, fields: { v: value }, removed: ["w"] }, 0, 1);
  set("a", "1"); // 6 bytes: T|a, v, 1, w
  assert.ok(!outbox.isEmpty);
  assert.equal(outbox.take().length, 1);
  set("a", "1");
  set("b", "1");
  assert.deepEqual(outbox.take().map(({ slots, numbers }) => [slots, numbers]), [[[0, 0], [1, 1]]]);
  set("a", "1");
  set("b", "1");
  outbox.add({ op: "delete", table: "T", key: "c" }, 0, 1);
  set("d", "1");
  set("e", "x".repeat(100));
  set("f", "1");
  const keys = outbox.take().map(({ operations }) => operations.map(({ key }) => key).join(""));
  assert.deepEqual(keys, ["abc", "d", "e", "f"]);
  assert.ok(outbox.isEmpty);
});

Deno.test("The receipts of a batch come together, and each change is answered once", async () => {
  const pending = new PendingBatch(3, 0);
  pending.ticket(1).settle(APPLIED);
  pending.ticket(1).settle(deferred("too late"));
  assert.ok(!pending.isSettled);
  pending.defer((at) => `reason ${at}`);
  assert.ok(pending.isSettled);
  assert.deepEqual(await pending.promise, [deferred("reason 0"), APPLIED, deferred("reason 2")]);
});

Deno.test("Every state has a row in the table, and every cell an action", () => {
  assert.equal(Object.keys(TABLE).length, 15);
  assert.equal(CELLS.length, 15 * 16);
  assert.ok(CELLS.every((action) => typeof action === "function"));
});

Deno.test("An entry that never failed has no answer to tell of", () => {
  assert.equal(lastErrorOf(entry("a")).message, "No answer came");
});
