/**
 * What can go wrong with a Redis server: each gives the right class and one clear line, and
 * everything goes on by itself as soon as it can.
 */
import assert from "node:assert/strict";
import { ReconnectError, RetryLaterError, StopError } from "../src/core/errors.ts";
import type { Operation, Outcome, StateSink } from "../src/core/stage.ts";
import { errorOf, makeSink, openedSink, set, sinkSettings } from "./support/disturbed_sink.ts";
import { nextTurn } from "./support/event.ts";
import { LateProxy } from "./support/late_proxy.ts";
import { startRedis } from "./support/redis.ts";

/** Writes without a pause, a few calls at a time, until stopped. */
function load(sink: StateSink): {
  /** Resolves when the first write has succeeded. */
  begun: Promise<void>;
  stop(): Promise<{ applied: number; failed: Set<string> }>;
} {
  const begun = Promise.withResolvers<void>();
  let isRunning = true;
  let applied = 0;
  const failed = new Set<string>();
  const run = async (lane: number) => {
    for (let n = 0; isRunning; n++) {
      const outcomes = await sink.write(
        Array.from({ length: 20 }, (_, k) => set(`Ethernet${lane}_${k}`, { mtu: `${n}` })),
      );
      for (const outcome of outcomes) {
        if (outcome.ok) begun.resolve();
        if (outcome.ok) applied++;
        else failed.add(outcome.error.constructor.name);
      }
      // Away, a write fails at once: others need their turn.
      if (!sink.connection.up) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const lanes = [0, 1, 2, 3].map(run);
  return {
    begun: begun.promise,
    stop: async () => {
      isRunning = false;
      await Promise.all(lanes);
      return { applied, failed };
    },
  };
}

/** Every operation went well; how many fields were new is for other tests. */
function assertDone(outcomes: readonly Outcome[]): void {
  assert.deepEqual(outcomes.map(({ ok }) => ok), outcomes.map(() => true));
  assert.ok(outcomes.length > 0);
}

for (const data of ["empty", "withData"] as const) {
  Deno.test(`a server killed under load and restarted ${data} is found again`, async () => {
    await using server = await startRedis({ persist: true });
    await using it = await openedSink(server.url);
    const [first] = await it.sink.write([set("Ethernet999", { mtu: "1" })]);
    assert.ok(first?.ok);
    const writing = load(it.sink);
    await writing.begun;
    const lost = nextTurn(it.sink.connection, "lost");
    await server.kill();
    await lost;
    const up = nextTurn(it.sink.connection, "up");
    await server.start();
    if (data === "empty") await server.cli("FLUSHALL");
    await up;
    const { applied, failed } = await writing.stop();
    assert.ok(applied > 0);
    assert.deepEqual([...failed], ["ReconnectError"]);
    const keys = await Array.fromAsync(it.sink.scan("PORT_TABLE"), ({ key }) => key);
    assert.equal(keys.includes("Ethernet999"), data === "withData");
    const [again] = await it.sink.write([set("Ethernet0", { mtu: "2" })]);
    assert.ok(again?.ok);
    const lines = it.complaints();
    assert.ok(lines.length <= 3, lines.join("\n"));
    assert.match(lines[0] ?? "", /^STATE_DB: .*closed the connection; trying again until it works/);
  });
}

Deno.test("a stopped server is given up after the deadline, and used again when it goes on", async () => {
  await using server = await startRedis();
  await using it = await openedSink(server.url);
  const writing = load(it.sink);
  await writing.begun;
  const lost = nextTurn(it.sink.connection, "lost");
  server.stop();
  await lost;
  const up = nextTurn(it.sink.connection, "up");
  server.cont();
  await up;
  const { failed } = await writing.stop();
  assert.deepEqual([...failed], ["ReconnectError"]);
  assertDone(await it.sink.write([set("Ethernet0", { mtu: "1" })]));
  assert.match(it.complaints()[0] ?? "", /did not answer within 300 ms/);
});

Deno.test("what an abandoned connection had sent never comes after newer writes", async () => {
  await using server = await startRedis();
  await using proxy = new LateProxy(server.socket);
  await using it = await openedSink(proxy.url);
  proxy.partition();
  const lost = nextTurn(it.sink.connection, "lost");
  const error = errorOf(await it.sink.write([set("Ethernet0", { mtu: "old" })]));
  assert.match(error.message, /did not answer within 300 ms/);
  await lost;
  const up = nextTurn(it.sink.connection, "up");
  proxy.heal();
  await up;
  assertDone(await it.sink.write([set("Ethernet0", { mtu: "new" })]));
  await proxy.deliver();
  assert.deepEqual(await server.row(6, "PORT_TABLE|Ethernet0"), { mtu: "new" });
  const clients = (await server.cli("CLIENT", "LIST")).match(/name=portsync:test/g);
  assert.equal(clients?.length, 1, "the abandoned one was ended");
});

Deno.test("a server that is not there is said once, however often it is tried", async () => {
  const folder = await Deno.makeTempDir({ prefix: "portsync-nobody-" });
  try {
    await using it = await makeSink(`unix://${folder}/redis.sock`);
    it.sink.open();
    assert.ok(errorOf(await it.sink.write([set("a", { b: "c" })])) instanceof ReconnectError);
    await it.context.telemetry.line(/cannot be reached/);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.deepEqual(it.complaints(), [
      `STATE_DB: Redis at unix://${folder}/redis.sock cannot be reached: there is no such socket; ` +
      "trying again until it works",
    ]);
    assert.deepEqual(it.context.failures, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a wrong password is said, and the mended secret is taken up", async () => {
  await using server = await startRedis({ password: "right" });
  const file = `${server.folder}/secret`;
  await Deno.writeTextFile(file, "wrong");
  await using it = await makeSink(server.url, { password: `\${file:${file}}` });
  const up = nextTurn(it.sink.connection, "up");
  it.sink.open();
  const { message } = await it.context.telemetry.line(/WRONGPASS/);
  assert.match(message, /^STATE_DB: Redis at unix:.* does not accept the password of the spec: /);
  assert.doesNotMatch(message, /wrong$|right/);
  await Deno.writeTextFile(file, "right\n");
  await up;
  assert.equal(it.complaints().length, 1);
  assert.deepEqual(it.context.failures, []);
});

Deno.test("a password that the spec does not name is asked for", async () => {
  await using server = await startRedis({ password: "secret" });
  await using it = await makeSink(server.url);
  it.sink.open();
  const { message } = await it.context.telemetry.line(/NOAUTH/);
  assert.match(message, /asks for a password, and the spec names none/);
  const up = nextTurn(it.sink.connection, "up");
  await server.cli("CONFIG", "SET", "requirepass", "");
  await up;
});

Deno.test("a password that the server does not know of is said", async () => {
  await using server = await startRedis();
  const file = `${server.folder}/secret`;
  await Deno.writeTextFile(file, "secret");
  await using it = await makeSink(server.url, { password: `\${file:${file}}` });
  it.sink.open();
  const { message } = await it.context.telemetry.line(/AUTH/);
  assert.match(message, /has no password set, and the spec names one/);
});

Deno.test("a database that the server does not have stops the pipeline", async () => {
  await using server = await startRedis({ databases: 4 });
  await using it = await makeSink(server.url);
  it.sink.open();
  while (it.context.failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const [failure] = it.context.failures;
  assert.ok(failure instanceof StopError);
  assert.match(failure.message, /has no database of that number: ERR DB index is out of range/);
  assert.equal(it.sink.connection.up, false);
});

Deno.test("a secret that cannot be read stops the pipeline", async () => {
  await using server = await startRedis();
  await using it = await makeSink(server.url, { password: "${file:/nowhere/secret}" });
  it.sink.open();
  while (it.context.failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(it.context.failures[0]?.message ?? "", /\/nowhere\/secret cannot be read/);
});

Deno.test("a socket without permission is said, and mended without a restart", async () => {
  await using server = await startRedis({ socketMode: "100" });
  // Root passes every permission bit, unless it gives that power away.
  const drop = Deno.uid() === 0 ? ["setpriv", "--bounding-set", "-dac_override"] : [];
  const probe = new URL("./support/state_db_probe.ts", import.meta.url).pathname;
  const [program = "", ...args] = [
    ...drop,
    Deno.execPath(),
    ...["run", "--quiet", "--allow-all", probe, JSON.stringify(sinkSettings(server.url))],
  ];
  const child = new Deno.Command(program, { args, stdout: "piped", stderr: "piped" }).spawn();
  const output = child.output();
  const [first] = await Promise.all([
    output,
    (async () => {
      await server.cli("PING").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 700));
      await Deno.chmod(server.socket, 0o700);
    })(),
  ]);
  const text = new TextDecoder();
  const lines = text.decode(first.stderr).trim().split("\n");
  assert.deepEqual(lines, [
    `STATE_DB: Redis at ${server.url} cannot be reached: permission denied; this user needs read ` +
    "and write permission on the socket; trying again until it works",
  ]);
  assert.match(text.decode(first.stdout), /"state":"ok"/);
});

Deno.test("a read-only replica is left, said once, and used when it is a primary again", async () => {
  await using primary = await startRedis({ tcp: true });
  await using replica = await startRedis({ replicaOf: primary });
  await using it = await openedSink(replica.url);
  const lost = nextTurn(it.sink.connection, "lost");
  const error = errorOf(await it.sink.write([set("Ethernet0", { mtu: "1" })]));
  assert.ok(error instanceof ReconnectError);
  assert.match(error.message, /is a read-only replica: READONLY/);
  await lost;
  // It is tried again and again, each time a little later, without another line.
  for (let attempt = 0; attempt < 3; attempt++) {
    if (!it.sink.connection.up) await nextTurn(it.sink.connection, "up");
    const again = nextTurn(it.sink.connection, "lost");
    assert.ok(
      errorOf(await it.sink.write([set("Ethernet0", { mtu: "1" })])) instanceof ReconnectError,
    );
    await again;
  }
  const up = nextTurn(it.sink.connection, "up");
  await replica.cli("REPLICAOF", "NO", "ONE");
  await up;
  assertDone(await it.sink.write([set("Ethernet0", { mtu: "2" })]));
  const lines = it.complaints();
  assert.equal(lines.length, 2, lines.join("\n"));
  for (const line of lines) assert.match(line, /read-only replica/);
});

Deno.test("a server out of memory is retried later, and said once", async () => {
  await using server = await startRedis({ maxmemory: "1mb" });
  await using it = await openedSink(server.url);
  for (let n = 0; n < 20; n++) {
    const error = errorOf(await it.sink.write([set("Ethernet0", { mtu: "1" })]));
    assert.ok(error instanceof RetryLaterError);
  }
  assert.equal(it.sink.connection.up, true, "the connection is kept");
  const both: Operation = {
    op: "set",
    table: "PORT_TABLE",
    key: "Ethernet0",
    fields: { mtu: "1" },
    removed: ["x"],
  };
  assert.ok(errorOf(await it.sink.write([both])) instanceof RetryLaterError, "also in MULTI");
  const lines = it.complaints();
  assert.equal(lines.length, 1, lines.join("\n"));
  assert.match(
    lines[0] ?? "",
    /^STATE_DB: PORT_TABLE\|Ethernet0 was not written, it is tried again: Redis at .* is out of memory and takes no writes: OOM/,
  );
  await server.cli("CONFIG", "SET", "maxmemory", "0");
  assertDone(await it.sink.write([both]));
});

Deno.test("a user without permission for a command is told so, and retried later", async () => {
  await using server = await startRedis({
    users: ["reader on >secret ~* &* +@read +@connection +info -hset"],
  });
  const file = `${server.folder}/secret`;
  await Deno.writeTextFile(file, "secret");
  const more = { username: "reader", password: `\${file:${file}}` };
  await using it = await openedSink(server.url, more);
  const error = errorOf(await it.sink.write([set("Ethernet0", { mtu: "1" })]));
  assert.ok(error instanceof RetryLaterError);
  assert.match(error.message, /does not permit this user the command: NOPERM/);
  await server.cli("ACL", "SETUSER", "reader", "+hset");
  assertDone(await it.sink.write([set("Ethernet0", { mtu: "1" })]));
});

Deno.test("a server with too many clients is tried again", async () => {
  await using server = await startRedis({ config: { maxclients: "1" } });
  const first = await openedSink(server.url);
  await using second = await makeSink(server.url);
  const up = nextTurn(second.sink.connection, "up");
  second.sink.open();
  const { message } = await second.context.telemetry.line(/too many clients|closed the connection/);
  assert.match(message, /trying again until it works/);
  await first.sink.close();
  await up;
});
