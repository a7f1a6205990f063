import assert from "node:assert/strict";
import { Awaiting } from "./awaiting.ts";

Deno.test("Awaiting knows who waits for a master, in their order, and tells it once", () => {
  const awaiting = new Awaiting();
  awaiting.set("a", "M");
  awaiting.set("b", "M");
  awaiting.set("a", "M");
  assert.equal(awaiting.size, 2);
  assert.deepEqual(awaiting.take("M"), ["a", "b"]);
  assert.deepEqual(awaiting.take("M"), []);
  assert.equal(awaiting.size, 0);
});

Deno.test("Awaiting has each link wait for one master at most", () => {
  const awaiting = new Awaiting();
  for (let n = 0; n < 1000; n++) awaiting.set("a", `M${n}`);
  assert.equal(awaiting.size, 1);
  assert.deepEqual(awaiting.take("M0"), []);
  awaiting.set("b", "M999");
  awaiting.set("a", undefined);
  awaiting.set("c", undefined);
  assert.deepEqual(awaiting.take("M999"), ["b"]);
  awaiting.set("a", "M");
  awaiting.clear();
  assert.deepEqual([awaiting.size, awaiting.take("M")], [0, []]);
});
