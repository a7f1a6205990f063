import assert from "node:assert/strict";
import { BATCH_RECORDS } from "../../../ffi/netlink.ts";
import { Intake } from "./intake.ts";

/** A socket that gives what a test says, and tells how it was asked. */
class FakeSocket {
  readonly asked: string[] = [];
  readonly counts: number[];

  constructor(...counts: readonly number[]) {
    this.counts = [...counts];
  }

  poll(): number {
    this.asked.push("poll");
    return this.counts.shift() ?? 0;
  }

  wait({ timeoutMs }: { timeoutMs?: number } = {}): Promise<number> {
    this.asked.push(timeoutMs === undefined ? "wait" : `wait ${timeoutMs}`);
    return Promise.resolve(this.counts.shift() ?? 0);
  }
}

async function asks(intake: Intake, socket: FakeSocket, times: number): Promise<string> {
  for (let left = times; left > 0; left--) await intake.next();
  return socket.asked.splice(0).join(", ");
}

Deno.test("Intake waits for an event and for its echo", async () => {
  const socket = new FakeSocket(1, 1);
  assert.equal(await asks(new Intake(socket, 1), socket, 2), "wait, wait");
});

Deno.test("Intake lets a stream gather, and waits again when none has come", async () => {
  const socket = new FakeSocket(1, 1, 1, 5, 4, 0, 1, 1);
  const intake = new Intake(socket, 1);
  assert.equal(await asks(intake, socket, 3), "wait, wait, wait");
  assert.equal(await asks(intake, socket, 2), "poll, poll");
  assert.equal(await asks(intake, socket, 2), "poll, wait, wait");
});

Deno.test("Intake lets nothing gather where the spec or an urgent caller says so", async () => {
  const straight = new FakeSocket(1, 1, 1, 1, 1);
  assert.equal(
    await asks(new Intake(straight, 0), straight, 5),
    "wait, wait, wait, wait, wait",
  );
  const urgent = new FakeSocket(1, 1, 1, 1, 1);
  const intake = new Intake(urgent, 1);
  for (let left = 5; left > 0; left--) await intake.next({ isUrgent: true, timeoutMs: 7 });
  assert.equal(urgent.asked.join(", "), "wait 7, wait 7, wait 7, wait 7, wait 7");
});

Deno.test("Intake takes a backlog at once, to its end", async () => {
  const socket = new FakeSocket(BATCH_RECORDS, BATCH_RECORDS, 3, 1);
  const intake = new Intake(socket, 1);
  assert.equal(await asks(intake, socket, 4), "wait, poll, poll, wait");
  const exact = new FakeSocket(BATCH_RECORDS, 0, 0);
  assert.equal(await asks(new Intake(exact, 1), exact, 2), "wait, poll, wait");
});

Deno.test("Intake gives 0 after a timeout or a wake", async () => {
  const socket = new FakeSocket(0, 0, 0, 0);
  const intake = new Intake(socket, 1);
  assert.equal(await intake.next({ timeoutMs: 5 }), 0);
  assert.equal(await asks(intake, socket, 3), "wait 5, wait, wait, wait");
});
