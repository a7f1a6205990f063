/**
 * A process that makes the `state_db` sink of the settings in its argument, writes a row, and
 * prints the table's rows, or why it could not.
 *
 * @module
 */
import type { Context } from "../../src/core/component.ts";
import createStateDb from "../../src/sinks/state_db/sink.ts";

const [settings = "{}"] = Deno.args;

const context: Context = {
  pipeline: "probe",
  library: "",
  dryRun: false,
  acknowledge: "applied",
  telemetry: {
    log: { debug() {}, info() {}, warn: console.error, error: console.error },
    counter: () => ({ value: 0 }),
    gauge() {},
  },
  fail: (error) => {
    console.log(error.message);
    Deno.exit(1);
  },
  resync() {},
};

const sink = await createStateDb(JSON.parse(settings), context);
const up = new Promise<void>((resolve) => {
  sink.connection.subscribe((event) => {
    if (event === "up") resolve();
  });
});
sink.open();
await up;
const row = {
  op: "set",
  table: "T",
  key: "Ethernet0",
  fields: { state: "ok" },
  removed: [],
} as const;
await sink.write([row]);
console.log(JSON.stringify(await Array.fromAsync(sink.scan("T"))));
await sink.close();
