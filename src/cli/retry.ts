/**
 * `portsync retry`
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import { escapeControls } from "../core/escape.ts";
import { printable } from "./arguments.ts";
import { askPipelines } from "./ask.ts";
import type { Arguments, Command, Io } from "./command.ts";
import { pipelineOption, setOption } from "./options.ts";

/** Has a running pipeline try a key again. */
export const command: Command = {
  name: "retry",
  summary: "Write a key at once that waits for its next attempt or was set aside",
  usage: "FILE KEY",
  operands: { min: 2, max: 2 },
  details: [
    "A row that the sink refused for good is set aside until its value changes; this tries it once " +
    "more, and one that waits after a failure need not wait any longer.",
    "KEY is a key of any table, such as Ethernet0, or with its table: 'PORT_TABLE|Ethernet0'. The " +
    "exit code is 1 when no pipeline has anything to try again.",
  ],
  options: { pipeline: pipelineOption, set: setOption },
  examples: [
    { line: "retry ports.yaml Ethernet0", shows: "after the cause of a refusal was mended" },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [file = "", key = ""] = args.operands;
  const words = { file, overrides: args.list("set") };
  const replies = await askPipelines(words, args.text("pipeline"), { what: "retry", key });
  const tried = replies.filter(({ answer }) => answer === true);
  for (const { pipeline, error } of replies) {
    if (error !== undefined) io.error.line(escapeControls(`${pipeline}: ${error}`));
  }
  for (const { pipeline } of tried) {
    io.out.line(escapeControls(`${pipeline}: ${key} is tried again`));
  }
  if (tried.length > 0) return ExitCode.ok;
  if (replies.some(({ error }) => error !== undefined)) return ExitCode.unavailable;
  io.error.line(
    `Nothing of ${printable(key)} was set aside or waits for another attempt; ` +
      `portsync explain-key ${file} KEY says why`,
  );
  return ExitCode.unknown;
}
