/**
 * `portsync ring FILE`
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import { absolutePath } from "../spec/machine.ts";
import type { Arguments, Command, Io } from "./command.ts";
import { requirePermissions } from "./permissions.ts";
import { askTool, asObject, numberOf } from "./tool.ts";

/** Shows what is in a ring. */
export const command: Command = {
  name: "ring",
  summary: "Show how full a ring is, and who holds its ends",
  usage: "FILE",
  operands: { min: 1, max: 1 },
  details: [
    "FILE is the file of an shm source with protocol: ring. It is only read, so neither the " +
    "producer nor the pipeline is disturbed.",
  ],
  options: { json: { description: "the same as one JSON object" } },
  examples: [{ line: "ring /run/portsync/ports.ring", shows: "what waits for the pipeline" }],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [file = ""] = args.operands;
  requirePermissions([{ name: "run", command: Deno.execPath() }], ["ring", file]);
  const stat = asObject(await askTool({ job: "ring", file: absolutePath(file, Deno.cwd()) }));
  if (args.flag("json")) io.out.line(JSON.stringify(stat, undefined, 2));
  else print(stat, io);
  return ExitCode.ok;
}

function print(stat: Readonly<Record<string, unknown>>, { out }: Io): void {
  const show = (value: number) => value.toLocaleString("en-US");
  const many = (value: number, word: string) => `${show(value)} ${word}${value === 1 ? "" : "s"}`;
  const number = (name: string) => numberOf(stat, name);
  const used = number("producedBytes") - number("consumedBytes");
  const part = (100 * used / Math.max(1, number("capacity"))).toFixed(1);
  out.line(`${show(used)} of ${show(number("capacity"))} bytes wait, ${part} %`);
  const side = (name: "producer" | "consumer", done: string, frames: number) => {
    const pid = number(`${name}Pid`);
    const holder = pid === 0 ? out.paint.yellow("nobody") : `process ${pid}`;
    const sleeps = number(`${name}Sleeps`);
    out.line(`${name}: ${holder}, ${many(frames, "frame")} ${done}, slept ${many(sleeps, "time")}`);
  };
  side("producer", "written", number("produced"));
  side("consumer", "taken", number("consumed"));
}
