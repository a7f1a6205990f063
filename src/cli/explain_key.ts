/**
 * `portsync explain-key`
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import { escapeControls } from "../core/escape.ts";
import { printable } from "./arguments.ts";
import { askPipelines, type Reply } from "./ask.ts";
import type { Arguments, Command, Io } from "./command.ts";
import { pipelineOption, setOption } from "./options.ts";

/** Tells what a running pipeline makes of a key. */
export const command: Command = {
  name: "explain-key",
  summary: "Say what a running pipeline makes of a key, and what it waits for",
  usage: "FILE KEY",
  operands: { min: 2, max: 2 },
  details: [
    "For each sink: what is desired, what the sink is believed to hold, the state of the key and " +
    "since when, what it waits for, the last error, and how it came to where it is.",
    "KEY is a key of any table, such as Ethernet0, or with its table: 'PORT_TABLE|Ethernet0'. The " +
    "exit code is 1 when nobody knows it.",
  ],
  options: {
    json: { description: "the same as one JSON object" },
    pipeline: pipelineOption,
    set: setOption,
  },
  examples: [
    { line: "explain-key ports.yaml Ethernet0", shows: "why a port's row is as it is" },
    {
      line: "explain-key ports.yaml 'VLAN_MEMBER_TABLE|Vlan10|Ethernet0'",
      shows: "what a row with other rows before it waits for",
    },
  ],
  run,
};

/** What one stage of a pipeline knows of a key. */
interface Known {
  readonly stage: string;
  readonly lines: readonly string[];
}

async function run(args: Arguments, io: Io): Promise<number> {
  const [file = "", key = ""] = args.operands;
  const words = { file, overrides: args.list("set") };
  const replies = await askPipelines(words, args.text("pipeline"), { what: "explain-key", key });
  const found = replies.map((reply) => ({ reply, stages: readStages(reply.answer) }));
  if (args.flag("json")) {
    const pipelines = found.map(({ reply: { pipeline, error }, stages }) => ({
      name: pipeline,
      stages,
      ...(error === undefined ? {} : { error }),
    }));
    io.out.line(JSON.stringify({ key, pipelines }, undefined, 2));
  } else found.forEach(({ reply, stages }) => print(reply, stages, io));
  if (found.some(({ stages }) => stages.length > 0)) return ExitCode.ok;
  if (replies.some(({ error }) => error !== undefined)) return ExitCode.unavailable;
  io.error.line(`No running pipeline of ${file} knows a key ${printable(key)}`);
  return ExitCode.unknown;
}

function print({ pipeline, error }: Reply, stages: readonly Known[], io: Io): void {
  const { bold, dim } = io.out.paint;
  if (error !== undefined) io.error.line(escapeControls(`${pipeline}: ${error}`));
  for (const { stage, lines } of stages) {
    io.out.line(`${bold(escapeControls(pipeline))} ${dim(escapeControls(stage))}`);
    for (const line of lines) io.out.line(`  ${escapeControls(line)}`);
  }
}

/** Reads an answer; what is of another kind is left out. */
function readStages(answer: unknown): Known[] {
  if (!Array.isArray(answer)) return [];
  return answer.flatMap((value: unknown): Known[] => {
    if (typeof value !== "object" || value === null) return [];
    if (!("stage" in value) || typeof value.stage !== "string") return [];
    if (!("lines" in value) || !Array.isArray(value.lines)) return [];
    const lines = value.lines.filter((line) => typeof line === "string");
    return lines.length === 0 ? [] : [{ stage: value.stage, lines }];
  });
}
