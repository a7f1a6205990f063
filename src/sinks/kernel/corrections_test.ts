import assert from "node:assert/strict";
import { Corrections } from "./corrections.ts";

const ROW = { admin_status: "down", mtu: "1500", master: "" };

/** One that has written an MTU of 9100, and was told of the row before. */
function written(maxMs = 1000): Corrections {
  const corrections = new Corrections(maxMs);
  corrections.begin("A", [], 0);
  corrections.told("A", ROW);
  corrections.wrote("A", ["mtu", "9100"], true);
  return corrections;
}

/** Somebody else changes the MTU, which is told and put right as soon as it may be. */
function pauses(corrections: Corrections, times: number, from = 0): number[] {
  const found: number[] = [];
  let now = from;
  for (let n = 0; n < times; n++) {
    const wait = corrections.waitFor("A", now);
    found.push(wait);
    now += wait;
    corrections.told("A", { ...ROW, mtu: "1" });
    corrections.begin("A", [], now);
    corrections.wrote("A", ["mtu", "9100"], true);
  }
  return found;
}

Deno.test("Corrections knows a link that is as it was told and written", () => {
  const corrections = written();
  assert(corrections.agrees("A", { ...ROW, mtu: "9100" }));
  assert(!corrections.agrees("A", ROW));
  assert(
    !corrections.agrees("A", { ...ROW, mtu: "9100", admin_status: "up" }),
    "a field that was right before and was never written",
  );
  assert.equal(corrections.size, 1);
});

Deno.test("Corrections lets nothing go untold of a link that it does not know", () => {
  const corrections = new Corrections(1000);
  assert(!corrections.agrees("A", ROW));
  corrections.told("A", ROW);
  corrections.wrote("A", ["mtu", "1"], true);
  corrections.failed("A");
  assert.equal(corrections.size, 0, "what was never written is not kept");
  corrections.begin("A", [], 0);
  assert(!corrections.agrees("A", ROW), "it was not told yet");
  corrections.told("A", ROW);
  assert(corrections.agrees("A", ROW));
  corrections.failed("A");
  assert(!corrections.agrees("A", ROW), "a part of the write may have been made");
  corrections.forget("A");
  assert.equal(corrections.size, 0);
});

Deno.test("Corrections makes the first at once and lets the pauses grow", () => {
  assert.deepEqual(pauses(written(), 9), [0, 0, 0, 100, 200, 400, 800, 1000, 1000]);
});

Deno.test("Corrections forgives a link that was left alone for long", () => {
  const corrections = written();
  pauses(corrections, 6);
  assert.deepEqual(pauses(corrections, 5, 60_000), [0, 0, 0, 100, 200]);
});

Deno.test("Corrections counts no write that the owner wanted", () => {
  const corrections = written();
  for (let n = 0; n < 50; n++) {
    corrections.begin("A", [], n);
    corrections.wrote("A", ["mtu", String(n)], true);
    corrections.told("A", { ...ROW, mtu: String(n), admin_status: n % 2 === 0 ? "up" : "down" });
  }
  assert.equal(corrections.waitFor("A", 50), 0);
  assert.equal(corrections.waitFor("B", 50), 0);
});

Deno.test("Corrections counts nothing where the other writer gave in by himself", () => {
  const corrections = written();
  for (let n = 0; n < 50; n++) {
    corrections.told("A", ROW);
    corrections.told("A", { ...ROW, mtu: "9100" });
    assert(corrections.agrees("A", { ...ROW, mtu: "9100" }));
    corrections.begin("A", [], n);
  }
  assert.equal(corrections.waitFor("A", 50), 0);
});

Deno.test("Corrections wants nothing any more of a field that was taken away", () => {
  const corrections = written();
  corrections.begin("A", ["mtu"], 0);
  corrections.told("A", ROW);
  corrections.begin("A", [], 0);
  corrections.wrote("A", ["master", ""], false);
  corrections.told("A", { ...ROW, master: "Bridge" });
  assert.deepEqual(pauses(corrections, 4), [0, 0, 0, 0], "the first of these only writes it again");
});
