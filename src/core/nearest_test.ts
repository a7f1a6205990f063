import assert from "node:assert/strict";
import { nearest } from "./nearest.ts";

const words = ["run", "validate", "explain", "state", "status", "record"];

Deno.test("nearest() finds a word with one letter wrong, missing, added or swapped", () => {
  assert.equal(nearest("rnu", words), "run");
  assert.equal(nearest("valdate", words), "validate");
  assert.equal(nearest("explaiin", words), "explain");
  assert.equal(nearest("recard", words), "record");
});

Deno.test("nearest() prefers the closest of several candidates", () => {
  assert.equal(nearest("statu", words), "status");
  assert.equal(nearest("Stat", words), "state");
});

Deno.test("nearest() says nothing for a word that is like none", () => {
  assert.equal(nearest("frobnicate", words), undefined);
  assert.equal(nearest("", words), undefined);
  assert.equal(nearest("x".repeat(100_000), words), undefined);
});
