import assert from "node:assert/strict";
import { DumpSchedule } from "./dump_schedule.ts";

Deno.test("DumpSchedule asks for nothing by itself and for the first dump at once", () => {
  const schedule = new DumpSchedule();
  assert.equal(schedule.dueIn(0), undefined);
  schedule.want(5);
  assert.equal(schedule.dueIn(5), 0);
  schedule.want(6);
  schedule.begun();
  assert.equal(schedule.dueIn(6), undefined);
  assert(schedule.running);
  schedule.ended(7, true);
  assert(!schedule.running);
  assert.equal(schedule.dueIn(7), undefined);
});

Deno.test("DumpSchedule waits longer after each dump that did not help, up to a second", () => {
  const schedule = new DumpSchedule();
  const pauses: number[] = [];
  let now = 0;
  schedule.want(now);
  for (let round = 0; round < 10; round++) {
    now += schedule.dueIn(now) ?? NaN;
    schedule.begun();
    schedule.ended(now, false);
    pauses.push(schedule.dueIn(now) ?? NaN);
  }
  assert.deepEqual(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
});

Deno.test("DumpSchedule is quick again after a calm time", () => {
  const schedule = new DumpSchedule();
  schedule.want(0);
  schedule.begun();
  schedule.ended(0, false);
  schedule.begun();
  schedule.ended(100, true);
  schedule.want(101);
  assert.equal(schedule.dueIn(101), 19);
  schedule.begun();
  schedule.ended(130, true);
  schedule.want(6000);
  assert.equal(schedule.dueIn(6000), 0);
  schedule.begun();
  schedule.ended(6001, false);
  assert.equal(schedule.dueIn(6001), 10);
});

Deno.test("DumpSchedule dumps once more when a dump was wanted during one", () => {
  const schedule = new DumpSchedule();
  schedule.want(0);
  schedule.begun();
  schedule.want(1);
  schedule.want(2);
  schedule.ended(50, true);
  assert.equal(schedule.dueIn(50), 10);
  schedule.begun();
  schedule.ended(70, true);
  assert.equal(schedule.dueIn(70), undefined);
});
