import assert from "node:assert/strict";
import { shaper } from "./shape.ts";

const ROW = { alias: "eth0", "adv_speeds@": "40000,100000", mtu: "9100" };

Deno.test("shaper() cuts the @ behind the names of lists and leaves their values joined", () => {
  assert.deepEqual(shaper({ asStored: false })(ROW), {
    alias: "eth0",
    adv_speeds: "40000,100000",
    mtu: "9100",
  });
});

Deno.test("shaper() takes a row of NULL for a row without fields", () => {
  assert.deepEqual(shaper({ asStored: false })({ NULL: "NULL" }), {});
  assert.deepEqual(shaper({ asStored: false })({ NULL: "NULL", mtu: "1" }), { mtu: "1" });
  assert.deepEqual(shaper({ asStored: false })({ NULL: "1" }), { NULL: "1" });
});

Deno.test("shaper() takes only the fields that are asked for, by the names that it gives", () => {
  const shape = shaper({ fields: ["adv_speeds", "mtu", "fec"], asStored: false });
  assert.deepEqual(shape(ROW), { adv_speeds: "40000,100000", mtu: "9100" });
});

Deno.test("shaper() gives a row as it is stored where that is wanted", () => {
  const shape = shaper({ asStored: true });
  assert.deepEqual(shape(ROW), ROW);
  assert.deepEqual(shape({ NULL: "NULL" }), { NULL: "NULL" });
  assert.deepEqual(shaper({ fields: ["adv_speeds@"], asStored: true })(ROW), {
    "adv_speeds@": "40000,100000",
  });
});

Deno.test("shaper() prefers a plain field to a list of its name, whatever their order", () => {
  const shape = shaper({ asStored: false });
  assert.deepEqual(shape({ "a@": "1,2", a: "3" }), { a: "3" });
  assert.deepEqual(shape({ a: "3", "a@": "1,2" }), { a: "3" });
});

Deno.test("shaper() keeps fields of any name", () => {
  const stored = JSON.parse('{"__proto__":"1","@":"2","constructor":"3","x@y":"4"}');
  assert.deepEqual(Object.entries(shaper({ asStored: false })(stored)), [
    ["__proto__", "1"],
    ["@", "2"],
    ["constructor", "3"],
    ["x", "4"],
  ]);
});
