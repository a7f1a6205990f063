import assert from "node:assert/strict";
import { ExitCode } from "../../src/core/errors.ts";
import type { LogRecord } from "../../src/observe/record.ts";
import { PipelineProcess } from "../../src/runtime/process.ts";
import type { Assignment } from "../../src/runtime/protocol.ts";
import { ServerLog } from "../support/server_log.ts";

const ENTRY = new URL("../../src/runtime/pipeline_main.ts", import.meta.url).pathname;

const assignment: Assignment = {
  task: "run",
  plan: {
    name: "p",
    source: { type: "nothing" },
    transforms: [],
    sinks: [],
    library: "/nowhere.so",
    grant: { read: [], write: [], net: [], ffi: [], native: [] },
    reasons: [],
  },
  service: {
    runtime_folder: "/nowhere",
    data_folder: "/nowhere",
    log_level: "debug",
    log_format: "text",
    shutdown_ms: 1000,
  },
  dry_run: true,
  watch: false,
};

/** A process that is a shell script instead of a pipeline. */
function scripted(script: string) {
  const records: LogRecord[] = [];
  const process = new PipelineProcess({ deno: "/bin/sh", args: ["-c", script], assignment }, {
    onLog: (record) => records.push(record),
    onRows: () => {},
    onRunning: () => {},
  });
  return { process, records };
}

Deno.test("a process that does not keep to the protocol is ended", async () => {
  for (
    const script of ["echo nonsense; exec sleep 60", "head -c 2000000 /dev/zero; exec sleep 60"]
  ) {
    const { process } = scripted(script);
    const { signal, error } = await process.ended;
    assert.equal(signal, "SIGKILL");
    assert.match(error ?? "", /did not keep to the protocol/);
  }
});

Deno.test("what a process says on standard error is logged as an error of its pipeline", async () => {
  const { process, records } = scripted("echo 'out of memory' >&2; exit 3");
  assert.deepEqual(await process.ended, { code: 3, signal: null, error: undefined });
  assert.deepEqual(
    records.map(({ level, pipeline, message }) => [level, pipeline, message]),
    [["error", "p", "out of memory"]],
  );
});

Deno.test("a process cannot speak for another pipeline", async () => {
  const record = { time: 1, level: "info", message: "m", pipeline: "other" };
  const { process, records } = scripted(`echo '${JSON.stringify({ say: "log", record })}'`);
  await process.ended;
  assert.equal(records[0]?.pipeline, "p");
});

Deno.test("a question fails when the process refuses, or ends before it answers", async () => {
  const refusal = JSON.stringify({ say: "refuse", id: 1, error: "not now" });
  const refusing = scripted(`read assignment; read order; echo '${refusal}'; read more`);
  await assert.rejects(() => refusing.process.ask({ what: "status" }), /^Error: not now$/);
  refusing.process.kill();
  await refusing.process.ended;
  const ending = scripted("read assignment; read order; exit 0");
  await assert.rejects(() => ending.process.ask({ what: "status" }), /ended before it answered/);
  await ending.process.ended;
});

/** The pipeline's own program, with these lines on its standard input. */
async function pipelineMain(lines: readonly string[], options: { keepOpen?: boolean } = {}) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-prompt", ENTRY, "p"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const out = new ServerLog(child.stdout);
  const error = new ServerLog(child.stderr);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(lines.map((line) => line + "\n").join("")));
  if (!options.keepOpen) await writer.close();
  const { code } = await child.status;
  if (options.keepOpen) await writer.abort().catch(() => {});
  await Promise.all([out.ended, error.ended]);
  return { code, out: out.text, error: error.text };
}

Deno.test("a pipeline's process ends when its standard input does", async () => {
  assert.deepEqual(await pipelineMain([]), { code: ExitCode.ok, out: "", error: "" });
});

Deno.test("a pipeline's process says in one line what is wrong, without a stack trace", async () => {
  const stories: [string, number, RegExp][] = [
    ["nonsense", ExitCode.internal, /A fault of portsync: A line is no JSON/],
    [JSON.stringify({ task: "dance" }), ExitCode.internal, /The first line is no assignment/],
    [JSON.stringify(assignment), ExitCode.config, /There is no source nothing/],
  ];
  for (const [line, expected, words] of stories) {
    const { code, out, error } = await pipelineMain([line], { keepOpen: true });
    assert.equal(code, expected);
    assert.equal(error, "");
    const said = JSON.parse(out);
    assert.deepEqual([said.say, said.exit_code], ["end", expected]);
    assert.match(said.error, words);
  }
});
