import assert from "node:assert/strict";
import { RejectError, RetryLaterError, StopError } from "../../core/errors.ts";
import type { Operation, Outcome } from "../../core/stage.ts";
import { nativeError } from "../../../ffi/errors.ts";
import type { LinkComplaint, LinkWish } from "../../../ffi/linkset.ts";
import { linkRecords } from "../../../tests/support/link_records.ts";
import { RecordedTelemetry } from "../../../tests/support/telemetry.ts";
import { Corrections } from "./corrections.ts";
import { LinkWriter, type Setter } from "./link_writer.ts";
import { Links } from "./links.ts";

const EPERM = 1;
const EBUSY = 16;
const EINVAL = 22;

/** A kernel that answers as it is told, and everything that it was asked. */
class ScriptedSetter implements Setter {
  readonly asked: string[] = [];
  /** The errno for a request, or the error that the whole call ends with. */
  answer: (wish: LinkWish) => number | Error | undefined = () => undefined;

  apply(wishes: readonly LinkWish[]): Promise<(LinkComplaint | undefined)[]> {
    const answers = wishes.map((wish) => {
      this.asked.push(JSON.stringify(wish));
      return this.answer(wish);
    });
    const thrown = answers.find((answer) => answer instanceof Error);
    if (thrown !== undefined) return Promise.reject(thrown);
    return Promise.resolve(
      answers.map((answer) =>
        typeof answer === "number" ? nativeError(answer, "change a link") : undefined
      ),
    );
  }
}

class Scene {
  readonly setter = new ScriptedSetter();
  readonly links = new Links();
  readonly corrections = new Corrections(1000);
  readonly telemetry = new RecordedTelemetry();
  readonly writer = new LinkWriter(this.corrections, this.telemetry);

  constructor() {
    this.appears("Ethernet0", 1);
    this.appears("Ethernet4", 2);
    this.appears("Bridge", 9);
  }

  appears(name: string, ifindex: number): void {
    this.links.apply(linkRecords({ name, ifindex }), 0, new Map());
  }

  write(...operations: readonly Operation[]): Promise<Outcome[]> {
    return this.writer.write(operations, this);
  }

  async set(key: string, fields: Record<string, string>): Promise<Error | undefined> {
    const [outcome = assert.fail()] = await this.write(
      { op: "set", table: "PORT", key, fields, removed: [] },
    );
    assert(!this.writer.isWriting(key));
    return outcome.ok ? undefined : outcome.error;
  }
}

Deno.test("LinkWriter doubts the index of a master once, and then believes the kernel", async () => {
  const scene = new Scene();
  scene.setter.answer = ({ master }) => master === undefined ? undefined : EINVAL;
  const first = await scene.set("Ethernet0", { master: "Bridge", mtu: "1400" });
  assert(first instanceof RetryLaterError);
  assert.match(first.message, /no link with the index 9 any more/);
  assert((await scene.set("Ethernet0", { master: "Bridge" })) instanceof RejectError);
  scene.appears("Bridge", 12);
  assert((await scene.set("Ethernet0", { master: "Bridge" })) instanceof RetryLaterError);
  scene.setter.answer = () => undefined;
  assert.equal(await scene.set("Ethernet0", { master: "Bridge" }), undefined);
  scene.setter.answer = () => EINVAL;
  assert((await scene.set("Ethernet0", { master: "Bridge" })) instanceof RetryLaterError);
  assert((await scene.set("Ethernet0", { master: "" })) instanceof RejectError, "that is no index");
});

Deno.test("LinkWriter takes one driver's EPERM for a refusal, and the kernel's for the end", async () => {
  const scene = new Scene();
  const probe = ({ link }: LinkWish) => link === 0x7fff_ffff;
  scene.setter.answer = (wish) => probe(wish) ? 19 : wish.link === "Ethernet0" ? EPERM : undefined;
  const outcomes = await scene.write(
    { op: "set", table: "PORT", key: "Ethernet0", fields: { mtu: "1" }, removed: [] },
    { op: "set", table: "PORT", key: "Ethernet4", fields: { mtu: "1" }, removed: [] },
  );
  assert.deepEqual(outcomes.map(({ ok }) => ok), [false, true]);
  assert(!outcomes[0]?.ok && outcomes[0]?.error instanceof RejectError);
  scene.setter.answer = () => EPERM;
  const error = await scene.set("Ethernet0", { mtu: "1" });
  assert(error instanceof StopError);
  assert.match(error.message, /CAP_NET_ADMIN/);
  await assert.rejects(scene.writer.probe(scene.setter), StopError);
});

Deno.test("LinkWriter gives every row of a call that failed as a whole its error", async () => {
  const scene = new Scene();
  scene.setter.answer = () => nativeError(105, "change links");
  assert((await scene.set("Ethernet0", { mtu: "1" })) instanceof RetryLaterError);
  scene.setter.answer = () => new TypeError("a fault");
  const error = await scene.set("Ethernet0", { mtu: "1" });
  assert(error instanceof StopError);
  assert.match(error.message, /TypeError: a fault/);
});

Deno.test("LinkWriter asks nothing for a delete or for fields of others", async () => {
  const scene = new Scene();
  assert.equal(await scene.set("Ethernet0", { alias: "x" }), undefined);
  assert.deepEqual(await scene.write({ op: "delete", table: "PORT", key: "Ethernet0" }), [
    { ok: true },
  ]);
  assert.deepEqual(scene.setter.asked, []);
  assert.equal(scene.corrections.size, 0);
});

Deno.test("LinkWriter knows who waits for a master, until the row wants another or goes", async () => {
  const scene = new Scene();
  for (const key of ["Ethernet0", "Ethernet4"]) await scene.set(key, { master: "Late" });
  assert.equal(scene.telemetry.gauges.get("kernel_awaiting_master")?.(), 2);
  await scene.set("Ethernet0", { master: "Bridge" });
  assert.deepEqual([...scene.writer.takeAwaiting("Late")], ["Ethernet4"]);
  await scene.set("Ethernet4", { master: "Late" });
  await scene.write({ op: "delete", table: "PORT", key: "Ethernet4" });
  assert.deepEqual([...scene.writer.takeAwaiting("Late")], []);
  for (let n = 0; n < 100; n++) await scene.set(`Never${n}`, { master: `Never${n}x`, mtu: "1" });
  assert.deepEqual([
    scene.corrections.size,
    scene.telemetry.gauges.get("kernel_awaiting_master")?.(),
  ], [
    1,
    0,
  ]);
});

Deno.test("LinkWriter says that it waits, at a bounded rate, and leaves refusals to others", async () => {
  const scene = new Scene();
  for (const key of ["Nowhere", "Nowhere2"]) {
    scene.setter.answer = () => 19;
    await scene.set(key, { mtu: "1" });
  }
  scene.setter.answer = () => EBUSY;
  await scene.set("Ethernet0", { mtu: "1" });
  scene.setter.answer = () => EINVAL;
  await scene.set("Ethernet0", { mtu: "1" });
  assert.deepEqual(scene.telemetry.lines.map(({ level, message }) => `${level} ${message}`), [
    "info There is no link Nowhere yet; it is set up as soon as it appears",
    "warn Ethernet0 could not get mtu 1 now: somebody else uses it (EBUSY)",
  ]);
  assert.equal(scene.telemetry.counter("kernel_failures_total").value, 4);
});
