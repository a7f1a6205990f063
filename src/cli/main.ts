/**
 * The command line: one table of commands, and what happens around the one that was asked for.
 *
 * @module
 */
import { ExitCode } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { printable, readArguments } from "./arguments.ts";
import { type Command, type Io, UsageError } from "./command.ts";
import { processIo } from "./terminal.ts";

/** Every command, loaded only when it is asked for, in the order of the help. */
export const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  run: () => import("./run.ts"),
  validate: () => import("./validate.ts"),
  explain: () => import("./explain.ts"),
  state: () => import("./state.ts"),
  status: () => import("./status.ts"),
  "explain-key": () => import("./explain_key.ts"),
  retry: () => import("./retry.ts"),
  resync: () => import("./resync.ts"),
  record: () => import("./record.ts"),
  ipc: () => import("./ipc.ts"),
  ring: () => import("./ring.ts"),
};

/** Runs this process's command line and ends the process; nothing ends with a stack trace. */
export async function runProgram(): Promise<never> {
  const io = processIo();
  const stumble = (event: Event, error: unknown) => {
    event.preventDefault();
    void report(error, Deno.args, io).then(Deno.exit);
  };
  globalThis.addEventListener("unhandledrejection", (event) => stumble(event, event.reason));
  globalThis.addEventListener("error", (event) => stumble(event, event.error));
  Deno.exit(await main(Deno.args, io));
}

/**
 * Runs the command that `words` name, without the leading `portsync`. Never throws: what goes wrong
 * is one message on standard error.
 *
 * @returns the exit code for the process
 */
export async function main(words: readonly string[], io: Io = processIo()): Promise<number> {
  try {
    return await dispatch(words, io);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return ExitCode.ok; // `portsync explain | head`
    return await report(error, words, io);
  }
}

async function dispatch(words: readonly string[], io: Io): Promise<number> {
  const [first, ...rest] = words;
  if (first === undefined) {
    const { printOverview } = await import("./help.ts");
    printOverview(await loadAll(), io.error);
    return ExitCode.usage;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    const { printHelp, printOverview } = await import("./help.ts");
    if (rest[0] === undefined) printOverview(await loadAll(), io.out);
    else printHelp(await load(rest[0]), io.out);
    return ExitCode.ok;
  }
  if (first === "--version" || first === "-V") {
    const { VERSION } = await import("./version.ts");
    io.out.line(`portsync ${VERSION} (deno ${Deno.version.deno}, ${Deno.build.target})`);
    return ExitCode.ok;
  }
  const isFile = !Object.hasOwn(commands, first) && looksLikeFile(first);
  const command = await load(isFile ? "run" : first);
  const own = isFile ? words : rest;
  if (asksForHelp(own)) {
    const { printHelp } = await import("./help.ts");
    printHelp(command, io.out);
    return ExitCode.ok;
  }
  return await command.run(readArguments(command, own), io);
}

/** `portsync FILE`: a word with a slash or the ending of a spec is no mistyped command. */
function looksLikeFile(word: string): boolean {
  return !word.startsWith("-") && (word.includes("/") || /\.(ya?ml|toml)$/.test(word));
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  const flags = end < 0 ? words : words.slice(0, end);
  return flags.includes("--help") || flags.includes("-h");
}

async function load(name: string): Promise<Command> {
  const module = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (module !== undefined) return (await module()).command;
  const meant = nearest(name, [...Object.keys(commands), "--help", "--version"]);
  const what = name.startsWith("-") ? "option" : "command";
  throw new UsageError(
    `There is no ${what} ${printable(name)}` +
      (meant === undefined ? "" : `; did you mean ${meant}?`),
  );
}

async function loadAll(): Promise<Command[]> {
  return await Promise.all(Object.keys(commands).map(load));
}

async function report(error: unknown, words: readonly string[], io: Io): Promise<number> {
  const { SpecError } = await import("../spec/errors.ts");
  if (error instanceof SpecError) {
    const { printComplaints } = await import("./complaints.ts");
    printComplaints(error, io.error);
    return error.exitCode;
  }
  const { explainFailure } = await import("./failure.ts");
  const { message, exitCode } = explainFailure(error, words);
  io.error.line(`${io.error.paint.red("portsync:")} ${message}`);
  if (error instanceof UsageError) io.error.line("Try portsync --help");
  return exitCode;
}
