import assert from "node:assert/strict";
import { Lab } from "../../../tests/support/ksync_lab.ts";

/** Answers only when the test says so. */
const Y = { atOnce: [] };

Deno.test("K01: indexes are handed out lowest first and given back", () => {
  const lab = new Lab({ table: { index: { allocate: "engine", max: 64 } } });
  lab.set("P");
  lab.set("P");
  lab.set("Q");
  lab.set("Q");
  lab.delete("P");
  lab.set("R");
  assert.equal(lab.entry("R").index, 0);
  lab.set("R");
  lab.set("T");
  assert.equal(lab.entry("T").index, 2);
  lab.delete("T", "Q", "R");
  lab.counts(4, 3, 4);
  assert.equal(lab.table.size, 0);
});

Deno.test("K02: a life is add, change and delete, each acknowledged", () => {
  const lab = new Lab(Y);
  lab.set("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.set("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.ack("X");
  assert.equal(lab.state("X"), "gone");
  lab.counts(1, 1, 1, 1);
});

Deno.test("K03: a change while one is outstanding follows the answer", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.set("X");
  assert.equal(lab.state("X"), "NEED_SYNC");
  lab.counts(1, 0, 0);
  lab.ack("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.counts(1, 1, 0);
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.set("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.counts(1, 2, 0);
  lab.set("X");
  assert.equal(lab.state("X"), "NEED_SYNC");
  lab.ack("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.counts(1, 3, 0);
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(1, 3, 0);
});

Deno.test("K04: a thousand changes while one is outstanding are one write", () => {
  const lab = new Lab(Y);
  lab.set("X");
  for (let n = 0; n < 1000; n++) {
    lab.set("X");
    assert.equal(lab.state("X"), "NEED_SYNC");
  }
  lab.counts(1, 0, 0);
  lab.ack("X");
  lab.counts(1, 1, 0);
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(1, 1, 0);
});

Deno.test("K05: a delete waits for the add that is outstanding", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_SYNC");
  lab.counts(1, 0, 0);
  lab.ack("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.counts(1, 0, 1);
  lab.ack("X");
  assert.equal(lab.state("X"), "gone");
  lab.counts(1, 0, 1, 1);
});

Deno.test("K06: deleted and made again before the answer is one change, or none if equal", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_SYNC");
  lab.set("X");
  assert.equal(lab.state("X"), "NEED_SYNC");
  lab.ack("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(1, 1, 0);

  const equal = new Lab(Y);
  equal.set("X", "", "same");
  equal.delete("X");
  equal.set("X", "", "same");
  equal.ack("X");
  assert.equal(equal.state("X"), "IN_SYNC");
  equal.counts(1, 0, 0);
});

Deno.test("K07: made again while its delete is outstanding, it is added after the answer", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.ack("X");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.set("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.ack("X");
  assert.equal(lab.state("X"), "SYNC_WAIT");
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(2, 0, 1);
});

Deno.test("K08: made and deleted again while its delete is outstanding costs nothing", () => {
  const lab = new Lab(Y);
  lab.set("X");
  lab.ack("X");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.set("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.ack("X");
  assert.equal(lab.state("X"), "gone");
  lab.counts(1, 0, 1, 1);
});

Deno.test("K09: without compression the second delete is sent as well", () => {
  const lab = new Lab({ ...Y, table: { compressDeletes: false } });
  lab.set("X");
  lab.ack("X");
  lab.delete("X");
  lab.set("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_DEL_ACK");
  lab.ack("X");
  assert.equal(lab.state("X"), "DEL_ACK_WAIT");
  lab.counts(1, 0, 2, 0);
  lab.ack("X");
  assert.equal(lab.state("X"), "gone");
  lab.counts(1, 0, 2, 1);
});

Deno.test("K10: without compression a delete that was taken back is not sent", () => {
  const lab = new Lab({ ...Y, table: { compressDeletes: false } });
  lab.set("X");
  lab.ack("X");
  lab.delete("X");
  lab.set("X");
  lab.delete("X");
  assert.equal(lab.state("X"), "DEL_DEFER_DEL_ACK");
  lab.set("X");
  assert.equal(lab.state("X"), "RENEW_WAIT");
  lab.ack("X");
  lab.ack("X");
  assert.equal(lab.state("X"), "IN_SYNC");
  lab.counts(2, 0, 1);
});

Deno.test("K11: creating a key that exists is a change and takes no index", () => {
  const lab = new Lab({ table: { index: { allocate: "engine", max: 64 } } });
  lab.set("X");
  const before = lab.entry("X");
  lab.set("X");
  assert.equal(lab.entry("X"), before);
  lab.counts(1, 1, 0);
  lab.set("W");
  assert.equal(lab.entry("W").index, 1);
});
