/**
 * `portsync run FILE`
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import type { PipelinePlan, Plan } from "../spec/plan.ts";
import type { Arguments, Command, Io } from "./command.ts";
import { onInterrupt } from "./interrupt.ts";
import { setOption } from "./options.ts";
import { needsToStart, requireGrant, requirePermissions } from "./permissions.ts";
import { pickPipelines } from "./pick.ts";
import { makePlan } from "./plan_elsewhere.ts";
import { openScreen } from "./screen.ts";
import { ServiceLog } from "./service_log.ts";

/** Runs the pipelines of a spec. */
export const command: Command = {
  name: "run",
  summary: "Run the pipelines of a spec until Ctrl-C",
  usage: "FILE",
  operands: { min: 1, max: 1 },
  details: [
    "Each pipeline runs in a process of its own that is allowed what it needs and nothing else. " +
    "A process that dies is started again.",
    "SIGTERM and SIGINT end everything in order within service.shutdown_ms; a second one at once.",
  ],
  options: {
    set: setOption,
    "log-level": { value: "LEVEL", description: "debug, info, warn or error" },
    pipeline: {
      value: "NAME",
      description: "run only this one, in this process, for a unit of its own",
    },
    "dry-run": { description: "write nothing, and say what would be written" },
    watch: { description: "show the rows as they change: a table on a terminal, lines elsewhere" },
  },
  examples: [
    { line: "run examples/quickstart.yaml --watch", shows: "every link of this machine" },
    { line: "run ports.yaml --dry-run", shows: "what would be written, beside another daemon" },
    {
      line: "run ports.yaml --pipeline port-sync",
      shows: "one pipeline without a supervisor",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [file = ""] = args.operands;
  const alone = args.text("pipeline");
  requirePermissions(
    needsToStart(file).filter(({ name }) => alone === undefined || name !== "run"),
    ["run", file],
  );
  const level = args.text("log-level");
  const overrides = [
    ...args.list("set"),
    ...(level === undefined ? [] : [`service.log_level=${level}`]),
  ];
  const [planned] = await Promise.all([
    makePlan({ file, overrides }, { here: alone !== undefined }),
    // While another process reads the spec there is time to load what comes next.
    alone === undefined ? loadSupervisor() : undefined,
  ]);
  if ("exitCode" in planned) return planned.exitCode;
  return await start(planned.plan, args, io);
}

async function start(plan: Plan, args: Arguments, io: Io): Promise<number> {
  const alone = args.text("pipeline");
  const [first] = pickPipelines(plan, alone);
  const { service } = plan;
  const log = new ServiceLog(service.log_level);
  using screen = openScreen(io.out, io.error);
  const watch = args.flag("watch");
  const common = {
    dryRun: args.flag("dry-run"),
    log,
    ...(watch && { onRows: (name: string, rows: Rows) => screen.rows(name, rows) }),
  };
  const starter = alone === undefined || first === undefined
    ? await supervised(plan, common)
    : await unsupervised(plan, first, common);
  using interrupt = onInterrupt(() => starter.kill());
  const print = (line: string) => watch ? screen.text(line) : io.error.write(line);
  // The pipelines start while the log is still loading.
  const [exitCode] = await Promise.all([
    starter.start(interrupt.signal),
    log.open(service, io.error, print),
  ]);
  return exitCode;
}

type Rows = Parameters<ReturnType<typeof openScreen>["rows"]>[1];

interface Common {
  readonly dryRun: boolean;
  readonly log: ServiceLog;
  readonly onRows?: (name: string, rows: Rows) => void;
}

interface Starter {
  start(signal: AbortSignal): Promise<number>;
  /** Ends everything at once. */
  kill(): void;
}

async function loadSupervisor() {
  const [{ Supervisor }] = await Promise.all([
    import("../runtime/supervisor.ts"),
    import("../observe/log.ts"), // for ServiceLog
  ]);
  return Supervisor;
}

async function supervised(plan: Plan, common: Common): Promise<Starter> {
  const Supervisor = await loadSupervisor();
  const supervisor = new Supervisor({ ...common, plan, deno: Deno.execPath() });
  return { start: (signal) => supervisor.run(signal), kill: () => supervisor.kill() };
}

async function unsupervised(
  { file, service }: Plan,
  plan: PipelinePlan,
  common: Common,
): Promise<Starter> {
  requireGrant(plan, file);
  const { runAlone } = await import("../runtime/lone.ts");
  return {
    start: (signal) => runAlone({ ...common, file, plan, service, signal }),
    kill: () => Deno.exit(ExitCode.ok),
  };
}
