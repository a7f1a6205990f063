import assert from "node:assert/strict";
import plugin from "./plugin.ts";

function complaints(source: string, file = "a.ts"): string[] {
  return Deno.lint.runPlugin(plugin, file, source).map(({ id, message }) => `${id}: ${message}`);
}

Deno.test("hash-private refuses the keyword and takes the hash", () => {
  const message = "A private member is written as #name, which also holds at run time";
  assert.deepEqual(complaints("class A { private a = 1; private b() {} }"), [
    `portsync/hash-private: ${message}`,
    `portsync/hash-private: ${message}`,
  ]);
  assert.deepEqual(complaints("class A { #a = 1; #b() {} readonly c = 2; protected d() {} }"), []);
});

Deno.test("error-message refuses contractions, in strings, templates and sums of them", () => {
  const message = "portsync/error-message: An error message has no contractions";
  assert.deepEqual(complaints(`new TypeError("It doesn't fit")`), [message]);
  assert.deepEqual(complaints("new StopError(`${file} can't be read`)"), [message]);
  assert.deepEqual(complaints(`new Error("Port " + name + " isn't there")`), [message]);
  assert.deepEqual(complaints(`new Error("The port's row is gone"); say("It doesn't fit");`), []);
});

Deno.test("error-message refuses a full stop at the end, but not an ellipsis or a value", () => {
  const message = "portsync/error-message: An error message ends without a full stop";
  assert.deepEqual(complaints(`new Error("Redis is away.")`), [message]);
  assert.deepEqual(complaints(`new Error("Redis is away. Start it")`), []);
  assert.deepEqual(complaints(`new Error("Waiting..."); new Error("Not in " + file)`), []);
});

Deno.test("function-length counts lines of functions, methods and arrows, and leaves tests alone", () => {
  const body = (lines: number) => `{\n${"  x();\n".repeat(lines - 2)}}`;
  assert.deepEqual(complaints(`function f() ${body(60)}`), []);
  const message = "portsync/function-length: A function of 61 lines; 60 are enough";
  assert.deepEqual(complaints(`function f() ${body(61)}`), [message]);
  assert.deepEqual(complaints(`const f = () => ${body(61)};`), [message]);
  assert.deepEqual(complaints(`class A { f() ${body(61)} }`), [message]);
  assert.deepEqual(complaints(`function f() ${body(61)}`, "a_test.ts"), []);
});
