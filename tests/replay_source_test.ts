import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Context } from "../src/core/component.ts";
import { StopError } from "../src/core/errors.ts";
import type { ReplayConfig } from "../schemas/replay.ts";
import { recordLinks, type RecordSummary } from "../src/sources/netlink/recorder.ts";
import createReplaySource from "../src/sources/replay/source.ts";
import { nativeLibrary } from "./support/native.ts";
import { canMakeNamespaces, createNetns, type Netns } from "./support/netns.ts";
import { Rows } from "./support/rows.ts";
import { RecordedTelemetry } from "./support/telemetry.ts";

interface Recording extends AsyncDisposable {
  readonly file: string;
  readonly summary: RecordSummary;
}

/** Records what `act` does to links, all of it. */
async function record(
  netns: Netns,
  act: () => Promise<unknown>,
  receiveBytes?: number,
): Promise<Recording> {
  const file = await Deno.makeTempFile({ suffix: ".psnl" });
  const stop = new AbortController();
  const dumped = Promise.withResolvers<void>();
  using output = await Deno.open(file, { write: true });
  // Events come in order: once the last link is seen, in an event or a dump, all else was before.
  const last = new TextEncoder().encode("the-last-link\0");
  let sawLast = false;
  let acting = Promise.resolve<unknown>(undefined);
  const recording = recordLinks({
    library: await nativeLibrary(),
    namespace: netns.name,
    sink: {
      async write(bytes) {
        sawLast ||= holds(bytes, last);
        // A disk that is slow while things happen.
        if (receiveBytes !== undefined) await acting;
        return await output.write(bytes);
      },
    },
    signal: stop.signal,
    ...(receiveBytes !== undefined && { receiveBytes }),
    onProgress({ dumps, behind }) {
      if (dumps > 0) dumped.resolve();
      if (sawLast && !behind) stop.abort();
    },
  });
  await dumped.promise;
  acting = act();
  await acting;
  await netns.ip("link", "add", "the-last-link", "type", "ifb");
  const summary = await recording;
  return { file, summary, [Symbol.asyncDispose]: () => Deno.remove(file) };
}

function holds(bytes: Uint8Array, part: Uint8Array): boolean {
  return Buffer.from(bytes).includes(Buffer.from(part));
}

async function replay(
  file: string,
  config: Partial<ReplayConfig> = {},
): Promise<{ rows: Rows; telemetry: RecordedTelemetry }> {
  const telemetry = new RecordedTelemetry();
  const context: Context = {
    pipeline: "test",
    telemetry,
    library: await nativeLibrary(),
    dryRun: false,
    acknowledge: "accepted",
    fail: (error) => {
      throw error;
    },
    resync: () => {},
  };
  const source = await createReplaySource(
    { type: "replay", file, pace: "fast", ...config },
    context,
  );
  return { rows: new Rows(source), telemetry };
}

function netnsTest(name: string, fn: (netns: Netns) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !canMakeNamespaces,
    async fn() {
      await using netns = await createNetns();
      await fn(netns);
    },
  });
}

netnsTest("replay comes to the rows that the kernel had when it was recorded", async (netns) => {
  await netns.addLinks(40, { up: true });
  await using recording = await record(netns, () =>
    netns.batch([
      "link set Ethernet0 mtu 9100",
      "link set Ethernet4 down",
      "link set Ethernet8 name Ethernet1000",
      "link del Ethernet12",
    ]));
  const { rows, telemetry } = await replay(recording.file, {
    interfaces: ["Ethernet*"],
    extra_fields: ["kind"],
  });
  await rows.ended;
  assert.equal(rows.rows.size, 39);
  assert.equal(rows.rows.get("Ethernet0")?.["mtu"], "9100");
  assert.equal(rows.rows.get("Ethernet4")?.["admin_status"], "down");
  assert.equal(rows.rows.get("Ethernet1000")?.["kind"], "ifb");
  assert.equal(rows.count("dump-end"), 1);
  assert.deepEqual(telemetry.messages("warn"), []);
  await rows[Symbol.asyncDispose]();
});

netnsTest("replay tells of the losses that were recorded", async (netns) => {
  const ports = await netns.addLinks(64, { up: true });
  // A buffer of this size holds some ten events.
  await using recording = await record(
    netns,
    () =>
      netns.batch(
        ports.flatMap((port) => [1400, 1401, 1402].map((mtu) => `link set ${port} mtu ${mtu}`)),
      ),
    8 * 1024,
  );
  const { rows } = await replay(recording.file, { interfaces: ["Ethernet*"] });
  await rows.ended;
  assert(recording.summary.lost > 0);
  assert.equal(rows.count("lost"), recording.summary.lost);
  assert.equal(rows.count("dump-end"), recording.summary.dumps);
  assert([...rows.rows.values()].every(({ mtu }) => mtu === "1402"));
  await rows[Symbol.asyncDispose]();
});

netnsTest(
  "replay warns of a recording that was cut off, and refuses a broken one",
  async (netns) => {
    await netns.addLinks(2);
    await using recording = await record(netns, () => Promise.resolve());
    const bytes = await Deno.readFile(recording.file);
    await Deno.writeFile(recording.file, bytes.subarray(0, bytes.length - 24));
    const cut = await replay(recording.file);
    await cut.rows.ended;
    assert.equal(cut.rows.rows.has("Ethernet4"), true);
    assert.match(cut.telemetry.messages("warn").join(), /The recording has no end/);
    await cut.rows[Symbol.asyncDispose]();

    await Deno.writeFile(recording.file, bytes.subarray(0, bytes.length - 25));
    const broken = await replay(recording.file);
    await assert.rejects(broken.rows.ended, (error) => {
      assert(error instanceof StopError);
      assert.match(
        error.message,
        /psnl: The recording cannot be read at byte \d+: the file ends inside/,
      );
      return true;
    });
    await assert.rejects(async () => await broken.rows[Symbol.asyncDispose]());
  },
);

netnsTest(
  "replay takes the time that the recording took, and stops when it is told",
  async (netns) => {
    await netns.addLinks(1);
    await using recording = await record(netns, async () => {
      await netns.ip("link", "set", "Ethernet0", "mtu", "1400");
      await new Promise((resolve) => setTimeout(resolve, 150));
      await netns.ip("link", "set", "Ethernet0", "mtu", "1401");
    });
    const start = performance.now();
    const { rows } = await replay(recording.file, { pace: "recorded" });
    await rows.ended;
    assert(performance.now() - start >= 140);
    assert.equal(rows.rows.get("Ethernet0")?.["admin_status"], "down");
    await rows[Symbol.asyncDispose]();

    const stopped = await replay(recording.file, { pace: "recorded" });
    await stopped.rows.until(({ rows }) => rows.size > 0, "the dump");
    await stopped.rows[Symbol.asyncDispose]();
    assert.notEqual(stopped.rows.rows.get("Ethernet0")?.["mtu"], "1401");
  },
);

Deno.test("replay says which file it cannot open", async () => {
  await assert.rejects(
    replay("/nonexistent/links.psnl"),
    /Cannot open the recording \/nonexistent\/links.psnl: No such file/,
  );
});
