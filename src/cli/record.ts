/**
 * `portsync record FILE --output RECORDING`
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import { runTask } from "../runtime/task.ts";
import { absolutePath } from "../spec/machine.ts";
import { type Arguments, type Command, type Io, UsageError } from "./command.ts";
import { onInterrupt } from "./interrupt.ts";
import { pipelineOption, setOption } from "./options.ts";
import { needsToStart, requirePermissions } from "./permissions.ts";
import { pickPipelines } from "./pick.ts";
import { makePlan } from "./plan_elsewhere.ts";
import { ServiceLog } from "./service_log.ts";

/** Records what the kernel says, for the replay source. */
export const command: Command = {
  name: "record",
  summary: "Record the datagrams of a netlink source, to be replayed anywhere",
  usage: "FILE",
  operands: { min: 1, max: 1 },
  details: [
    "Opens the sockets of the pipeline's source, asks for all links and writes every datagram to " +
    "a file until Ctrl-C. The pipeline itself is neither needed nor disturbed.",
  ],
  options: {
    output: { value: "RECORDING", short: "o", description: "the file to write" },
    pipeline: pipelineOption,
    set: setOption,
  },
  examples: [
    {
      line: "record ports.yaml --output links.rec",
      shows: "a file for a bug report, or for a test with the replay source",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [file = ""] = args.operands;
  const output = args.text("output");
  if (output === undefined) throw new UsageError("--output RECORDING is missing");
  requirePermissions(needsToStart(file), ["record", file]);
  const planned = await makePlan({ file, overrides: args.list("set") });
  if ("exitCode" in planned) return planned.exitCode;
  const { plan } = planned;
  const { service } = plan;
  const [pipeline, other] = pickPipelines(plan, args.text("pipeline"));
  if (pipeline === undefined || other !== undefined) {
    throw new UsageError(`There are several pipelines in ${file}; pick one with --pipeline NAME`);
  }
  const log = new ServiceLog(service.log_level);
  await log.open(service, io.error, (line) => io.error.write(line));
  using interrupt = onInterrupt(() => Deno.exit(ExitCode.ok));
  if (io.error.terminal) io.error.line("Recording until Ctrl-C");
  await runTask({
    task: "record",
    plan: pipeline,
    service,
    deno: Deno.execPath(),
    output: absolutePath(output, Deno.cwd()),
    onLog: (record) => log.write(record),
    signal: interrupt.signal,
  });
  return ExitCode.ok;
}
