/**
 * What every state sink has to do, whatever it writes to.
 *
 * @module
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { Fields } from "../../src/core/change.ts";
import { ReconnectError, RejectError } from "../../src/core/errors.ts";
import type { Operation, Row, StateSink } from "../../src/core/stage.ts";
import { decodeText } from "../../src/redis/codec/text.ts";
import { nextTurn } from "./event.ts";

/** A sink under test and a hand at its other side. */
export interface SinkUnderTest extends AsyncDisposable {
  /** Not yet opened. */
  readonly sink: StateSink;
  /** Writes a row past the sink, as another program does. */
  plant(table: string, key: string, fields: Fields): Promise<void>;
  /** Reads a row past the sink; empty when there is none. */
  read(table: string, key: string): Promise<Record<string, string>>;
}

/** A test of the suite that a sink does not run. */
export interface Skip {
  readonly test: string;
  /** Why not, for the reader of the results. */
  readonly reason: string;
}

const TABLE = "PORT_TABLE";

function set(key: string, fields: Fields, removed: readonly string[] = []): Operation {
  return { op: "set", table: TABLE, key, fields, removed };
}

function del(key: string): Operation {
  return { op: "delete", table: TABLE, key };
}

/** What a scan tells, by key, with the fields of each row in order. */
async function rows(scan: AsyncIterable<Row>): Promise<Map<string, [string, string][]>> {
  const found = new Map<string, [string, string][]>();
  for await (const { key, fields } of scan) {
    assert.ok(!found.has(key), `${key} was told twice`);
    found.set(key, sorted(fields));
  }
  return found;
}

function sorted(fields: Fields): [string, string][] {
  return Object.entries(fields).toSorted();
}

function expected(table: Record<string, Fields>): Map<string, [string, string][]> {
  return new Map(Object.entries(table).map(([key, fields]) => [key, sorted(fields)]));
}

type Test = (under: SinkUnderTest) => Promise<void>;

const TESTS: Readonly<Record<string, Test>> = {
  "set writes the given fields and leaves the others": async ({ sink, plant, read }) => {
    await plant(TABLE, "Ethernet0", { supported_speeds: "10,25", mtu: "1500" });
    const [outcome] = await sink.write([set("Ethernet0", { state: "ok", mtu: "9100" })]);
    assert.ok(outcome?.ok);
    // Not every sink can tell how many fields are new.
    assert.equal(outcome.added ?? 1, 1);
    assert.deepEqual(await read(TABLE, "Ethernet0"), {
      supported_speeds: "10,25",
      mtu: "9100",
      state: "ok",
    });
  },

  "set takes fields away, with and without writing others": async ({ sink, plant, read }) => {
    await plant(TABLE, "Ethernet0", { a: "1", b: "2", c: "3" });
    await sink.write([set("Ethernet0", { d: "4" }, ["a", "nosuch"])]);
    assert.deepEqual(await read(TABLE, "Ethernet0"), { b: "2", c: "3", d: "4" });
    await sink.write([set("Ethernet0", {}, ["b", "d"])]);
    assert.deepEqual(await read(TABLE, "Ethernet0"), { c: "3" });
    await sink.write([set("Ethernet0", {}, ["c"])]);
    assert.deepEqual(await rows(sink.scan(TABLE)), expected({}), "a row without fields is none");
  },

  "delete removes the whole row, and one that is not there": async ({ sink, plant, read }) => {
    await plant(TABLE, "Ethernet0", { state: "ok", host_tx_ready: "true" });
    assert.deepEqual(await sink.write([del("Ethernet0"), del("Ethernet9")]), [
      { ok: true },
      { ok: true },
    ]);
    assert.deepEqual(await read(TABLE, "Ethernet0"), {});
  },

  "one call's operations happen in their order": async ({ sink, read }) => {
    const outcomes = await sink.write([
      set("a", { n: "1", m: "1" }),
      del("a"),
      set("a", { n: "2" }),
      set("b", { n: "1" }),
      set("b", {}),
      del("b"),
    ]);
    assert.equal(outcomes.length, 6);
    assert.ok(outcomes.every((outcome) => outcome.ok));
    assert.deepEqual(await read(TABLE, "a"), { n: "2" });
    assert.deepEqual(await read(TABLE, "b"), {});
    assert.deepEqual(await sink.write([]), []);
  },

  "calls that overlap happen in their order": async ({ sink, read }) => {
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, n) => sink.write([set("a", { n: String(n) })])),
    );
    assert.ok(all.flat().every((outcome) => outcome.ok));
    assert.deepEqual(await read(TABLE, "a"), { n: "199" });
  },

  "scan names every row of its table and no other": async ({ sink, plant }) => {
    await plant(TABLE, "Ethernet0", { state: "ok" });
    await plant(TABLE, "Ethernet0.10", { state: "ok" });
    await plant(TABLE, "Ethernet0|10.0.0.1/31", { family: "IPv4" });
    await plant(TABLE, "a[b]*?\\^c", { x: "y" });
    await plant("PORT_TABLE_X", "Ethernet0", { state: "no" });
    await plant("LAG_TABLE", "PORT_TABLE|Ethernet0", { state: "no" });
    assert.deepEqual(
      await rows(sink.scan(TABLE)),
      expected({
        "Ethernet0": { state: "ok" },
        "Ethernet0.10": { state: "ok" },
        "Ethernet0|10.0.0.1/31": { family: "IPv4" },
        "a[b]*?\\^c": { x: "y" },
      }),
    );
    assert.equal((await rows(sink.scan("NO_TABLE"))).size, 0);
  },

  "scan reads thousands of rows, each once": async ({ sink }) => {
    const operations = Array.from({ length: 3500 }, (_, n) => set(`Ethernet${n}`, { n: `${n}` }));
    assert.ok((await sink.write(operations)).every((outcome) => outcome.ok));
    const found = await rows(sink.scan(TABLE));
    assert.equal(found.size, 3500);
    assert.deepEqual(found.get("Ethernet3499"), [["n", "3499"]]);
  },

  "scan goes on while rows come and go": async ({ sink }) => {
    const operations = Array.from({ length: 2500 }, (_, n) => set(`Ethernet${n}`, { n: `${n}` }));
    await sink.write(operations);
    const found = new Set<string>();
    for await (const { key, fields } of sink.scan(TABLE)) {
      assert.equal(fields["n"], key.slice("Ethernet".length));
      found.add(key);
      const number = Number(fields["n"]);
      if (number % 2 === 1) void sink.write([del(`Ethernet${(number * 7) % 2500}`)]);
    }
    assert.ok(found.size > 0 && found.size <= 2500);
  },

  "any text comes back as it was written": async ({ sink }) => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 20 })
      .map((any) => any.replaceAll("\0", "0"));
    await assertRoundTrips(sink, text);
  },

  "a NUL and bytes that are no UTF-8 come back as they were written": async ({ sink }) => {
    const text = fc.uint8Array({ minLength: 1, maxLength: 20 })
      .map((raw) => decodeText(raw, 0, raw.length));
    await assertRoundTrips(sink, text);
  },

  "a text that cannot be stored is rejected, and its neighbours are written": async (
    { sink, read },
  ) => {
    const outcomes = await sink.write([
      set("a", { n: "1" }),
      set("b", { n: "half of a pair: \ud83d" }),
      set("\ud83d", { n: "1" }),
      set("c", { n: "1" }, ["m"]),
    ]);
    assert.deepEqual(outcomes.map((outcome) => outcome.ok), [true, false, false, true]);
    for (const outcome of outcomes) assert.ok(outcome.ok || outcome.error instanceof RejectError);
    assert.deepEqual(await read(TABLE, "a"), { n: "1" });
    assert.deepEqual(await read(TABLE, "b"), {});
    assert.deepEqual(await read(TABLE, "c"), { n: "1" });
  },

  "a field called __proto__ is a field": async ({ sink }) => {
    const fields = JSON.parse('{"__proto__":"a","constructor":"b"}');
    await sink.write([set("Ethernet0", fields)]);
    assert.deepEqual((await rows(sink.scan(TABLE))).get("Ethernet0"), [
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
  },

  "watch tells every row, and then what changes": async ({ sink, plant }) => {
    await plant(TABLE, "Ethernet0", { state: "ok" });
    const controller = new AbortController();
    const seen = new Map<string, Fields>();
    const steps = [
      () => plant(TABLE, "Ethernet4", { state: "ok" }),
      () => sink.write([del("Ethernet0"), set("Ethernet4", { mtu: "1" })]),
      () => controller.abort(),
    ];
    const goals = [
      { Ethernet0: { state: "ok" } },
      { Ethernet0: { state: "ok" }, Ethernet4: { state: "ok" } },
      { Ethernet4: { state: "ok", mtu: "1" } },
    ].map(expected);
    assert.ok(sink.watch);
    for await (const changes of sink.watch(TABLE, controller.signal)) {
      for (const { key, fields } of changes) {
        if (fields) seen.set(key, fields);
        else seen.delete(key);
      }
      if (!isDeepStrictEqual(expected(Object.fromEntries(seen)), goals[0])) continue;
      goals.shift();
      await steps.shift()?.();
    }
    assert.equal(steps.length, 0);
  },

  "watch of an empty table says so, and ends with its signal": async ({ sink }) => {
    const controller = new AbortController();
    assert.ok(sink.watch);
    for await (const changes of sink.watch(TABLE, controller.signal)) {
      assert.deepEqual(changes, []);
      controller.abort();
    }
  },

  "a closed sink fails each operation and a scan with a ReconnectError": async ({ sink }) => {
    await sink.close();
    const outcomes = await sink.write([set("a", { n: "1" }), del("b")]);
    assert.equal(outcomes.length, 2);
    for (const outcome of outcomes) {
      assert.ok(!outcome.ok && outcome.error instanceof ReconnectError);
    }
    await assert.rejects(rows(sink.scan(TABLE)), ReconnectError);
    assert.equal(sink.connection.up, false);
  },
};

/** Writes tables of any such texts, and scans each. */
async function assertRoundTrips(sink: StateSink, text: fc.Arbitrary<string>): Promise<void> {
  const table = fc.dictionary(text, fc.dictionary(text, text, { minKeys: 1 }), { maxKeys: 5 });
  await fc.assert(
    fc.asyncProperty(table, async (wanted) => {
      const before = await rows(sink.scan(TABLE));
      await sink.write(Array.from(before.keys(), del));
      const written = await sink.write(Object.entries(wanted).map(([key, row]) => set(key, row)));
      assert.ok(written.every((outcome) => outcome.ok));
      assert.deepEqual(await rows(sink.scan(TABLE)), expected(wanted));
    }),
    { numRuns: 60 },
  );
}

/** Registers the tests of the suite for one sink. */
export function testStateSink(
  name: string,
  make: () => Promise<SinkUnderTest>,
  skips: readonly Skip[] = [],
): void {
  for (const skip of skips) assert.ok(TESTS[skip.test], `There is no test "${skip.test}"`);
  for (const [title, test] of Object.entries(TESTS)) {
    const skip = skips.find((one) => one.test === title);
    Deno.test({
      name: `${name}: ${title}${skip ? ` (skipped: ${skip.reason})` : ""}`,
      ignore: skip !== undefined,
      fn: async () => {
        await using under = await make();
        const up = nextTurn(under.sink.connection, "up");
        under.sink.open();
        await up;
        await test(under);
        await under.sink.close();
      },
    });
  }
}
