/** Servers that say what no Redis would, or what a real one cannot be made to say on request. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ReconnectError, RetryLaterError } from "../src/core/errors.ts";
import { parseAddress } from "../src/redis/address.ts";
import { RedisClient } from "../src/redis/client.ts";
import type { LinkOptions } from "../src/redis/link.ts";
import { MAX_OUTSTANDING } from "../src/redis/session.ts";
import { RedisSubscriber } from "../src/redis/subscriber.ts";
import { scanRows } from "../src/sonic/scan.ts";
import { nextTurn } from "./support/event.ts";
import { startRedis } from "./support/redis.ts";
import { type Answer, LOGIN, ScriptedServer } from "./support/scripted_server.ts";
import { RecordedTelemetry } from "./support/telemetry.ts";

interface Scene extends AsyncDisposable {
  readonly client: RedisClient;
  readonly server: ScriptedServer;
  readonly telemetry: RecordedTelemetry;
}

function optionsFor(url: string, telemetry: RecordedTelemetry): LinkOptions {
  return {
    address: parseAddress(url),
    database: 6,
    purpose: "STATE_DB",
    connectTimeoutMs: 500,
    requestTimeoutMs: 150,
    backoff: { initialMs: 5, maxMs: 20, factor: 2, jitter: 0 },
    log: telemetry.log,
  };
}

/** Logins and the end of an abandoned connection are answered as a server would by default. */
function scene(answer: Answer, more: Partial<LinkOptions> = {}): Scene {
  const telemetry = new RecordedTelemetry();
  const server = new ScriptedServer((text, connection) =>
    answer(text, connection) ?? (isLogin(text) ? LOGIN : text.includes("KILL") ? ":1\r\n" : "")
  );
  const client = new RedisClient({ ...optionsFor(server.url, telemetry), ...more });
  return {
    client,
    server,
    telemetry,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function isLogin(text: string): boolean {
  return text.includes("SELECT");
}

Deno.test("garbage ends the connection with a ReconnectError, and another one is made", async () => {
  await using it = scene((text) => text.includes("GET") ? "HTTP/1.1 400 Bad\r\n\r\n" : undefined);
  it.client.open();
  await it.client.ready();
  const up = nextTurn(it.client, "up");
  await assert.rejects(it.client.command("GET", "a"), (error) => {
    assert.ok(error instanceof ReconnectError);
    assert.match(
      error.message,
      /unix:.*: An answer cannot be read: a reply begins with an unknown type/,
    );
    return true;
  });
  await up;
  assert.equal(it.server.connections, 2);
  assert.equal(it.telemetry.messages("warn").length, 1);
});

Deno.test("an answer that nobody asked for ends the connection", async () => {
  await using it = scene((text) => text.includes("GET") ? "+a\r\n+b\r\n" : undefined);
  it.client.open();
  await it.client.ready();
  const lost = nextTurn(it.client, "lost");
  assert.equal(await it.client.command("GET", "a"), "a");
  await lost;
  assert.match(it.telemetry.messages("warn")[0] ?? "", /answered what nobody asked/);
});

Deno.test("any bytes for an answer are replies or a ReconnectError, and nothing hangs", async () => {
  const noise = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((raw) => String.fromCharCode(...raw)),
    fc.array(fc.constantFrom("*2\r\n", "$3\r\n", ":1\r\n", "abc\r\n", "-E\r\n", "$-1\r\n", "x"), {
      minLength: 1,
    }).map((parts) => parts.join("")),
  );
  let answer = "";
  await using it = scene((text) => text.includes("GET") ? answer : undefined);
  it.client.open();
  await fc.assert(
    fc.asyncProperty(noise, async (bytes) => {
      answer = bytes;
      await it.client.ready();
      const results = await Promise.allSettled([
        it.client.pipeline((writer) => {
          writer.command("GET", "a");
          writer.command("GET", "b");
        }),
      ]);
      for (const result of results) {
        if (result.status === "fulfilled") assert.equal(result.value.length, 2);
        else assert.ok(result.reason instanceof ReconnectError);
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("a server that takes the connection and says nothing is given up", async () => {
  await using it = scene((_, connection) => connection === 1 ? "" : undefined);
  it.client.open();
  await it.client.ready();
  assert.equal(it.server.connections, 2);
  assert.match(it.telemetry.messages("warn")[0] ?? "", /did not answer within 150 ms/);
});

Deno.test("a server that is loading its data is waited for", async () => {
  const loading = "-LOADING Redis is loading the dataset in memory\r\n";
  await using it = scene((_, connection) => connection < 4 ? loading.repeat(4) : undefined);
  it.client.open();
  await it.client.ready();
  const [line, ...more] = it.telemetry.messages("warn");
  assert.match(line ?? "", /is still loading its data: LOADING .*; trying again until it works$/);
  assert.deepEqual(more, []);
});

Deno.test("a login without CLIENT and INFO is good enough", async () => {
  const refused = "-NOPERM no\r\n";
  await using it = scene((text) => isLogin(text) ? "+OK\r\n" + refused.repeat(3) : "+PONG\r\n");
  it.client.open();
  await it.client.ready();
  assert.equal(await it.client.command("PING"), "PONG");
});

Deno.test("a server that does not end an abandoned connection is complained about", async () => {
  const refused = "-NOPERM no permission for 'client|kill'\r\n";
  await using it = scene((text) => text.includes("KILL") ? refused : undefined);
  it.client.open();
  await it.client.ready();
  const up = nextTurn(it.client, "up");
  await assert.rejects(it.client.command("GET", "a"), ReconnectError);
  await up;
  const line = await it.telemetry.line(/permit this user CLIENT LIST and CLIENT KILL/);
  assert.match(line.message, /an old write may still come through it/);
});

Deno.test("connections of dead predecessors are ended, and of nobody else", async () => {
  const kills: string[] = [];
  const list = [
    "id=3 addr=/r:0 name=portsync:mine:dead db=6",
    "id=4 addr=/r:0 name=portsync:other:dead db=6",
    "id=5 addr=/r:0 name= db=6",
    "id=6 addr=/r:0 name=portsync:mine:dea db=6",
  ].join("\n");
  await using it = scene((text) => {
    if (text.includes("LIST")) return `$${list.length}\r\n${list}\r\n`;
    if (!text.includes("KILL")) return undefined;
    kills.push(...text.match(/(?<=ID\r\n\$1\r\n)\d/g) ?? []);
    return ":1\r\n".repeat(2);
  }, { lineage: "mine" });
  it.client.open();
  await it.client.ready();
  assert.deepEqual(kills, ["3", "6"]);
});

Deno.test("a server that does not list its connections is complained about", async () => {
  const refused = "-NOPERM no permission for 'client|list'\r\n";
  await using it = scene((text) => text.includes("LIST") ? refused : undefined, {
    lineage: "mine",
  });
  it.client.open();
  await it.client.ready();
  const line = await it.telemetry.line(/permit this user CLIENT LIST and CLIENT KILL/);
  assert.match(line.message, /client\|list/);
});

Deno.test("a connection of another run of the server is nobody's to end", async () => {
  const kills: string[] = [];
  await using it = scene((text, connection) => {
    if (text.includes("KILL")) kills.push(text);
    return isLogin(text) && connection > 1 ? LOGIN.replace("abcdef", "fedcba") : undefined;
  });
  it.client.open();
  await it.client.ready();
  const up = nextTurn(it.client, "up");
  await assert.rejects(it.client.command("GET", "a"), ReconnectError);
  await up;
  assert.deepEqual(kills, []);
});

Deno.test("more than may be outstanding is refused with a RetryLaterError", async () => {
  await using it = scene(() => undefined);
  it.client.open();
  await it.client.ready();
  const many = it.client.pipeline((writer) => {
    for (let n = 0; n < MAX_OUTSTANDING; n++) writer.command("PING");
  });
  await assert.rejects(it.client.command("PING"), RetryLaterError);
  await assert.rejects(many, ReconnectError);
});

Deno.test("a closed client fails what is outstanding and does not connect again", async () => {
  await using it = scene(() => undefined);
  it.client.open();
  await it.client.ready();
  const outstanding = it.client.command("GET", "a");
  const failed = assert.rejects(outstanding, /was closed/);
  await it.client.close();
  await failed;
  await assert.rejects(it.client.command("GET", "a"), /is not connected/);
  assert.equal(it.server.connections, 1);
  assert.deepEqual(it.telemetry.messages("warn"), []);
});

Deno.test("a client that is closed while it connects ends at once", async () => {
  await using it = scene(() => "");
  it.client.open();
  while (it.server.connections === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const start = performance.now();
  await it.client.close();
  assert.ok(performance.now() - start < 100);
});

Deno.test("ready() ends with its signal", async () => {
  await using it = scene(() => "");
  const controller = new AbortController();
  const waiting = it.client.ready(controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(it.client.ready(controller.signal), /enough/);
});

Deno.test("a scan takes nothing but keys and rows for an answer", async () => {
  const page = "*2\r\n$1\r\n0\r\n*1\r\n$2\r\nT|\r\n";
  for (
    const [answers, message] of [
      [[":1\r\n"], /SCAN with something else than keys/],
      [["*2\r\n:1\r\n*0\r\n"], /SCAN with something else than keys/],
      [["*2\r\n$1\r\n0\r\n*1\r\n:1\r\n"], /SCAN with something else than keys/],
      [["-NOPERM no\r\n"], /does not permit/],
      [[page, ":1\r\n"], /HGETALL was answered with something else than fields/],
      [[page, "*1\r\n:1\r\n"], /something else than fields/],
      [[page, "*2\r\n:1\r\n:2\r\n"], /something else than texts/],
      [[page, "-OOM no\r\n"], /out of memory/],
    ] as const
  ) {
    const left: string[] = [...answers];
    await using it = scene((text) => isLogin(text) ? undefined : left.shift());
    it.client.open();
    await it.client.ready();
    await assert.rejects(Array.fromAsync(scanRows(it.client, "T|")), message);
  }
});

Deno.test("a subscription that is not confirmed is tried again", async () => {
  const answers = [":1\r\n", "-NOPERM no permission for the channel\r\n"];
  const confirmed = "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n";
  const server = new ScriptedServer((text) => isLogin(text) ? LOGIN : answers.shift() ?? confirmed);
  const telemetry = new RecordedTelemetry();
  const subscriber = new RedisSubscriber(optionsFor(server.url, telemetry), ["*"], () => {});
  const up = nextTurn(subscriber, "up");
  subscriber.open();
  await up;
  assert.ok(subscriber.up);
  assert.equal(server.connections, 3);
  assert.match(telemetry.messages("warn")[0] ?? "", /did not confirm a subscription/);
  assert.match(telemetry.messages("warn")[1] ?? "", /does not permit this user the command/);
  await subscriber.close();
  await server[Symbol.asyncDispose]();
});

Deno.test("TLS is refused without the right certificate, and given up when nothing comes", async () => {
  await using plain = await startRedis({ tcp: true });
  const telemetry = new RecordedTelemetry();
  const client = new RedisClient({
    ...optionsFor(plain.tcpUrl.replace("redis:", "rediss:"), telemetry),
    connectTimeoutMs: 200,
  });
  client.open();
  await telemetry.line(/cannot be reached/);
  await client.close();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const late = new RedisClient({
    ...optionsFor(`rediss://127.0.0.1:${silent.addr.port}`, telemetry),
    connectTimeoutMs: 100,
  });
  late.open();
  await telemetry.line(/no connection within 100 ms/);
  await late.close();
  silent.close();
});
