/** The kernel sink before links of the real kernel. */
import assert from "node:assert/strict";
import type { Fields } from "../src/core/change.ts";
import { RejectError, RetryLaterError, StopError } from "../src/core/errors.ts";
import type { Operation, Outcome, RowEvent, StateSink } from "../src/core/stage.ts";
import createKernelSink from "../src/sinks/kernel/sink.ts";
import { makeContext, type RecordedContext } from "./support/context.ts";
import { nextTurn } from "./support/event.ts";
import { eventually, pause } from "./support/eventually.ts";
import { linkIs, shownLink } from "./support/links.ts";
import { nativeLibrary } from "./support/native.ts";
import { canMakeNamespaces, createNetns, type Netns } from "./support/netns.ts";

interface Scene {
  readonly netns: Netns;
  readonly sink: StateSink;
  readonly context: RecordedContext;
  /** Everything that the sink has told of, in order. */
  readonly events: RowEvent[];
  /** Writes one row. */
  set(key: string, fields: Fields, removed?: readonly string[]): Promise<Outcome>;
  /** Waits for an event that passes. */
  told(check: (event: RowEvent) => boolean): Promise<void>;
}

function kernelTest(
  name: string,
  run: (scene: Scene) => Promise<void>,
  options: { readonly correctionMaxMs?: number; readonly dryRun?: boolean } = {},
): void {
  Deno.test({
    name,
    ignore: !canMakeNamespaces,
    async fn() {
      const library = await nativeLibrary();
      await using netns = await createNetns();
      await netns.addLinks(3);
      const { correctionMaxMs = 10_000, dryRun = false } = options;
      const context = makeContext({ library, namespace: netns.name, dryRun });
      const sink = await createKernelSink({
        type: "kernel",
        correction_max_ms: correctionMaxMs,
        required: true,
      }, context);
      const events: RowEvent[] = [];
      sink.observe?.((more) => events.push(...more));
      const up = nextTurn(sink.connection, "up");
      sink.open();
      try {
        await up;
        await run({
          netns,
          sink,
          context,
          events,
          set: async (key, fields, removed = []) => {
            const [outcome] = await sink.write([{
              op: "set",
              table: "PORT",
              key,
              fields,
              removed,
            }]);
            return outcome ?? assert.fail();
          },
          told: (check) =>
            eventually(() =>
              events.some(check) ? undefined : `told only ${JSON.stringify(events)}`
            ),
        });
      } finally {
        await sink.close();
      }
      assert.deepEqual(context.failures, []);
    },
  });
}

function errorOf(outcome: Outcome): Error {
  assert(!outcome.ok, "the write was taken");
  return outcome.error;
}

async function rowsOf(sink: StateSink): Promise<Map<string, Fields>> {
  const rows = new Map<string, Fields>();
  for await (const { key, fields } of sink.scan("PORT")) rows.set(key, fields);
  return rows;
}

kernelTest("a row sets admin state, MTU and master, and nothing else", async (scene) => {
  const { netns, sink, set } = scene;
  await netns.ip("link", "add", "Bridge", "type", "bridge");
  await scene.told(({ key }) => key === "Bridge");
  const before = await shownLink(netns, "Ethernet4");
  const outcome = await set("Ethernet0", {
    admin_status: "up",
    mtu: "9100",
    master: "Bridge",
    alias: "eth0",
  });
  assert.deepEqual(outcome, { ok: true });
  await linkIs(netns, "Ethernet0", { up: true, mtu: 9100, master: "Bridge" });
  assert.deepEqual(await shownLink(netns, "Ethernet4"), before);
  await set("Ethernet0", { mtu: "1400" });
  await linkIs(netns, "Ethernet0", { up: true, mtu: 1400, master: "Bridge" });
  await set("Ethernet0", {}, ["master", "mtu", "admin_status"]);
  await linkIs(netns, "Ethernet0", { up: true, mtu: 1400, master: undefined });
  assert.deepEqual(await sink.write([{ op: "delete", table: "PORT", key: "Ethernet0" }]), [
    { ok: true },
  ]);
  await linkIs(netns, "Ethernet0", { up: true, mtu: 1400 });
  await eventually(async () => {
    const row = (await rowsOf(sink)).get("Ethernet0");
    const right = { admin_status: "up", mtu: "1400", master: "" };
    return JSON.stringify(row) === JSON.stringify(right) ? undefined : JSON.stringify(row);
  });
});

kernelTest("a scan gives every link as a row", async ({ netns, sink }) => {
  await netns.addLinks(300, { prefix: "Port", step: 1 });
  await netns.ip("link", "set", "Port7", "mtu", "1234");
  await eventually(async () => {
    const rows = await rowsOf(sink);
    return rows.size >= 304 && rows.get("Port7")?.["mtu"] === "1234" ? undefined : `${rows.size}`;
  });
  assert((await rowsOf(sink)).has("lo"));
});

kernelTest(
  "what the kernel refuses comes with its words, and holds up nothing else",
  async (scene) => {
    const { netns, sink, set } = scene;
    await netns.addLinks(1, { prefix: "veth", kind: "veth" });
    const bad = await set("veth0", { admin_status: "up", mtu: "10" });
    assert(errorOf(bad) instanceof RejectError);
    assert.match(
      errorOf(bad).message,
      /refuses veth0 mtu 10: mtu less than device minimum \(EINVAL\)/,
    );
    await linkIs(netns, "veth0", { up: true });
    const keys = ["Ethernet0", "veth0", "Nowhere", "Ethernet4", "no/name", "Ethernet8"];
    const operations = keys.map((key): Operation => {
      return {
        op: "set",
        table: "PORT",
        key,
        fields: { mtu: key === "veth0" ? "66666" : "1400" },
        removed: [],
      };
    });
    const outcomes = await sink.write(operations);
    assert.deepEqual(outcomes.map(({ ok }) => ok), [true, false, false, true, false, true]);
    const [, tooLarge = assert.fail(), absent = assert.fail(), , unnamed = assert.fail()] =
      outcomes;
    assert.match(errorOf(tooLarge).message, /mtu greater than device maximum/);
    assert(errorOf(absent) instanceof RetryLaterError);
    assert.match(errorOf(absent).message, /no link Nowhere yet/);
    assert(errorOf(unnamed) instanceof RejectError);
    for (const key of ["Ethernet0", "Ethernet4", "Ethernet8"]) {
      await linkIs(netns, key, {
        mtu: 1400,
      });
    }
    const silly = await set("Ethernet0", { admin_status: "sideways", mtu: "1500" });
    assert.match(errorOf(silly).message, /admin_status is up or down/);
    await linkIs(netns, "Ethernet0", { mtu: 1500 });
  },
);

kernelTest("a write of hundreds of rows gets as many outcomes, in order", async (scene) => {
  const { netns, sink } = scene;
  await netns.addLinks(300, { prefix: "Port", step: 1 });
  const outcomes = await sink.write(Array.from({ length: 320 }, (_, n): Operation => ({
    op: "set",
    table: "PORT",
    key: `Port${n}`,
    fields: { admin_status: "up", mtu: String(1000 + n) },
    removed: [],
  })));
  assert.equal(outcomes.length, 320);
  outcomes.forEach(({ ok }, n) => assert.equal(ok, n < 300, `Port${n}`));
  await linkIs(netns, "Port299", { up: true, mtu: 1299 });
});

kernelTest("a link that appears is told of, so that its row is written again", async (scene) => {
  const { netns, set } = scene;
  assert(!(await set("Late", { mtu: "1400" })).ok);
  await netns.ip("link", "add", "Late", "type", "ifb");
  await scene.told(({ key, mended }) => key === "Late" && mended);
  assert.deepEqual(await set("Late", { mtu: "1400" }), { ok: true });
  await netns.ip("link", "del", "Late");
  await scene.told(({ key, fields }) => key === "Late" && fields === undefined);
  assert(!(await set("Late", { mtu: "1400" })).ok);
  scene.events.length = 0;
  await netns.ip("link", "add", "Late", "type", "ifb");
  await scene.told(({ key, fields, mended }) => key === "Late" && mended && fields !== undefined);
});

kernelTest(
  "a link waits for its master and is told of when that appears or is renamed",
  async (scene) => {
    const { netns, set } = scene;
    const first = errorOf(await set("Ethernet0", { master: "Bridge", mtu: "1400" }));
    assert(first instanceof RetryLaterError);
    assert.match(first.message, /There is no link Bridge yet; Ethernet0 joins it/);
    await linkIs(netns, "Ethernet0", { mtu: 1400 });
    await netns.ip("link", "add", "Other", "type", "bridge");
    await scene.told(({ key }) => key === "Other");
    await netns.ip("link", "set", "Other", "name", "Bridge");
    await scene.told(({ key, mended }) => key === "Ethernet0" && mended);
    assert.deepEqual(await set("Ethernet0", { master: "Bridge" }), { ok: true });
    await linkIs(netns, "Ethernet0", { master: "Bridge" });
    assert.match(
      errorOf(await set("Ethernet4", { master: "Ethernet8" })).message,
      /The kernel refuses Ethernet4 master Ethernet8/,
    );
  },
);

kernelTest(
  "what others do to a link is told of, and what the sink did itself is not",
  async (scene) => {
    const { netns, set, events } = scene;
    await set("Ethernet0", { mtu: "1400", admin_status: "up" });
    await set("Ethernet0", { mtu: "1401" });
    await set("Ethernet0", { mtu: "1402" });
    await netns.ip("link", "add", "Mark", "type", "ifb");
    await scene.told(({ key }) => key === "Mark");
    const own = events.filter(({ key, mended }) => key === "Ethernet0" && !mended);
    assert.deepEqual(own, []);
    await netns.ip("link", "set", "Ethernet0", "mtu", "1500");
    await scene.told(({ key, fields }) => key === "Ethernet0" && fields?.["mtu"] === "1500");
    await netns.ip("link", "set", "Ethernet4", "down");
    await netns.ip("link", "set", "Ethernet4", "up");
    await scene.told(({ key, fields }) => key === "Ethernet4" && fields?.["admin_status"] === "up");
  },
);

kernelTest("two writers who both want to win do not spin", async (scene) => {
  const { netns, sink, set } = scene;
  let corrections = 0;
  let others = 0;
  sink.observe?.((events) => {
    for (const { key, mended, fields } of events) {
      if (key !== "Ethernet0" || mended || fields?.["mtu"] === "1400") continue;
      corrections++;
      void set(key, { mtu: "1400" });
    }
  });
  await set("Ethernet0", { mtu: "1400" });
  const end = performance.now() + 1500;
  while (performance.now() < end) {
    others++;
    await netns.ip("link", "set", "Ethernet0", "mtu", String(2000 + others));
    await pause(5);
  }
  assert(others > 5, `the other writer was too slow: ${others}`);
  // Three at once, then pauses of 100, 200 and three of 400 milliseconds.
  assert(corrections >= 3 && corrections <= 9, `${corrections} corrections`);
  await linkIs(netns, "Ethernet0", { mtu: 1400 });
}, { correctionMaxMs: 400 });

kernelTest("a dry run says what it would do, and needs and does nothing", async (scene) => {
  const { netns, sink, set, context } = scene;
  const before = await shownLink(netns, "Ethernet0");
  assert.deepEqual(await set("Ethernet0", { mtu: "1400", admin_status: "up" }), { ok: true });
  assert.deepEqual(await shownLink(netns, "Ethernet0"), before);
  assert.equal(sink.observe, undefined, "what is not written cannot be put right");
  assert((await rowsOf(sink)).has("Ethernet0"));
  assert.deepEqual(context.telemetry.messages("info"), [
    "Would set Ethernet0 of PORT: mtu=1400 admin_status=up",
  ]);
}, { dryRun: true });

kernelTest("people who look on see every link, and then what changes", async ({ netns, sink }) => {
  const stop = new AbortController();
  const rows = new Map<string, Fields>();
  for await (const changes of sink.watch?.("PORT", stop.signal) ?? []) {
    const isFirst = rows.size === 0;
    for (const { key, fields } of changes) {
      if (fields === undefined) rows.delete(key);
      else rows.set(key, fields);
    }
    if (isFirst) {
      assert(rows.has("Ethernet8") && rows.has("lo"));
      await netns.ip("link", "del", "Ethernet8");
      await netns.ip("link", "set", "Ethernet4", "mtu", "1400");
    }
    if (!rows.has("Ethernet8") && rows.get("Ethernet4")?.["mtu"] === "1400") stop.abort();
  }
  assert(stop.signal.aborted);
});

Deno.test({
  name: "a sink that may not change links says so at once, with what to do",
  ignore: !canMakeNamespaces,
  async fn() {
    await using netns = await createNetns();
    const library = await nativeLibrary();
    const script = `
      import createKernelSink from ${
      JSON.stringify(import.meta.resolve("../src/sinks/kernel/sink.ts"))
    };
      import { makeContext } from ${JSON.stringify(import.meta.resolve("./support/context.ts"))};
      const context = makeContext({
        library: ${JSON.stringify(library)},
        fail: (error) => {
          console.log(error.name, error.message);
          Deno.exit(0);
        },
      });
      const sink = await createKernelSink({ type: "kernel", correction_max_ms: 1000 }, context);
      sink.connection.subscribe(() => { console.log("up"); Deno.exit(0); });
      sink.open();
      setTimeout(() => Deno.exit(1), 10000);
    `;
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(file, script);
      const config = new URL("../deno.json", import.meta.url).pathname;
      const output = await netns.command("setpriv", [
        ...["--bounding-set", "-all", "--inh-caps", "-all"],
        ...[Deno.execPath(), "run", "-A", "-q", "--no-check", "--config", config, file],
      ], { stdout: "piped", stderr: "piped" }).output();
      const text = new TextDecoder().decode(output.stdout);
      assert.match(
        text,
        /^StopError Links cannot be changed: .*EPERM.*CAP_NET_ADMIN/,
        text +
          new TextDecoder().decode(output.stderr),
      );
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test("a sink without its library fails the pipeline", async () => {
  const context = makeContext({ library: "/nowhere/libportsync.so" });
  const sink = await createKernelSink(
    { type: "kernel", correction_max_ms: 1000, required: true },
    context,
  );
  assert(!sink.connection.up);
  const [outcome = assert.fail()] = await sink.write([
    { op: "set", table: "PORT", key: "lo", fields: { mtu: "1" }, removed: [] },
  ]);
  assert.match(errorOf(outcome).message, /socket is not open/);
  await assert.rejects(rowsOf(sink), /socket is not open/);
  sink.open();
  await eventually(() => context.failures.length > 0 ? undefined : "nothing failed");
  assert(context.failures[0] instanceof StopError);
  await sink.close();
});
