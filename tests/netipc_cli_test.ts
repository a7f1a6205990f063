// `portsync ipc` and `portsync ring`, as an operator calls them.
import assert from "node:assert/strict";
import { RingChangeProducer } from "../src/netipc/changes/producer.ts";
import { Method } from "../src/netipc/codec/header.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "./support/native.ts";
import { startServer } from "./support/netipc.ts";
import { PEER_TOKEN, serviceName, startPeerServer } from "./support/peers.ts";

const library = await nativeLibrary();
const MAIN = new URL("../mod.ts", import.meta.url).pathname;

async function portsync(...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", MAIN, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), error: text.decode(stderr) };
}

Deno.test("ipc talks to a foreign service", async () => {
  const token = await Deno.makeTempFile();
  await Deno.writeTextFile(token, `0x${PEER_TOKEN.toString(16)}\n`);
  try {
    await using server = await startPeerServer(serviceName(), 3, Method.cgroupsSnapshot);
    const socket = `${NATIVE_TEST_FOLDER}/${server.service}.sock`;
    const withToken = ["--token-file", token];
    const ping = await portsync("ipc", "ping", socket, "--count=3", "--profile=uds", ...withToken);
    assert.match(ping.out, /^3 round trips over the socket: fastest [\d.]+ µs, mean .*, slowest /);
    const status = await portsync(
      ...["ipc", "status", server.service, "--run-dir", NATIVE_TEST_FOLDER, "--json"],
      ...withToken,
    );
    const { connectMs, sessionId, ...agreed } = JSON.parse(status.out);
    assert.ok(connectMs > 0 && sessionId > 0);
    assert.deepEqual(agreed, {
      ...{ profile: 2, requestBytes: 1024, requestItems: 1, responseBytes: 1 << 20 },
      packetSize: 65536,
    });
    const snapshot = await portsync("ipc", "snapshot", socket, ...withToken);
    assert.match(snapshot.out, /^docker-abc123 +1001 +on +\/sys\/fs\/cgroup\/docker\/abc123\n/);
    assert.match(snapshot.out, /3 items of generation 42\n$/);
    const refused = await portsync("ipc", "snapshot", socket);
    assert.deepEqual([refused.code, refused.out], [69, ""]);
    assert.match(refused.error, /refused the token/);
    await Deno.writeTextFile(token, "secret");
    const nonsense = await portsync("ipc", "ping", socket, ...withToken);
    assert.match(nonsense.error, /holds no number of 64 bits/);
  } finally {
    await Deno.remove(token);
  }
});

Deno.test("ipc passes on that a service has failed", async () => {
  await using server = startServer({ authToken: 0n }, {
    method: Method.cgroupsSnapshot,
    handle() {
      throw new Error("Asked to fail");
    },
  });
  const socket = `${NATIVE_TEST_FOLDER}/${server.service}.sock`;
  const { code, out, error } = await portsync("ipc", "snapshot", socket);
  assert.deepEqual([code, out], [69, ""]);
  assert.match(error, /answered with status 6/);
});

Deno.test("ipc says what is wrong with its command line, and with a service that is not there", async () => {
  const wrong: [readonly string[], RegExp][] = [
    [["call", "x"], /There is no ipc call; there is ping, status, snapshot/],
    [["ping", "x", "--profile=tcp"], /There is no profile tcp/],
    [["ping", "x", "--count=0"], /--count is a whole number from 1 to 10000, and not 0/],
    [["ping", "/a/x.sock", "--run-dir=/a"], /--run-dir does not go with the path of a socket/],
  ];
  for (const [args, message] of wrong) {
    const { code, error } = await portsync("ipc", ...args);
    assert.equal(code, 64, error);
    assert.match(error, message);
  }
  const absent = await portsync("ipc", "status", `${NATIVE_TEST_FOLDER}/${serviceName()}.sock`);
  assert.equal(absent.code, 69);
  assert.match(absent.error, /No netipc service can be reached at .*no such file \(ENOENT\)/);
  const dead = `${NATIVE_TEST_FOLDER}/${serviceName()}.sock`;
  const token = `${dead}.token`;
  await Deno.writeTextFile(token, `${PEER_TOKEN}`);
  try {
    {
      await using server = await startPeerServer(serviceName(), 1, Method.increment);
      await Deno.rename(`${NATIVE_TEST_FOLDER}/${server.service}.sock`, dead);
      const other = await portsync("ipc", "ping", dead, "--profile=shm", "--token-file=/dev/null");
      assert.match(other.error, /The secret \/dev\/null is empty/);
      const snapshot = await portsync("ipc", "snapshot", dead, `--token-file=${token}`);
      assert.match(snapshot.error, /has no snapshots to offer/);
    }
    const left = await portsync("ipc", "ping", dead);
    assert.match(left.error, /nobody listens there \(ECONNREFUSED\)/);
  } finally {
    await Deno.remove(dead);
    await Deno.remove(token);
  }
});

Deno.test("ring shows what waits and who holds the ends", async () => {
  const path = `${NATIVE_TEST_FOLDER}/${serviceName()}.ring`;
  try {
    await using producer = new RingChangeProducer({ library, path, capacity: 65536 });
    const change = { op: "set" as const, table: "T", key: "k", fields: { f: "v" }, time: 1 };
    await producer.publish({ changes: [change] });
    const { out } = await portsync("ring", path);
    assert.equal(
      out,
      "64 of 65,536 bytes wait, 0.1 %\n" +
        `producer: process ${Deno.pid}, 1 frame written, slept 0 times\n` +
        "consumer: nobody, 0 frames taken, slept 0 times\n",
    );
    const json = JSON.parse((await portsync("ring", path, "--json")).out);
    assert.deepEqual([json.produced, json.consumed, json.producerPid], [1, 0, Deno.pid]);
  } finally {
    await Deno.remove(path);
  }
  for (
    const [file, why] of [[path, /no such file/], [MAIN, /is no ring, or not whole$/]] as const
  ) {
    const { code, error } = await portsync("ring", file);
    assert.equal(code, 69);
    assert.match(error.trim(), why);
  }
});
