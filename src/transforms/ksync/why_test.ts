import assert from "node:assert/strict";
import { Lab, type LabOptions } from "../../../tests/support/ksync_lab.ts";
import { explain, waitsForSink, why } from "./why.ts";

/** A lab whose sink only answers when the test says so. */
function labY(options: LabOptions = {}): Lab {
  return new Lab({ atOnce: [], resolveOn: "acked", ...options });
}

/** Why a key is as it is, half a second after what the test did. */
function whyOf(lab: Lab, key: string): string {
  lab.engine.now += 500;
  const line = why(lab.engine, lab.entry(key));
  const namesSink = /is outstanding|for a free slot|for the sink/.test(line);
  assert.equal(waitsForSink(lab.entry(key)), namesSink, line);
  return line;
}

Deno.test("Why an entry is as it is fits on one line, in every state", () => {
  const lab = labY();
  lab.set("X");
  assert.equal(whyOf(lab, "X"), "SYNC_WAIT 500 ms: a write is outstanding for 500 ms");
  lab.set("X");
  assert.equal(
    whyOf(lab, "X"),
    "NEED_SYNC 500 ms: a write is outstanding for 1.0 s, a newer value follows",
  );
  lab.delete("X");
  assert.match(whyOf(lab, "X"), /^DEL_DEFER_SYNC .* outstanding for 1\.5 s, a delete follows$/);
  lab.ack("X");
  assert.equal(whyOf(lab, "X"), "DEL_ACK_WAIT 500 ms: a delete is outstanding for 500 ms");
  lab.set("X");
  assert.match(whyOf(lab, "X"), /^RENEW_WAIT .* outstanding for 1\.0 s, then it is added again$/);
  lab.ack("X");
  lab.ack("X");
  assert.equal(whyOf(lab, "X"), "IN_SYNC 500 ms: the sink holds what is desired");
  lab.set("Q", "X");
  lab.ack("Q");
  lab.delete("X");
  assert.equal(whyOf(lab, "X"), "DEL_DEFER_REF 500 ms: its delete waits for T|Q");
  lab.hold("held");
  assert.equal(whyOf(lab, "held"), "TEMP 500 ms: nobody owns it, others refer to it");
  lab.set("held");
  lab.ack("held");
  lab.delete("held");
  assert.match(whyOf(lab, "held"), /its delete waits for a reference from outside$/);
  lab.engine.adopt(lab.table, "found", { value: "1" });
  assert.match(
    whyOf(lab, "found"),
    /^IN_SYNC .* found in the sink, and no source has named it yet$/,
  );
});

Deno.test("Why a delete of a delete waits is told as well", () => {
  const lab = labY({ table: { compressDeletes: false } });
  lab.set("X");
  lab.ack("X");
  lab.delete("X");
  lab.set("X");
  lab.delete("X");
  assert.match(whyOf(lab, "X"), /^DEL_DEFER_DEL_ACK .* a delete follows$/);
});

Deno.test("Why an entry is held back is told with the time that is left", () => {
  const failing = labY();
  failing.set("X");
  failing.answer("X", { kind: "transient", error: new Error("busy") });
  assert.equal(
    why(failing.engine, failing.entry("X")),
    "BACKOFF 0 ms: attempt 2 of a write in 100 ms, after: busy",
  );
  failing.delete("X");
  failing.answer("X", { kind: "permanent", error: new Error("wrong type") });
  assert.match(whyOf(failing, "X"), /^FAILED .* set aside: wrong type$/);

  const window = labY({ maxInFlight: 1 });
  window.set("a");
  window.set("b");
  assert.match(whyOf(window, "b"), /a write waits for a free slot, 1 requests are outstanding$/);

  const quiet = labY({ coalesceMs: 2000 });
  quiet.set("X");
  assert.match(whyOf(quiet, "X"), /a write waits 1\.5 s for further changes$/);

  const damping = {
    penalty: 2,
    suppressAbove: 1,
    reuseBelow: 1,
    halfLifeMs: 1000,
    maxSuppressMs: 9000,
  };
  const damped = labY({ damping });
  damped.set("X");
  assert.match(whyOf(damped, "X"), /it changes too often; a write waits 500 ms$/);

  const away = labY();
  away.set("X", "", "1");
  away.ack("X");
  away.engine.sinkLost(away.table);
  away.delete("X");
  assert.match(whyOf(away, "X"), /a delete waits for the sink to be back and read$/);
  assert.deepEqual(explain(away.engine, away.entry("X")).slice(1, 3), [
    "desired: no row",
    "believed: value=1 needs=, as last known",
  ]);
});

Deno.test("The whole chain of what an entry waits for is told, to a bound, and circles once", () => {
  const lab = labY();
  lab.set("c", "b");
  lab.set("b", "a");
  assert.match(
    whyOf(lab, "c"),
    /^ADD_DEFER .* waits for T\|b \(ADD_DEFER\), which waits for T\|a \(TEMP, no owner\)$/,
  );
  lab.set("a", "c");
  assert.match(whyOf(lab, "c"), /which waits for T\|c \(ADD_DEFER\): a circle$/);
  for (let n = 20; n > 0; n--) lab.set(`e${n}`, `e${n - 1}`);
  assert.equal(whyOf(lab, "e20").split("waits for").length - 1, 8);
});

Deno.test("Everything that is known of an entry can be told", () => {
  const lab = labY({ table: { index: { allocate: "engine", max: 99 } } });
  lab.set("M");
  for (let n = 0; n < 10; n++) lab.set(`w${n}`, "M");
  lab.answer("M", { kind: "transient", error: new Error("busy") });
  lab.pass(20);
  assert.deepEqual(explain(lab.engine, lab.entry("M")), [
    "T|M BACKOFF 20 ms: attempt 2 of a write in 80 ms, after: busy",
    "desired: value=1 needs=",
    "believed: unknown",
    "index: 0",
    "waited for by: T|w0, T|w1, T|w2, T|w3, T|w4, T|w5, T|w6, T|w7 and 2 more",
    "referred to by: T|w0, T|w1, T|w2, T|w3, T|w4, T|w5, T|w6, T|w7 and 2 more",
    "last error: busy (failed attempts: 1)",
    "20 ms ago: INIT → SYNC_WAIT by ADD_CHANGE_REQ",
    "20 ms ago: SYNC_WAIT → BACKOFF (retry) by NACK_TRANSIENT",
  ]);
  const bare = labY();
  bare.engine.set(bare.table, "X", {});
  assert.deepEqual(explain(bare.engine, bare.entry("X")), [
    "T|X SYNC_WAIT 0 ms: a write is outstanding for 0 ms",
    "desired: no fields",
    "believed: no row",
    "0 ms ago: INIT → SYNC_WAIT by ADD_CHANGE_REQ",
  ]);
});
