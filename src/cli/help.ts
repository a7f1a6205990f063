/**
 * Help texts, made from the table of commands.
 *
 * @module
 */
import type { Command, Output } from "./command.ts";

/** What every command understands besides its own options. */
const COMMON: Command["options"] = { help: { description: "Print this help", short: "h" } };

/** Prints the list of all commands. */
export function printOverview(commands: readonly Command[], out: Output): void {
  const { bold } = out.paint;
  out.line("portsync runs declarative pipelines between a switch's kernel and its databases");
  out.line();
  out.line(`${bold("Usage:")} portsync COMMAND [OPTION…]`);
  out.line("       portsync FILE            the same as portsync run FILE");
  out.line();
  out.line(bold("Commands:"));
  printColumns(commands.map((command) => [command.name, command.summary]), out);
  out.line();
  out.line(bold("Options:"));
  printColumns([
    ["--help", "Print this help, or after a command the help of that command"],
    ["--version", "Print the version"],
  ], out);
  out.line();
  out.line(bold("Exit codes:"));
  printColumns([
    ["0", "Success"],
    ["1", "What was asked about is not known"],
    ["64", "The command line is wrong"],
    ["69", "A needed service, program or permission is missing"],
    ["70", "A fault of portsync itself"],
    ["78", "The spec is wrong"],
  ], out);
}

/** Prints the help of one command. */
export function printHelp(command: Command, out: Output): void {
  const { bold } = out.paint;
  out.line(command.summary);
  out.line();
  out.line(`${bold("Usage:")} ${usageLine(command)}`);
  for (const paragraph of command.details ?? []) {
    out.line();
    out.line(paragraph);
  }
  out.line();
  out.line(bold("Options:"));
  const options = Object.entries({ ...command.options, ...COMMON });
  printColumns(
    options.map(([name, { short, value, multiple, description }]) => [
      (short === undefined ? "    " : `-${short}, `) + `--${name}` +
      (value === undefined ? "" : ` ${value}`),
      description + (multiple ? " (may be repeated)" : ""),
    ]),
    out,
  );
  if (command.examples.length === 0) return;
  out.line();
  out.line(bold("Examples:"));
  for (const { line, shows } of command.examples) {
    out.line(`  portsync ${line}`);
    out.line(`      ${out.paint.dim(shows)}`);
  }
}

/** `portsync run FILE [OPTION…]`. */
export function usageLine(command: Pick<Command, "name" | "usage">): string {
  return ["portsync", command.name, command.usage, "[OPTION…]"].filter((part) => part !== "")
    .join(" ");
}

function printColumns(rows: readonly (readonly [string, string])[], out: Output): void {
  const width = Math.max(...rows.map(([left]) => left.length));
  for (const [left, right] of rows) out.line(`  ${left.padEnd(width)}  ${right}`);
}
