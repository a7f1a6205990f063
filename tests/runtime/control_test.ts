import assert from "node:assert/strict";
import { ExitCode, StopError } from "../../src/core/errors.ts";
import { askControl, openControl } from "../../src/runtime/control.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { makeFixture } from "./fixture.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "portsync-control-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a control socket belongs to its user alone from its first moment", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/control.socket`;
    await using _server = await openControl(path, () => Promise.resolve("fine"));
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    assert.equal((Deno.statSync(`${folder}/.starting`).mode ?? 0) & 0o777, 0o700);
    assert.equal(await askControl(path, { request: "status" }), "fine");
  });
});

Deno.test("a control socket answers requests and refuses what is none", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/control.socket`;
    await using _server = await openControl(path, (request) => {
      if (request.request === "status") throw new StopError("not now");
      return Promise.resolve(request);
    });
    const question = { what: "explain-key", key: "Ethernet0" };
    assert.deepEqual(
      await askControl(path, { request: "explain-key", pipeline: "p", key: "Ethernet0" }),
      { request: "ask", pipeline: "p", question },
    );
    const refused: [object, RegExp][] = [
      [{ request: "status" }, /^not now$/],
      [{ request: "dance" }, /^Expected a request/],
      [{ request: "retry", pipeline: "p" }, /^Expected a request/],
      [{ request: "resync" }, /^Expected a request/],
    ];
    for (const [request, words] of refused) {
      await assert.rejects(
        () => askControl(path, request),
        (error) => error instanceof StopError && words.test(error.message),
      );
    }
  });
});

Deno.test("a control socket lets a client go that sends no end of a line", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/control.socket`;
    await using _server = await openControl(path, () => Promise.resolve(1));
    using client = await Deno.connect({ transport: "unix", path });
    const chunk = new Uint8Array(64 * 1024).fill(65);
    await client.write(chunk);
    await client.write(chunk).catch(() => 0);
    const answer = await client.read(new Uint8Array(10)).catch(() => null);
    assert.equal(answer, null);
    assert.equal(await askControl(path, { request: "status" }), 1);
  });
});

Deno.test("a control socket bounds how many are connected", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/control.socket`;
    await using _server = await openControl(path, () => Promise.resolve(1));
    using stack = new DisposableStack();
    for (let index = 0; index < 16; index++) {
      stack.use(await Deno.connect({ transport: "unix", path }));
    }
    await assert.rejects(() => askControl(path, { request: "status" }));
  });
});

Deno.test("a second listener is refused, and a dead one's socket is taken over", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/control.socket`;
    {
      await using _first = await openControl(path, () => Promise.resolve(1));
      await assert.rejects(
        () => openControl(path, () => Promise.resolve(2)),
        (error) => error instanceof StopError && /Another portsync listens/.test(error.message),
      );
      assert.equal(await askControl(path, { request: "status" }), 1);
    }
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
    // What a killed process leaves behind: a socket that nobody listens on.
    const dead = Deno.listen({ transport: "unix", path: `${path}.dead` });
    Deno.renameSync(`${path}.dead`, path);
    dead.close();
    await using _third = await openControl(path, () => Promise.resolve(3));
    assert.equal(await askControl(path, { request: "status" }), 3);
  });
});

Deno.test("status and the control socket tell of a service, its pipelines and their keys", async () => {
  await using fixture = await makeFixture(["one", "two"]);
  const folder = ["--folder", fixture.runtimeFolder];
  const nothing = await runCommand(["status", ...folder]);
  assert.equal(nothing.code, ExitCode.unavailable);
  assert.match(nothing.error, /No portsync runs here/);
  await using command = await startCommand(["run", fixture.file]);
  assert.ok(await command.error.seen(/Pipeline one runs/));
  assert.ok(await command.error.seen(/Pipeline two runs/));

  const { code, out } = await runCommand(["status", ...folder]);
  assert.equal(code, ExitCode.ok);
  assert.match(out, /^ +one running process \d+/m);
  assert.match(out, /netlink_dumps_total=1/);
  const json = await runCommand(["status", "--json", ...folder]);
  const [service] = JSON.parse(json.out).services;
  assert.equal(service.pid, command.pid);
  assert.equal(service.file, fixture.file);
  assert.deepEqual(service.pipelines.map(({ name }: { name: string }) => name), ["one", "two"]);

  const socket = `${fixture.runtimeFolder}/control.socket`;
  const ask = (request: string, more: object = {}) =>
    askControl(socket, { request, pipeline: "one", ...more });
  const lines = await ask("explain-key", { key: "lo" });
  assert.ok(Array.isArray(lines) && lines.length > 0);
  assert.equal(await ask("resync"), true);
  assert.equal(await ask("retry", { key: "nothing" }), false);
  await assert.rejects(() => ask("resync", { pipeline: "three" }), /There is no pipeline three/);
  command.signal("SIGTERM");
  assert.equal((await command.finished()).code, ExitCode.ok);
});
