// The snapshots of another program's service as a source.
import assert from "node:assert/strict";
import { SnapshotBuilder } from "../src/netipc/codec/cgroups_snapshot.ts";
import { Method } from "../src/netipc/codec/header.ts";
import { Server } from "../src/netipc/server.ts";
import { eventually } from "./support/eventually.ts";
import { NATIVE_TEST_FOLDER } from "./support/native.ts";
import { PEER_TOKEN, serviceName, startPeerServer } from "./support/peers.ts";
import { library, runShm, runUds } from "./support/source_run.ts";

const run_dir = NATIVE_TEST_FOLDER;

Deno.test("snapshots of a foreign service become a dump, and then nothing but differences", async () => {
  const service = serviceName();
  const token = await Deno.makeTempFile();
  await Deno.writeTextFile(token, `${PEER_TOKEN}`);
  try {
    const options = { mode: "poll", service, interval_ms: 10, auth_token: `\${file:${token}}` };
    await using run = await runUds({ ...options, profile: "uds", table: "C" });
    await run.telemetry.line(/does not answer/);
    await using _server = await startPeerServer(service, 3, Method.cgroupsSnapshot);
    await run.telemetry.line(/answers/);
    await eventually(() => run.batches.length >= 2 ? undefined : "no dump came");
    assert.deepEqual(run.batches.map(({ mark }) => mark), ["dump-begin", "dump-end"]);
    assert.deepEqual(run.changes.map(({ op, table, key }) => [op, table, key]), [
      ["set", "C", "docker-abc123"],
      ["set", "C", "k8s-pod-xyz"],
      ["set", "C", "systemd-user"],
    ]);
    assert.deepEqual(run.changes[2]?.fields, {
      ...{ hash: "3003", options: "0", enabled: "0" },
      path: "/sys/fs/cgroup/user.slice/user-1000",
    });
    const before = run.gauge("uds_snapshots_total");
    await eventually(() => run.gauge("uds_snapshots_total") > before + 3 ? undefined : "no more");
    assert.equal(run.batches.length, 2);
    run.source?.resync?.();
    await eventually(() => run.batches.length === 4 ? undefined : "no other dump came");
  } finally {
    await Deno.remove(token);
  }
});

Deno.test("what a service adds, changes and takes away is told", async () => {
  const service = serviceName();
  let items: [number, string][] = [[1, "a"], [2, "b"]];
  await using server = new Server({ library, runDir: run_dir, service }, {
    method: Method.cgroupsSnapshot,
    handle(_request, response) {
      const builder = new SnapshotBuilder(response);
      for (const [hash, name] of items) {
        builder.add({ hash, options: 0, enabled: 1, name, path: "/" });
      }
      return builder.finish({ systemdEnabled: 0, generation: 0n });
    },
  });
  void server.start();
  await using run = await runShm({ mode: "poll", service, interval_ms: 10 });
  await eventually(() => run.batches.length === 2 ? undefined : "no dump came");
  items = [[1, "a"], [3, "b"], [4, "c"], [5, "c"], [6, "bad|name"]];
  await eventually(() => run.batches.length === 3 ? undefined : "nothing was told");
  items = [[1, "a"]];
  await eventually(() => run.batches.length === 4 ? undefined : "nothing was told");
  const told = run.changes.slice(2).map(({ op, key, fields }) =>
    `${op} ${key} ${fields["hash"] ?? ""}`
  );
  assert.deepEqual(told, ["set b 3", "set c 4", "delete b ", "delete c "]);
  assert.ok(run.counter("shm_rejected_names_total") >= 2);
});

Deno.test("a service that refuses us for good ends the pipeline with what to do about it", async () => {
  await using server = await startPeerServer(serviceName(), 1, Method.cgroupsSnapshot);
  const wrongToken = await runUds({ mode: "poll", service: server.service });
  await assert.rejects(wrongToken.ended(), /compare auth_token/);
  await wrongToken[Symbol.asyncDispose]();
  const foreign = await runShm({ mode: "poll", service: server.service });
  await assert.rejects(foreign.ended(), /see profile/);
  await foreign[Symbol.asyncDispose]();
});
