import assert from "node:assert/strict";
import fc from "fast-check";
import type { Change } from "../../core/change.ts";
import { compileGlobs } from "../../core/glob.ts";
import { LINK_WORDS, PS_LINK_DUMPED, PS_LINK_GONE } from "../../../ffi/records.gen.ts";
import { linkRecords, type RecordWish } from "../../../tests/support/link_records.ts";
import { LinkTable, type LinkTableOptions } from "./link_table.ts";

function apply(table: LinkTable, ...wishes: readonly RecordWish[]): Change[] {
  const view = linkRecords(...wishes);
  const changes: Change[] = [];
  wishes.forEach((_, index) => table.apply(view, index * LINK_WORDS, changes));
  return changes;
}

function brief(changes: readonly Change[]): string[] {
  return changes.map(({ op, key, id, cause }) =>
    `${op} ${key} ${id}${cause === undefined ? "" : ` ${cause}`}`
  );
}

function endDump(table: LinkTable): string[] {
  const changes: Change[] = [];
  table.endDump(2000, changes);
  return brief(changes);
}

function dumped(ifindex: number, name: string): RecordWish {
  return { type: PS_LINK_DUMPED, ifindex, name };
}

Deno.test("LinkTable makes a row of a link with the fields of portsyncd", () => {
  const [change] = apply(new LinkTable(), { ifindex: 7, name: "Ethernet0", mtu: 9100, time: 1.5 });
  assert.deepEqual(change, {
    op: "set",
    table: "PORT_TABLE",
    key: "Ethernet0",
    fields: { state: "ok", netdev_oper_status: "up", admin_status: "up", mtu: "9100" },
    time: 1.5,
    id: 7,
  });
});

Deno.test("LinkTable says down for a link that is not up, or up and not running", () => {
  const table = new LinkTable();
  const statuses = [0, 1, 0x40, 0x10001].map((flags) => {
    const [change] = apply(table, { ifindex: 1, name: "Ethernet0", flags });
    return [change?.fields["admin_status"], change?.fields["netdev_oper_status"]];
  });
  assert.deepEqual(statuses, [["down", "down"], ["up", "down"], ["down", "up"], ["up", "down"]]);
});

Deno.test("LinkTable gives rows that are alike the same object", () => {
  const table = new LinkTable();
  const [first, second] = apply(
    table,
    { ifindex: 1, name: "Ethernet0" },
    { ifindex: 2, name: "Ethernet4" },
  );
  assert(first?.fields === second?.fields);
  assert(Object.isFrozen(first?.fields));
});

Deno.test("LinkTable adds the fields that a spec asks for", () => {
  const table = new LinkTable({
    extraFields: ["ifindex", "mac", "kind", "master", "carrier", "operstate"],
  });
  const link = {
    ifindex: 3,
    name: "Ethernet0",
    kind: "veth",
    master: 9,
    mac: [2, 0, 0, 0, 0, 255],
    operstate: 3,
    carrier: 0,
  };
  const [first, second, third] = apply(table, link, link, { ...link, master: 0 });
  assert.deepEqual(first?.fields, {
    state: "ok",
    netdev_oper_status: "up",
    admin_status: "up",
    mtu: "1500",
    ifindex: "3",
    mac: "02:00:00:00:00:ff",
    kind: "veth",
    master: "9",
    carrier: "down",
    operstate: "lowerlayerdown",
  });
  assert(first?.fields === second?.fields);
  assert.equal(third?.fields["master"], "0");
  const [unknown] = apply(table, { ...link, operstate: 77, carrier: 1, mtu: 1400 });
  assert.equal(unknown?.fields["operstate"], "unknown");
  assert.equal(unknown?.fields["carrier"], "up");
  assert.equal(unknown?.fields["mtu"], "1400");
});

Deno.test("LinkTable deletes the row of a link that is gone, and knows nothing of others", () => {
  const table = new LinkTable();
  apply(table, { ifindex: 1, name: "Ethernet0" });
  assert.deepEqual(brief(apply(table, { type: PS_LINK_GONE, ifindex: 2, name: "Ethernet4" })), []);
  assert.deepEqual(brief(apply(table, { type: PS_LINK_GONE, ifindex: 1, name: "Ethernet0" })), [
    "delete Ethernet0 1 deleted",
  ]);
  assert.equal(table.size, 0);
});

Deno.test("LinkTable turns a rename into a deletion and a new row", () => {
  const table = new LinkTable();
  apply(table, { ifindex: 1, name: "Ethernet0" });
  assert.deepEqual(brief(apply(table, { ifindex: 1, name: "Ethernet4" })), [
    "delete Ethernet0 1 rename",
    "set Ethernet4 1 rename",
  ]);
  assert.equal(table.rows, 1);
});

Deno.test("LinkTable follows two links that exchange names through a third name", () => {
  const table = new LinkTable();
  apply(table, { ifindex: 1, name: "A" }, { ifindex: 2, name: "B" });
  const changes = apply(
    table,
    { ifindex: 1, name: "tmp" },
    { ifindex: 2, name: "A" },
    { ifindex: 1, name: "B" },
  );
  assert.deepEqual(brief(changes), [
    "delete A 1 rename",
    "set tmp 1 rename",
    "delete B 2 rename",
    "set A 2 rename",
    "delete tmp 1 rename",
    "set B 1 rename",
  ]);
});

Deno.test("LinkTable deletes no row of two links whose exchange of names was lost", () => {
  const table = new LinkTable();
  apply(table, { ifindex: 1, name: "A" }, { ifindex: 2, name: "B" });
  table.beginDump();
  assert.deepEqual(brief(apply(table, dumped(1, "B"), dumped(2, "A"))), [
    "set B 1 rename",
    "set A 2 rename",
  ]);
  assert.deepEqual(endDump(table), []);
  assert.deepEqual(brief(apply(table, { type: PS_LINK_GONE, ifindex: 1, name: "B" })), [
    "delete B 1 deleted",
  ]);
});

Deno.test("LinkTable keeps the row of a name that another link took before the old one moved", () => {
  const table = new LinkTable();
  apply(table, { ifindex: 1, name: "A" }, { ifindex: 2, name: "B" });
  assert.deepEqual(brief(apply(table, { ifindex: 2, name: "A" })), [
    "delete B 2 rename",
    "set A 2 rename",
  ]);
  assert.deepEqual(brief(apply(table, { type: PS_LINK_GONE, ifindex: 1, name: "A" })), []);
});

Deno.test("LinkTable deletes what a complete dump did not name, and old names of renamed links", () => {
  const table = new LinkTable();
  apply(table, { ifindex: 1, name: "A" }, { ifindex: 2, name: "B" }, { ifindex: 3, name: "C" });
  table.beginDump();
  assert.deepEqual(brief(apply(table, dumped(1, "A"), dumped(2, "D"))), [
    "set A 1 dump",
    "set D 2 rename",
  ]);
  assert.deepEqual(endDump(table), ["delete C 3 resync", "delete B 2 resync"]);
});

Deno.test("LinkTable deletes nothing after an interrupted dump until one is complete", () => {
  const table = new LinkTable();
  apply(table, { ifindex: 1, name: "A" }, { ifindex: 2, name: "B" });
  table.beginDump();
  assert.deepEqual(brief(apply(table, dumped(1, "C"))), ["set C 1 rename"]);
  table.breakDump();
  assert.deepEqual(brief(apply(table, { ifindex: 2, name: "B" })), ["set B 2"]);
  table.beginDump();
  apply(table, dumped(1, "C"));
  assert.deepEqual(endDump(table), ["delete B 2 resync", "delete A 1 resync"]);
});

Deno.test("LinkTable leaves teams and names that are not followed alone", () => {
  const table = new LinkTable({ follows: compileGlobs(["Ethernet*", "PortChannel*"]) });
  assert.deepEqual(
    apply(
      table,
      { ifindex: 1, name: "lo" },
      { ifindex: 2, name: "PortChannel1", kind: "team" },
      { ifindex: 3, name: "Ethernet0.10" },
    ),
    [],
  );
  assert.deepEqual(brief(apply(table, { ifindex: 4, name: "Ethernet0", kind: "teamx" })), [
    "set Ethernet0 4",
  ]);
  assert.equal(table.size, 4);
  assert.equal(table.rows, 1);
});

Deno.test("LinkTable follows a link into a followed name and out of it", () => {
  const table = new LinkTable({ follows: compileGlobs(["Ethernet*"]) });
  apply(table, { ifindex: 1, name: "eth0" });
  assert.deepEqual(brief(apply(table, { ifindex: 1, name: "Ethernet0" })), [
    "set Ethernet0 1 rename",
  ]);
  assert.deepEqual(brief(apply(table, { ifindex: 1, name: "eth0" })), [
    "delete Ethernet0 1 rename",
  ]);
});

Deno.test("LinkTable rejects names that cannot be keys, once for each link, in printable words", () => {
  const rejected: string[] = [];
  const options: LinkTableOptions = { onRejected: (name) => rejected.push(name) };
  const table = new LinkTable(options);
  const names = ["a|b", "a\x1b[2J", new Uint8Array([0x61, 0xff]), "a\u202eb", "a\u0085"];
  names.forEach((name, index) => {
    assert.deepEqual(apply(table, { ifindex: index + 1, name }), []);
    assert.deepEqual(apply(table, { ifindex: index + 1, name }), []);
  });
  assert.deepEqual(rejected, ["a|b", "a\\x1b[2J", "a\\xff", "a\\xe2\\x80\\xaeb", "a\\xc2\\x85"]);
  assert.deepEqual(brief(apply(table, { ifindex: 1, name: "ähnlich" })), ["set ähnlich 1 rename"]);
  assert.deepEqual(brief(apply(table, { ifindex: 1, name: "a|b" })), ["delete ähnlich 1 rename"]);
});

Deno.test("LinkTable gives a name back to a link that had lost it unseen", () => {
  const table = new LinkTable();
  apply(table, { ifindex: 3, name: "F" });
  // Unseen: 3 is renamed.
  apply(table, { ifindex: 5, name: "F" });
  // Unseen: 5 is deleted, and 3 has its old name again.
  table.beginDump();
  assert.deepEqual(brief(apply(table, dumped(3, "F"))), ["set F 3 rename"]);
  assert.deepEqual(endDump(table), []);
  assert.equal(table.rows, 1);
});

Deno.test("LinkTable agrees with the kernel after any story that ends in a complete dump", () => {
  const step = fc.record({
    ifindex: fc.integer({ min: 1, max: 5 }),
    name: fc.constantFrom("A", "B", "C", "D", "E", "F"),
    gone: fc.boolean(),
    seen: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, interrupted) => {
      const table = new LinkTable();
      const kernel = new Map<number, string>();
      const rows = new Set<string>();
      const take = (changes: readonly Change[]) => {
        for (const { op, key } of changes) {
          if (op === "set") rows.add(key);
          else rows.delete(key);
        }
      };
      for (const { ifindex, name, gone, seen } of steps) {
        const type = gone ? PS_LINK_GONE : undefined;
        if (gone) kernel.delete(ifindex);
        else if ([...kernel].some(([other, taken]) => taken === name && other !== ifindex)) {
          continue;
        } else kernel.set(ifindex, name);
        // Some events are lost.
        if (seen) take(apply(table, { ifindex, name, ...(type && { type }) }));
      }
      for (const complete of interrupted ? [false, true] : [true]) {
        table.beginDump();
        const entries = [...kernel].slice(complete ? 0 : 1);
        for (const [ifindex, name] of entries) take(apply(table, dumped(ifindex, name)));
        const last: Change[] = [];
        if (complete) table.endDump(0, last);
        else table.breakDump();
        take(last);
      }
      assert.deepEqual([...rows].sort(), [...kernel.values()].sort());
      assert.equal(table.size, kernel.size);
      assert.equal(table.rows, kernel.size);
    }),
    { numRuns: 2000 },
  );
});
