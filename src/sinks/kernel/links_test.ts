import assert from "node:assert/strict";
import { PS_DUMP_BEGIN, PS_LINK_DUMPED, PS_LINK_GONE } from "../../../ffi/records.gen.ts";
import { linkRecords, type RecordWish } from "../../../tests/support/link_records.ts";
import { type LinkNews, Links } from "./links.ts";

/** Applies records and says what is different: `+` appeared, `~` changed, `-` gone. */
function apply(links: Links, ...wishes: readonly RecordWish[]): string[] {
  const news: LinkNews = new Map();
  const view = linkRecords(...wishes);
  wishes.forEach((_, place) => links.apply(view, place, news));
  return told(links, news);
}

function told(links: Links, news: LinkNews): string[] {
  return [...news].map(([name, appeared]) =>
    `${links.find(name) === undefined ? "-" : appeared ? "+" : "~"}${name}`
  );
}

const A = { ifindex: 1, name: "A" };
const B = { ifindex: 2, name: "B" };
const BRIDGE = { ifindex: 9, name: "Bridge", kind: "bridge" };

Deno.test("Links gives rows of admin state, MTU and the name of the master", () => {
  const links = new Links();
  assert.deepEqual(apply(links, { ...A, flags: 0, mtu: 9100, master: 9 }, B, BRIDGE), [
    "+A",
    "+B",
    "+Bridge",
  ]);
  assert.deepEqual(links.row("A"), { admin_status: "down", mtu: "9100", master: "Bridge" });
  assert.deepEqual(links.row("B"), { admin_status: "up", mtu: "1500", master: "" });
  assert.equal(links.row("C"), undefined);
  assert.equal(links.find("Bridge")?.kind, "bridge");
  assert.deepEqual([links.size, [...links.names()]], [3, ["A", "B", "Bridge"]]);
});

Deno.test("Links says the index of a master that it cannot see", () => {
  const links = new Links();
  apply(links, { ...A, master: 7 });
  assert.equal(links.row("A")?.["master"], "#7");
});

Deno.test("Links tells only what this sink can change", () => {
  const links = new Links();
  apply(links, A, B);
  assert.deepEqual(apply(links, { ...A, operstate: 2, carrier: 0 }), []);
  assert.deepEqual(apply(links, { ...A, flags: 0x40 }), ["~A"], "another admin state");
  assert.deepEqual(apply(links, { ...B, mtu: 1 }, { ...B, mtu: 2 }), ["~B"]);
});

Deno.test("Links follows a link through its renames, and its ports with it", () => {
  const links = new Links();
  apply(links, { ...A, master: 9 }, B, BRIDGE);
  assert.deepEqual(apply(links, { ...BRIDGE, name: "Other" }), ["-Bridge", "+Other", "~A"]);
  assert.equal(links.row("A")?.["master"], "Other");
  assert.deepEqual(
    apply(links, { ...A, name: "T" }, { ...B, name: "A" }, { ...A, name: "B" }),
    ["+A", "-T", "+B"],
    "two links exchange their names",
  );
  assert.deepEqual([links.find("A")?.ifindex, links.find("B")?.ifindex], [2, 1]);
});

Deno.test("Links tells of a link that was deleted and made again as one that appeared", () => {
  const links = new Links();
  apply(links, A);
  assert.deepEqual(apply(links, { ...A, type: PS_LINK_GONE }), ["-A"]);
  assert.deepEqual(apply(links, { ...A, type: PS_LINK_GONE }), []);
  apply(links, A);
  assert.deepEqual(
    apply(links, { ...A, type: PS_LINK_GONE }, { ...A, ifindex: 3 }, { ...A, ifindex: 3, mtu: 2 }),
    ["+A"],
  );
});

Deno.test("Links forgets what a complete dump does not name, and only then", () => {
  const links = new Links();
  apply(links, A, B, BRIDGE);
  const news: LinkNews = new Map();
  links.beginDump();
  apply(links, { type: PS_DUMP_BEGIN }, { ...A, type: PS_LINK_DUMPED });
  links.breakDump();
  assert.equal(links.size, 3);
  links.beginDump();
  apply(links, { ...A, type: PS_LINK_DUMPED, master: 12 });
  apply(links, { ...B, ifindex: 12, type: PS_LINK_DUMPED });
  links.endDump(news);
  assert.deepEqual([...links.names()].toSorted(), ["A", "B"]);
  assert.equal(links.find("B")?.ifindex, 12, "another link has taken the name");
  assert.deepEqual(told(links, news), ["-Bridge"]);
});

Deno.test("Links tells of ports whose master stands behind them in a dump", () => {
  const links = new Links();
  const news: LinkNews = new Map();
  links.beginDump();
  const records = [{ ...A, master: 9 }, { ...B, name: "Bridge", ifindex: 9 }];
  const view = linkRecords(...records);
  records.forEach((_, place) => links.apply(view, place, news));
  news.delete("A");
  links.endDump(news);
  assert.equal(news.get("A"), false);
});

Deno.test("Links keeps a link whose name is no text out of every row", () => {
  const links = new Links();
  const odd = { ifindex: 1, name: new Uint8Array([0x61, 0xff]) };
  assert.deepEqual(apply(links, odd), []);
  assert.deepEqual([links.size, [...links.names()]], [1, []]);
  assert.deepEqual(apply(links, { ...odd, mtu: 1 }), []);
  assert.deepEqual(apply(links, A), ["+A"]);
  assert.deepEqual(apply(links, odd), ["-A"]);
});
