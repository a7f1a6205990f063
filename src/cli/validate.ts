/**
 * `portsync validate FILE…`
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import { SpecError } from "../spec/errors.ts";
import type { Arguments, Command, Io } from "./command.ts";
import { printComplaints } from "./complaints.ts";
import { loadChecked } from "./load_plan.ts";
import { setOption } from "./options.ts";

/** Checks specs without touching anything. */
export const command: Command = {
  name: "validate",
  summary: "Check specs, and say everything that is wrong with them",
  usage: "FILE…",
  operands: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "Reads the files and nothing else: no server is asked and nothing is started, so a spec can " +
    "be checked on any machine. What a spec names on this machine is looked at by explain.",
    "Ends with 78 when any of the specs is wrong.",
  ],
  options: { set: setOption },
  examples: [
    { line: "validate /etc/portsync/*.yaml", shows: "every spec of a machine" },
    {
      line: "validate ports.yaml --set service.log_level=debug",
      shows: "a spec with a value changed",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  let exitCode: number = ExitCode.ok;
  for (const file of args.operands) {
    try {
      const { config } = await loadChecked({ file, overrides: args.list("set") });
      const count = Object.keys(config.pipelines).length;
      const what = `${count} pipeline${count === 1 ? "" : "s"}`;
      io.out.line(`${io.out.paint.green("fine")}  ${file}  ${io.out.paint.dim(what)}`);
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      printComplaints(error, io.error);
      exitCode = error.exitCode;
    }
  }
  return exitCode;
}
