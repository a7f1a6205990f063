/**
 * The product as an operator starts it: a spec in a file, `portsync run`, signals and logs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { build } from "../../tools/build.ts";
import { bundle } from "../../tools/bundle.ts";
import { eventually } from "./eventually.ts";
import { commandLine, descendants } from "./processes.ts";
import { ServerLog } from "./server_log.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** A spec as the file has it; JSON is YAML. */
export interface SpecTree {
  readonly service?: Readonly<Record<string, unknown>>;
  readonly pipelines: Readonly<Record<string, unknown>>;
}

/** How to start it. */
export interface PortsyncOptions {
  /** The command; default `run`. */
  readonly command?: string;
  /** Arguments after the command and the spec's file. */
  readonly args?: readonly string[];
  /**
   * Runs the command line that `portsync explain` prints: of the supervisor under its narrowest
   * permissions, or of the only pipeline alone. As `deno task portsync` does when left out.
   */
  readonly as?: "supervisor" | "alone";
  /** The deno that runs it; this process's own when left out. */
  readonly deno?: string;
  /** `DENO_DIR`, for a start with another cache. */
  readonly cacheFolder?: string;
  /** Holds the spec, the runtime folder and the data folder; a temporary one when left out. */
  readonly folder?: string;
}

/** Starts `portsync run` on a spec, in a folder of its own, and comes back at once. */
export async function startPortsync(
  spec: SpecTree,
  options: PortsyncOptions = {},
): Promise<Portsync> {
  prepared ??= prepare();
  await prepared;
  const folder = options.folder ?? await Deno.makeTempDir({ dir: "/tmp", prefix: "portsync-run-" });
  const file = `${folder}/spec.yaml`;
  const service = {
    runtime_folder: `${folder}/run`,
    data_folder: `${folder}/data`,
    ...spec.service,
  };
  await Deno.writeTextFile(file, JSON.stringify({ version: 1, ...spec, service }, null, 2));
  const { as, command = "run", args = [] } = options;
  const line = as === undefined
    ? [...programLine(options), command, file, ...args]
    : await explainedLine(as, file, options);
  return new Portsync(folder, file, line, options);
}

/** Deno with portsync and its default permissions. */
function programLine({ deno = Deno.execPath() }: PortsyncOptions): string[] {
  return [deno, "run", "-q", "-P", `--allow-run=${deno}`, `${ROOT}build/portsync/mod.js`];
}

async function explainedLine(
  as: "supervisor" | "alone",
  file: string,
  options: PortsyncOptions,
): Promise<string[]> {
  const [deno = "", ...args] = [...programLine(options), "explain", "--json", file];
  const { stdout } = await new Deno.Command(deno, { args }).output();
  const { supervisor, pipelines: [pipeline] } = JSON.parse(new TextDecoder().decode(stdout));
  return as === "supervisor" ? supervisor.command : pipeline.alone;
}

let prepared: Promise<void> | undefined;

/** Builds what is run. Test files that run side by side wait for each other. */
async function prepare(): Promise<void> {
  await build();
  using lock = await Deno.open(`${ROOT}build/tests.lock`, { create: true, write: true });
  await lock.lock(true);
  await bundle();
}

/** One running product. Disposing of it kills it and removes its folder, unless that was given. */
export class Portsync implements AsyncDisposable {
  /** The spec's file. */
  readonly file: string;
  readonly folder: string;
  /** The supervisor. */
  readonly pid: number;
  /** When the process was started, as `performance.now()`. */
  readonly startedAt: number = performance.now();
  readonly #isFolderOurs: boolean;
  readonly #child: Deno.ChildProcess;
  readonly #out: ServerLog;
  readonly #error: ServerLog;
  #status: Deno.CommandStatus | undefined;
  #isDisposed = false;

  /** Not for callers: use {@linkcode startPortsync}. */
  constructor(folder: string, file: string, line: readonly string[], options: PortsyncOptions) {
    this.folder = folder;
    this.file = file;
    const { cacheFolder } = options;
    this.#isFolderOurs = options.folder === undefined;
    // With setpriv the supervisor ends with the test's thread, and its children with it.
    this.#child = new Deno.Command("setpriv", {
      args: ["--pdeathsig", "KILL", ...line],
      // As `deno task portsync` has it.
      env: { DENO_NO_UPDATE_CHECK: "1", ...(cacheFolder && { DENO_DIR: cacheFolder }) },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#out = new ServerLog(this.#child.stdout);
    this.#error = new ServerLog(this.#child.stderr);
    void this.#child.status.then((status) => this.#status = status);
  }

  /** Everything that it has printed. */
  get log(): string {
    return this.#error.text + this.#out.text;
  }

  /** Waits for a log line that matches. */
  async logged(pattern: RegExp): Promise<void> {
    if (await this.#error.seen(pattern)) return;
    throw new Error(`portsync ended without saying ${pattern}:\n${this.log}`);
  }

  /** The process that moves the data of a pipeline; waits until there is one. */
  async pipelinePid(name?: string): Promise<number> {
    let pid = 0;
    await eventually(() => {
      pid = this.#pipelines(name)[0] ?? 0;
      return pid === 0 ? `there is no pipeline process\n${this.log}` : undefined;
    });
    return pid;
  }

  /** The supervisor and all that it has started. */
  pids(): number[] {
    return [this.pid, ...descendants(this.pid).map(({ pid }) => pid)];
  }

  /** Ends it as an operator does, which must go well. */
  async stop(signal: "SIGTERM" | "SIGINT" = "SIGTERM"): Promise<void> {
    this.#child.kill(signal);
    await this.finished();
  }

  /** Waits until it ends by itself, which must go well. */
  async finished(): Promise<void> {
    const { code } = await this.#child.status;
    assert.equal(code, 0, this.log);
  }

  /** Ends it as a crash does, and waits until its children are gone too. */
  async kill(): Promise<void> {
    const pids = this.pids();
    if (this.#status === undefined) this.#child.kill("SIGKILL");
    await this.#child.status;
    await eventually(() => {
      const left = pids.filter((pid) => commandLine(pid).length > 0);
      return left.length > 0 ? `left behind: ${left.map(commandLine).join("; ")}` : undefined;
    }, { withinMs: 5000 });
    await Promise.all([this.#out.ended, this.#error.ended]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await this.kill();
    if (this.#isFolderOurs) await Deno.remove(this.folder, { recursive: true });
  }

  #pipelines(name?: string): number[] {
    return descendants(this.pid).map(({ pid }) => pid).filter((pid) => {
      const words = commandLine(pid);
      return words.some((word) => word.endsWith("/pipeline_main.js")) &&
        (name === undefined || words.at(-1) === name);
    });
  }
}
