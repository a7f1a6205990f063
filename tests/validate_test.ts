/** The validate transform before a real database of ports. */
import assert from "node:assert/strict";
import { APPLIED, type Batch, type Change, type Receipt } from "../src/core/change.ts";
import { RejectError } from "../src/core/errors.ts";
import { isInspectable } from "../src/core/introspection.ts";
import type { Stage } from "../src/core/stage.ts";
import createValidate from "../src/transforms/validate/transform.ts";
import { makeContext, type RecordedContext } from "./support/context.ts";
import { type RedisOptions, type RedisServer, startRedis } from "./support/redis.ts";

const { signal } = new AbortController();

function set(key: string, mtu = "9100"): Change {
  return { op: "set", table: "PORT_TABLE", key, fields: { state: "ok", mtu }, time: 0 };
}

function del(key: string): Change {
  return { op: "delete", table: "PORT_TABLE", key, fields: {}, time: 0 };
}

/** A next stage that keeps what it is given. */
class Recorder implements Stage {
  readonly batches: Batch[] = [];
  #waiting: (() => void)[] = [];

  handle(batch: Batch): Promise<Receipt[]> {
    this.batches.push(batch);
    for (const wake of this.#waiting.splice(0)) wake();
    return Promise.resolve(batch.changes.map(() => APPLIED));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Everything so far in one line: `set a`, `delete b`, `[dump-end]`. */
  get story(): string[] {
    return this.batches.flatMap(({ changes, mark }) => {
      const words = changes.map(({ op, key, fields }) =>
        `${op} ${key} ${fields["mtu"] ?? ""}`.trim()
      );
      if (mark === undefined) return words;
      return mark === "dump-end" ? [...words, `[${mark}]`] : [`[${mark}]`, ...words];
    });
  }

  async until(line: string): Promise<void> {
    while (!this.story.includes(line)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

interface Scene extends AsyncDisposable {
  readonly stage: Stage;
  readonly next: Recorder;
  readonly context: RecordedContext;
  readonly server: RedisServer;
  knows(port: string): Promise<void>;
  forgets(port: string): Promise<void>;
}

interface SceneOptions extends RedisOptions {
  readonly hold_max?: number;
  readonly ports?: readonly string[];
}

async function scene(options: SceneOptions = {}): Promise<Scene> {
  const { hold_max = 100, ports = [], ...redis } = options;
  const server = await startRedis(redis);
  const knows = async (port: string) => {
    await server.cli("HSET", `PORT_TABLE:${port}`, "lanes", "1");
  };
  for (const port of ports) await knows(port);
  const next = new Recorder();
  const context = makeContext();
  const stage = await createValidate(
    {
      type: "validate",
      interfaces: ["Ethernet*"],
      ports: {
        url: server.url,
        database: 0,
        name: "APPL_DB",
        table: "PORT_TABLE",
        separator: ":",
        poll_ms: 100,
        hold_max,
        connect_timeout_ms: 5000,
        request_timeout_ms: 1000,
      },
    },
    context,
    next,
  );
  return {
    stage,
    next,
    context,
    server,
    knows,
    forgets: async (port) => {
      await server.cli("DEL", `PORT_TABLE:${port}`);
    },
    [Symbol.asyncDispose]: async () => {
      await stage.close(performance.now());
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("without ports, a clean batch is handed on as it is", async () => {
  const next = new Recorder();
  const stage = await createValidate({ type: "validate" }, makeContext(), next);
  const batch: Batch = { changes: [set("Ethernet0"), del("lo")], mark: "dump-begin" };
  assert.deepEqual(await stage.handle(batch, signal), [APPLIED, APPLIED]);
  assert.equal(next.batches[0], batch);
  await stage.close(0);
});

Deno.test("what may not become a row is rejected, counted and said once", async () => {
  const next = new Recorder();
  const context = makeContext();
  const stage = await createValidate(
    { type: "validate", interfaces: ["Ethernet*"] },
    context,
    next,
  );
  const changes = [
    set("eth0"),
    set("Ethernet0"),
    set("Ethernet4", "many"),
    set("Ethernet8", "-1"),
    set("Ethernet|8"),
    del("Ethernet12"),
    del("docker0"),
  ];
  const receipts = await stage.handle({ changes, mark: "lost" }, signal);
  assert.deepEqual(receipts.map(({ outcome }) => outcome), [
    "rejected",
    "applied",
    "rejected",
    "rejected",
    "rejected",
    "applied",
    "rejected",
  ]);
  for (const receipt of receipts) {
    assert.ok(receipt.outcome !== "rejected" || receipt.error instanceof RejectError);
  }
  assert.deepEqual(next.story, ["[lost]", "set Ethernet0 9100", "delete Ethernet12"]);
  const count = (name: string) =>
    context.telemetry.counter(`validate_rejected_${name}_total`).value;
  assert.deepEqual(["interface", "field", "name"].map(count), [2, 2, 1]);
  assert.equal(context.telemetry.messages("warn").length, 2);
  assert.deepEqual(
    await stage.handle({ changes: [set("lo")] }, signal),
    [receipts[0]].map(() => ({
      outcome: "rejected",
      error: new RejectError("lo matches no pattern"),
    })),
  );
  assert.equal(next.batches.length, 1, "an empty batch without a mark goes nowhere");
  await stage.close(0);
});

Deno.test("a port passes when its row appears, with its last state, and marks keep their order", async () => {
  await using it = await scene({ ports: ["Ethernet0"] });
  const { stage, next } = it;
  const first = await stage.handle(
    { changes: [set("Ethernet0"), set("Ethernet4", "1")], mark: "dump-begin" },
    signal,
  );
  assert.deepEqual(first.map(({ outcome }) => outcome), ["deferred", "deferred"]);
  await stage.handle({ changes: [], mark: "dump-end" }, signal);
  await next.until("[dump-end]");
  assert.deepEqual(next.story, ["[dump-begin]", "set Ethernet0 9100", "[dump-end]"]);
  assert.deepEqual(await stage.handle({ changes: [set("Ethernet0", "2")] }, signal), [APPLIED]);
  await stage.handle({ changes: [set("Ethernet4", "2")] }, signal);
  assert.equal(it.context.telemetry.gauges.get("validate_held")?.(), 1);
  await it.knows("Ethernet4");
  await next.until("set Ethernet4 2");
  assert.deepEqual(next.story.slice(3), ["set Ethernet0 2", "set Ethernet4 2"]);
  assert.deepEqual(it.context.telemetry.messages("info").filter((line) => /waits/.test(line)), [
    "Ethernet4 waits until PORT_TABLE of APPL_DB knows it",
  ]);
});

Deno.test("a delete passes without looking, and a row that goes away leaves the port as it is", async () => {
  await using it = await scene({ ports: ["Ethernet0"] });
  const { stage, next } = it;
  await stage.handle({ changes: [del("Ethernet8"), set("Ethernet0", "1")] }, signal);
  await next.until("set Ethernet0 1");
  await it.forgets("Ethernet0");
  await it.context.telemetry.line(/Ethernet0 waits/);
  const receipts = await stage.handle({ changes: [set("Ethernet0", "2")] }, signal);
  assert.equal(receipts[0]?.outcome, "deferred");
  await it.knows("Ethernet0");
  await next.until("set Ethernet0 2");
  await stage.handle({ changes: [del("Ethernet0")] }, signal);
  assert.deepEqual(next.story, [
    "delete Ethernet8",
    "set Ethernet0 1",
    "set Ethernet0 2",
    "delete Ethernet0",
  ]);
});

Deno.test("while Redis is away everything waits, and the dump has not ended", async () => {
  await using it = await scene({ ports: ["Ethernet0"], persist: true });
  const { stage, next, server } = it;
  await server.kill();
  const changes = [set("Ethernet0"), set("Ethernet4")];
  await stage.handle({ changes, mark: "dump-begin" }, signal);
  await stage.handle({ changes: [], mark: "dump-end" }, signal);
  await stage.handle({ changes: [set("Ethernet0", "2")] }, signal);
  assert.deepEqual(next.story, ["[dump-begin]"]);
  await server.restart("withData");
  await next.until("[dump-end]");
  assert.deepEqual(next.story, ["[dump-begin]", "set Ethernet0 2", "[dump-end]"]);
});

Deno.test("after a reconnect the ports are read again", async () => {
  await using it = await scene({ ports: ["Ethernet0"], persist: true });
  const { stage, next, server } = it;
  await stage.handle({ changes: [set("Ethernet0", "1"), set("Ethernet4", "1")] }, signal);
  await next.until("set Ethernet0 1");
  await server.restart("empty");
  await it.knows("Ethernet4");
  await next.until("set Ethernet4 1");
  const [receipt] = await stage.handle({ changes: [set("Ethernet0", "2")] }, signal);
  assert.equal(receipt?.outcome, "deferred", "the new server does not know it");
});

Deno.test("without keyspace notifications the ports are looked for, and that is said", async () => {
  await using it = await scene({ notifyKeyspaceEvents: "" });
  const { stage, next } = it;
  await stage.handle({ changes: [set("Ethernet0", "1")] }, signal);
  const line = await it.context.telemetry.line(/notify-keyspace-events/);
  assert.match(
    line.message,
    /APPL_DB: Redis at unix:.* lacks K \(keyspace events\), h .*every 100 ms/,
  );
  await it.knows("Ethernet0");
  await next.until("set Ethernet0 1");
  await it.server.cli("CONFIG", "SET", "notify-keyspace-events", "AKE");
  await it.context.telemetry.line(/notifications are complete again/);
  assert.equal(it.context.telemetry.messages("warn").length, 1);
});

Deno.test("more ports than may wait are refused, and dumped again once they are known", async () => {
  await using it = await scene({ hold_max: 2, ports: ["Ethernet8"] });
  const { stage, next } = it;
  const changes = [set("Ethernet0"), set("Ethernet4"), set("Ethernet8"), set("Ethernet12")];
  const dump = async () => {
    const receipts = await stage.handle({ changes, mark: "dump-begin" }, signal);
    await stage.handle({ changes: [], mark: "dump-end" }, signal);
    return receipts.map(({ outcome }) => outcome);
  };
  assert.deepEqual(await dump(), ["deferred", "deferred", "rejected", "rejected"]);
  while (it.context.resyncs.count === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(await dump(), ["deferred", "deferred", "applied", "rejected"]);
  await next.until("[dump-end]");
  assert.deepEqual(next.story, [
    "[dump-begin]",
    "[dump-begin]",
    "set Ethernet8 9100",
    "[dump-end]",
  ]);
  assert.equal(it.context.resyncs.count, 1);
  assert.match(it.context.telemetry.messages("warn")[0] ?? "", /hold_max others wait already/);
});

Deno.test("what is held back says why to an operator, and is looked for again when told", async () => {
  await using it = await scene({ ports: ["Ethernet0"] });
  const { stage, next } = it;
  assert.ok(isInspectable(stage));
  await stage.handle({ changes: [{ ...set("Ethernet4", "1"), time: Date.now() - 5000 }] }, signal);
  await it.context.telemetry.line(/Ethernet4 waits/);
  const lines = stage.explainKey("Ethernet4");
  assert.match(
    lines[0] ?? "",
    /^PORT_TABLE\|Ethernet4 is held back for \d+\.\d s: PORT_TABLE of APPL_DB does not know it$/,
  );
  assert.equal(lines[1], "desired: state=ok mtu=1");
  assert.equal(stage.explainKey("PORT_TABLE|Ethernet4").length, 2);
  assert.deepEqual(stage.explainKey("OTHER|Ethernet4"), []);
  assert.deepEqual(stage.explainKey("Ethernet0"), []);
  assert.deepEqual(stage.counts(), { held: 1 });
  assert.equal(stage.retry("Ethernet0"), false);
  // Nothing is told of this write, as of one that Redis forgot to tell.
  await it.server.cli("CONFIG", "SET", "notify-keyspace-events", "");
  await it.knows("Ethernet4");
  assert.equal(stage.retry("Ethernet4"), true);
  await next.until("set Ethernet4 1");
  assert.deepEqual(stage.explainKey("Ethernet4"), []);
  const bare = await createValidate({ type: "validate" }, makeContext(), next);
  assert.ok(isInspectable(bare));
  assert.deepEqual([bare.explainKey("a"), bare.retry("a"), bare.counts()], [[], false, {
    held: 0,
  }]);
  await bare.close(0);
});

Deno.test("while the database is away, what is held back says that too", async () => {
  await using it = await scene();
  assert.ok(isInspectable(it.stage));
  await it.server.kill();
  await it.stage.handle({ changes: [set("Ethernet4", "1")] }, signal);
  assert.match(it.stage.explainKey("Ethernet4")[0] ?? "", /has not said yet whether it knows it$/);
});
