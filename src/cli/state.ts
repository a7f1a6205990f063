/**
 * `portsync state FILE`
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import type { PipelinePlan, Plan } from "../spec/plan.ts";
import type { RowReport } from "../runtime/protocol.ts";
import { runTask } from "../runtime/task.ts";
import type { Arguments, Command, Io } from "./command.ts";
import { onInterrupt } from "./interrupt.ts";
import { pipelineOption, setOption } from "./options.ts";
import { needsToStart, requirePermissions } from "./permissions.ts";
import { pickPipelines } from "./pick.ts";
import { makePlan } from "./plan_elsewhere.ts";
import { RowTable } from "./row_table.ts";
import { openScreen, terminalSize } from "./screen.ts";
import { ServiceLog } from "./service_log.ts";

/** Shows the rows that the sinks hold. */
export const command: Command = {
  name: "state",
  summary: "Show the rows that the sinks of a spec hold",
  usage: "FILE",
  operands: { min: 1, max: 1 },
  details: [
    "Reads the tables that the pipelines keep, under the pipelines' own permissions, and writes " +
    "nothing. The pipelines need not run.",
  ],
  options: {
    watch: { description: "go on, and show what changes: a table on a terminal, lines elsewhere" },
    json: { description: "one JSON object for each row" },
    pipeline: pipelineOption,
    set: setOption,
  },
  examples: [
    { line: "state examples/quickstart.yaml", shows: "a table of every link" },
    { line: "state ports.yaml --watch", shows: "the rows as they change" },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [file = ""] = args.operands;
  requirePermissions(needsToStart(file), ["state", file]);
  const planned = await makePlan({ file, overrides: args.list("set") });
  if ("exitCode" in planned) return planned.exitCode;
  const { plan } = planned;
  const pipelines = pickPipelines(plan, args.text("pipeline"));
  if (args.flag("watch")) await watch(plan, pipelines, args.flag("json"), io);
  else await show(plan, pipelines, args.flag("json"), io);
  return ExitCode.ok;
}

async function show(
  plan: Plan,
  pipelines: readonly PipelinePlan[],
  json: boolean,
  io: Io,
): Promise<void> {
  using interrupt = onInterrupt(() => Deno.exit(ExitCode.ok));
  const log = await openLog(plan, (line) => io.error.write(line), io);
  const table = new RowTable();
  const take = ({ name }: PipelinePlan) => (rows: readonly RowReport[]) => {
    for (const row of rows) table.take(name, row);
  };
  for (const pipeline of pipelines) {
    await runTask({ ...common(plan, pipeline, log, interrupt.signal), onRows: take(pipeline) });
  }
  if (json) {
    for (const row of table.rows) io.out.line(JSON.stringify(row));
    return;
  }
  if (table.rows.length === 0) io.error.line("There are no rows to show");
  const columns = io.out.terminal ? terminalSize().columns : Number.POSITIVE_INFINITY;
  const lines = table.lines(io.out.paint, { rows: Number.POSITIVE_INFINITY, columns });
  for (const line of lines) io.out.line(line);
}

async function watch(
  plan: Plan,
  pipelines: readonly PipelinePlan[],
  json: boolean,
  io: Io,
): Promise<void> {
  using interrupt = onInterrupt(() => Deno.exit(ExitCode.ok));
  using screen = openScreen(io.out, io.error, { json });
  const log = await openLog(plan, (line) => screen.text(line), io);
  await Promise.all(pipelines.map((pipeline) =>
    runTask({
      ...common(plan, pipeline, log, interrupt.signal),
      watch: true,
      onRows: (rows) => screen.rows(pipeline.name, rows),
    })
  ));
}

function common(
  { service }: Plan,
  plan: PipelinePlan,
  log: ServiceLog,
  signal: AbortSignal,
) {
  return {
    task: "state",
    plan,
    // What a sink says of itself is of no interest to who wants to see its rows.
    service: { ...service, log_level: "warn" },
    deno: Deno.execPath(),
    onLog: (record: Parameters<ServiceLog["write"]>[0]) => log.write(record),
    signal,
  } as const;
}

async function openLog(
  { service }: Plan,
  print: (line: string) => void,
  io: Io,
): Promise<ServiceLog> {
  const log = new ServiceLog(service.log_level);
  await log.open(service, io.error, print);
  return log;
}
