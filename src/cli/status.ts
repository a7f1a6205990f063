/**
 * `portsync status`
 *
 * @module
 */
import { ExitCode, StopError } from "../core/errors.ts";
import { escapeControls } from "../core/escape.ts";
import { askControl } from "../runtime/control.ts";
import { thisMachine } from "../spec/machine.ts";
import { runtimeFolder } from "../spec/resolve.ts";
import type { Arguments, Command, Io, Output } from "./command.ts";
import { duration, numberLines, readStatus, type StatusView } from "./status_view.ts";

/** Shows what runs on this machine. */
export const command: Command = {
  name: "status",
  summary: "Show the pipelines that run on this machine",
  usage: "",
  operands: { min: 0, max: 0 },
  details: [
    "Asks every control socket in the runtime folder: that of a supervisor, and those of pipelines " +
    "that run alone. Only the user that runs them may ask.",
  ],
  options: {
    json: { description: "the same as one JSON object" },
    folder: { value: "FOLDER", description: "the runtime folder, where a spec sets another one" },
  },
  examples: [
    { line: "status", shows: "what runs, since when and with which numbers" },
    { line: "status --json --folder /run/portsync", shows: "the same for scripts" },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const folder = args.text("folder") ?? runtimeFolder(thisMachine());
  const services: unknown[] = [];
  for (const path of sockets(folder)) {
    try {
      services.push(await askControl(path, { request: "status" }));
    } catch (error) {
      // A socket without a listener is what a killed process leaves behind.
      if (!(error instanceof StopError)) throw error;
    }
  }
  if (services.length === 0) {
    throw new StopError(`No portsync runs here: nothing listens in ${folder}`);
  }
  if (args.flag("json")) io.out.line(JSON.stringify({ services }, undefined, 2));
  else services.forEach((service) => print(readStatus(service), io.out));
  return ExitCode.ok;
}

function sockets(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => name.endsWith(".socket")).sort().map((name) => `${folder}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function print({ file, pid, since, pipelines }: StatusView, out: Output): void {
  const { bold, dim, green, red, yellow } = out.paint;
  out.line(`${bold(escapeControls(file))} ${dim(`process ${pid}, for ${duration(since)}`)}`);
  for (const { name, state, pid, restarts, since, lastError, report } of pipelines) {
    const tint = state === "running" ? green : state === "failed" ? red : yellow;
    const facts = [
      ...(pid === undefined ? [] : [`process ${pid}`]),
      `for ${duration(since)}`,
      ...(restarts === 0 ? [] : [`started again ${restarts} times`]),
    ];
    out.line(`  ${bold(escapeControls(name))} ${tint(state)} ${dim(facts.join(", "))}`);
    if (lastError !== undefined) out.line(`    ${red("last error")} ${escapeControls(lastError)}`);
    for (const line of numberLines(report)) out.line(`    ${escapeControls(line)}`);
  }
}
