/**
 * `portsync resync`
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import { escapeControls } from "../core/escape.ts";
import { askPipelines } from "./ask.ts";
import type { Arguments, Command, Io } from "./command.ts";
import { setOption } from "./options.ts";

/** Has running pipelines read their sources anew. */
export const command: Command = {
  name: "resync",
  summary: "Read everything from the source once more, as after a loss",
  usage: "FILE [PIPELINE]",
  operands: { min: 1, max: 2 },
  details: [
    "The source is dumped, what differs is written, and rows of ours that the dump does not name " +
    "are removed. Where all is well this writes nothing. Every pipeline of the spec when none is " +
    "named. It is asked for and not waited for.",
  ],
  options: { set: setOption },
  examples: [
    { line: "resync ports.yaml", shows: "every pipeline of the spec" },
    { line: "resync ports.yaml port-sync", shows: "one of them" },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [file = "", name] = args.operands;
  const words = { file, overrides: args.list("set") };
  const replies = await askPipelines(words, name, { what: "resync" });
  for (const { pipeline, answer, error } of replies) {
    if (error !== undefined) io.error.line(escapeControls(`${pipeline}: ${error}`));
    else if (answer === true) io.out.line(`${escapeControls(pipeline)}: the source is read again`);
    else io.error.line(`${escapeControls(pipeline)}: its source cannot be read again`);
  }
  return replies.every(({ answer }) => answer === true) ? ExitCode.ok : ExitCode.unavailable;
}
