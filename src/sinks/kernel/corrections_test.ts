import assert from "node:assert/strict";
import { Corrections } from "./corrections.ts";

const ROW = { admin_status: "up", mtu: "9100", master: "" };

/** Tells and corrects as soon as it may, and gives the pauses between. */
function pauses(corrections: Corrections, times: number, from = 0): number[] {
  const found: number[] = [];
  let now = from;
  for (let n = 0; n < times; n++) {
    const wait = corrections.waitFor("A", now);
    found.push(wait);
    now += wait;
    corrections.told("A");
    corrections.begin("A", [], now);
  }
  return found;
}

Deno.test("Corrections knows a link that is as it was written", () => {
  const corrections = new Corrections(1000);
  assert(!corrections.agrees("A", ROW), "nothing is known of it");
  corrections.begin("A", [], 0);
  corrections.wrote("A", ["mtu", "9100"]);
  assert(corrections.agrees("A", ROW));
  assert(!corrections.agrees("A", { ...ROW, mtu: "1500" }));
  corrections.begin("A", ["mtu"], 0);
  assert(corrections.agrees("A", { ...ROW, mtu: "1500" }), "it is nobody's any more");
  assert.equal(corrections.size, 1);
  corrections.forget("A");
  assert.equal(corrections.size, 0);
  corrections.wrote("A", ["mtu", "1"]);
  corrections.told("A");
  assert(!corrections.agrees("A", ROW));
});

Deno.test("Corrections makes the first at once and lets the pauses grow", () => {
  const corrections = new Corrections(1000);
  corrections.begin("A", [], 0);
  assert.deepEqual(pauses(corrections, 9), [0, 0, 0, 100, 200, 400, 800, 1000, 1000]);
});

Deno.test("Corrections forgives a link that was left alone for long", () => {
  const corrections = new Corrections(1000);
  corrections.begin("A", [], 0);
  pauses(corrections, 6);
  assert.deepEqual(
    pauses(corrections, 5, 60_000),
    [0, 0, 0, 100, 200],
  );
});

Deno.test("Corrections counts no write that the owner wanted", () => {
  const corrections = new Corrections(1000);
  for (let n = 0; n < 50; n++) {
    corrections.begin("A", [], n);
    corrections.wrote("A", ["mtu", String(n)]);
    corrections.told("A");
    corrections.agrees("A", { mtu: String(n) });
  }
  assert.equal(corrections.waitFor("A", 50), 0);
  assert.equal(corrections.waitFor("B", 50), 0);
});
