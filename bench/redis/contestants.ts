/**
 * Who sends the commands of the comparison.
 *
 * @module
 */
import { createClient } from "redis";
import type { Operation } from "../../src/core/stage.ts";
import { parseAddress } from "../../src/redis/address.ts";
import { RedisClient } from "../../src/redis/client.ts";
import createStateDb from "../../src/sinks/state_db/sink.ts";
import { makeContext } from "../../tests/support/context.ts";
import { nextTurn } from "../../tests/support/event.ts";

/** Sends commands and waits for their answers. */
export interface Contestant extends AsyncDisposable {
  readonly name: string;
  /** Sends that many HSETs of five fields together. */
  send(count: number): Promise<unknown>;
}

const KEYS = Array.from({ length: 128 }, (_, port) => `Ethernet${port}`);

let turn = 0;

function nextKey(): string {
  return KEYS[turn++ & 127] ?? "";
}

async function ourClient(url: string): Promise<Contestant> {
  const client = new RedisClient({
    address: parseAddress(url),
    database: 6,
    purpose: "bench",
    log: makeContext().telemetry.log,
  });
  client.open();
  await client.ready();
  return {
    name: "our client",
    send: (count) =>
      client.pipeline((writer) => {
        for (let sent = 0; sent < count; sent++) {
          writer.begin(12);
          writer.text("HSET");
          writer.text(`PORT_TABLE|${nextKey()}`);
          writer.text("state");
          writer.text("ok");
          writer.text("netdev_oper_status");
          writer.text("up");
          writer.text("admin_status");
          writer.text("up");
          writer.text("mtu");
          writer.text("9100");
          writer.text("sequence");
          writer.text(String(turn));
        }
      }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function ourSink(url: string): Promise<Contestant> {
  const sink = await createStateDb({
    type: "state_db",
    url,
    database: 6,
    name: "STATE_DB",
    separator: "|",
    connect_timeout_ms: 5000,
    request_timeout_ms: 5000,
  }, makeContext());
  const up = nextTurn(sink.connection, "up");
  sink.open();
  await up;
  return {
    name: "the state_db sink",
    send: (count) => sink.write(Array.from({ length: count }, operation)),
    [Symbol.asyncDispose]: () => sink.close(),
  };
}

function operation(): Operation {
  return {
    op: "set",
    table: "PORT_TABLE",
    key: nextKey(),
    fields: {
      state: "ok",
      netdev_oper_status: "up",
      admin_status: "up",
      mtu: "9100",
      sequence: String(turn),
    },
    removed: [],
  };
}

async function nodeRedis(url: string): Promise<Contestant> {
  const address = parseAddress(url);
  const socket = address.kind === "unix"
    ? { path: address.path, tls: false as const }
    : { host: address.hostname, port: address.port, tls: false as const };
  const client = createClient({ socket, database: 6, RESP: 2 });
  await client.connect();
  return {
    name: "node-redis",
    send: (count) => {
      const multi = client.multi();
      for (let sent = 0; sent < count; sent++) {
        multi.hSet(`PORT_TABLE|${nextKey()}`, {
          state: "ok",
          netdev_oper_status: "up",
          admin_status: "up",
          mtu: "9100",
          sequence: String(turn),
        });
      }
      return multi.execAsPipeline();
    },
    [Symbol.asyncDispose]: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}

/** Makes each of them, connected to a server. */
export const contestants: readonly ((url: string) => Promise<Contestant>)[] = [
  ourClient,
  ourSink,
  nodeRedis,
];

/** Commands each second of `redis-benchmark` with the same payload and as many in flight. */
export async function ceiling(
  url: string,
  shape: { readonly size: number; readonly lanes: number; readonly total: number },
): Promise<number> {
  const address = parseAddress(url);
  const place = address.kind === "unix"
    ? ["-s", address.path]
    : ["-h", address.hostname, "-p", String(address.port)];
  const { stdout } = await new Deno.Command("redis-benchmark", {
    args: [
      ...[...place, "--csv", "--dbnum", "6", "-r", "128", "-c", String(shape.lanes)],
      ...["-P", String(shape.size), "-n", String(shape.total), "HSET"],
      ...["PORT_TABLE|Ethernet__rand_int__", "state", "ok", "netdev_oper_status", "up"],
      ...["admin_status", "up", "mtu", "9100", "sequence", "1000"],
    ],
    stdout: "piped",
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const rate = Number(/^"HSET[^"]*","([\d.]+)"/m.exec(text)?.[1]);
  if (!Number.isFinite(rate)) throw new Error(`redis-benchmark printed no rate:\n${text}`);
  return rate;
}
