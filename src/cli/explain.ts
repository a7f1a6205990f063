/**
 * `portsync explain FILE`
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import { escapeControls } from "../core/escape.ts";
import { denoArguments, shellLine } from "../spec/grant.ts";
import type { PipelinePlan } from "../spec/plan.ts";
import {
  loneGrant,
  loneProgram,
  pipelineProgram,
  supervisorGrant,
  supervisorProgram,
} from "../spec/programs.ts";
import type { Arguments, Command, Io, Output } from "./command.ts";
import { type Loaded, loadPlan } from "./load_plan.ts";
import { setOption } from "./options.ts";

/** Shows what a spec becomes on this machine. */
export const command: Command = {
  name: "explain",
  summary: "Show the plan of a spec, its permissions and why, and the command lines",
  usage: "FILE",
  operands: { min: 1, max: 1 },
  details: [
    "The plan is the spec with every default filled in, paths made absolute and names of " +
    "databases looked up. Secrets stay references. Nothing is started and no server is asked.",
    "The command line of a pipeline is the one that run starts it with, word for word.",
  ],
  options: {
    json: { description: "the same as one JSON object" },
    plan: { description: "only the plan as one JSON object: what run works by" },
    set: setOption,
  },
  examples: [
    { line: "explain examples/quickstart.yaml", shows: "the plan, for people" },
    {
      line: "explain ports.yaml --json",
      shows: "the same, for programs",
    },
  ],
  run,
};

/** What a spec becomes, as `explain --json` prints it. */
export interface Explanation {
  /** The spec's file, absolute. */
  readonly file: string;
  /** Settings of the service, completed. */
  readonly service: Loaded["plan"]["service"];
  /** Each pipeline's plan with the command line that runs it. */
  readonly pipelines: readonly ExplainedPipeline[];
  /** The supervisor under the narrowest permissions that this spec allows. */
  readonly supervisor: { readonly command: readonly string[] };
}

/** One pipeline, as `explain --json` prints it. */
export interface ExplainedPipeline extends PipelinePlan {
  /** How the supervisor starts it. */
  readonly command: readonly string[];
  /** How it is started without a supervisor, under the narrowest permissions. */
  readonly alone: readonly string[];
}

/** Puts a plan and its command lines together. */
export function explanation(loaded: Loaded, deno: string): Explanation {
  const { plan, checked: { environment } } = loaded;
  const surroundings = { deno, environment };
  const grant = supervisorGrant(loaded, surroundings);
  return {
    file: plan.file,
    service: plan.service,
    pipelines: plan.pipelines.map((pipeline) => ({
      ...pipeline,
      command: [deno, ...denoArguments(pipeline.grant, pipelineProgram(pipeline.name))],
      alone: [
        deno,
        ...denoArguments(
          loneGrant(loaded, pipeline, surroundings),
          loneProgram(plan.file, pipeline.name),
        ),
      ],
    })),
    supervisor: { command: [deno, ...denoArguments(grant, supervisorProgram(plan.file))] },
  };
}

async function run(args: Arguments, io: Io): Promise<number> {
  const [file = ""] = args.operands;
  const loaded = await loadPlan({ file, overrides: args.list("set") });
  if (args.flag("plan")) {
    // Without the command lines, which a path with a comma in it has none of.
    io.out.line(JSON.stringify(loaded.plan));
    return ExitCode.ok;
  }
  const explained = explanation(loaded, Deno.execPath());
  if (args.flag("json")) io.out.line(JSON.stringify(explained, undefined, 2));
  else print(explained, io.out);
  return ExitCode.ok;
}

function print({ file, service, pipelines, supervisor }: Explanation, out: Output): void {
  const { bold } = out.paint;
  out.line(`${bold("Spec")} ${escapeControls(file)}`);
  printSettings({ service }, "  ", out);
  for (const pipeline of pipelines) {
    const { name, namespace, source, transforms, sinks } = pipeline;
    out.line();
    out.line(`${bold("Pipeline")} ${name}`);
    const settings = { ...(namespace === undefined ? {} : { namespace }), source };
    printSettings({ ...settings, transforms, sinks }, "  ", out);
    printReasons(pipeline, out);
    printCommand("Started as", pipeline.command, out);
    printCommand("Without a supervisor, for a unit of its own", pipeline.alone, out);
  }
  out.line();
  out.line(bold("Supervisor"));
  printCommand("Narrowest command line for this spec", supervisor.command, out);
}

function printReasons({ reasons }: PipelinePlan, out: Output): void {
  out.line();
  out.line("  It may, and nothing else:");
  const verbs = {
    read: "read",
    write: "write",
    net: "connect to",
    ffi: "load",
    native: "open from the native library",
  } as const;
  for (const { why, ...part } of reasons) {
    for (const [kind, verb] of Object.entries(verbs)) {
      for (const entry of entriesOf(part, kind)) {
        out.line(`    ${verb} ${escapeControls(entry)}  ${out.paint.dim(`— ${why}`)}`);
      }
    }
  }
}

function entriesOf(part: object, kind: string): readonly string[] {
  const entries: unknown = Object.entries(part).find(([key]) => key === kind)?.[1];
  return Array.isArray(entries) ? entries.filter((entry) => typeof entry === "string") : [];
}

function printCommand(title: string, command: readonly string[], out: Output): void {
  out.line();
  out.line(`  ${title}:`);
  out.line(`    ${escapeControls(shellLine(command))}`);
}

/** Settings as YAML would write them, without a library for it. */
function printSettings(settings: object, indent: string, out: Output): void {
  for (const [key, value] of Object.entries(settings)) printEntry(`${key}:`, value, indent, out);
}

function printEntry(head: string, value: unknown, indent: string, out: Output): void {
  if (Array.isArray(value) && value.some((item) => typeof item === "object")) {
    out.line(`${indent}${out.paint.cyan(head)}`);
    for (const item of value) printEntry("-", item, `${indent}  `, out);
  } else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    out.line(`${indent}${out.paint.cyan(head)}`);
    printSettings(value, `${indent}  `, out);
  } else {
    out.line(`${indent}${out.paint.cyan(head)} ${escapeControls(JSON.stringify(value))}`);
  }
}
