/**
 * A pipeline's process as its supervisor sees it.
 *
 * @module
 */
import type { LogRecord } from "../observe/record.ts";
import { LineSplitter, LineWriter } from "./lines.ts";
import {
  type Assignment,
  LONGEST_REPORT,
  type Order,
  type Question,
  readReport,
  type Report,
  type RowReport,
} from "./protocol.ts";

/** How long a process may take to answer a question, milliseconds. */
const ANSWER_MS = 2000;

/** The longest line on standard error that is logged, bytes. */
const LONGEST_CRY = 64 * 1024;

/** Who is told what the process says. */
export interface ProcessListeners {
  /** A line of its log. */
  onLog(record: LogRecord): void;
  /** Rows as its sinks hold them. */
  onRows(rows: readonly RowReport[]): void;
  /** Everything is made and moves. */
  onRunning(): void;
}

/** How a process ended. */
export interface ProcessEnding {
  /** The exit code; 128 and the number of the signal where one ended it. */
  readonly code: number;
  /** The signal that ended it, if one did. */
  readonly signal: Deno.Signal | null;
  /** Its last words, where it had any. */
  readonly error: string | undefined;
}

/** How a process is started. */
export interface ProcessCommand {
  /** Absolute path of Deno. */
  readonly deno: string;
  /** All arguments. */
  readonly args: readonly string[];
  /** What it is for. */
  readonly assignment: Assignment;
}

/** A started process. Its reports are outside data: it handles what comes from peers. */
export class PipelineProcess {
  /** The kernel's number of it. */
  readonly pid: number;
  /** Resolves when it is gone and all that it said has been read. Never rejects. */
  readonly ended: Promise<ProcessEnding>;
  /** When it last said something, as `performance.now()`. */
  lastHeard: number = performance.now();
  readonly #child: Deno.ChildProcess;
  readonly #listeners: ProcessListeners;
  readonly #pipeline: string;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #orders: LineWriter;
  readonly #questions = new Map<number, PromiseWithResolvers<unknown>>();
  #nextQuestion = 1;
  #lastWords: string | undefined;

  /** Starts it at once. */
  constructor({ deno, args, assignment }: ProcessCommand, listeners: ProcessListeners) {
    this.#pipeline = assignment.plan.name;
    this.#listeners = listeners;
    this.#child = new Deno.Command(deno, {
      args: [...args],
      cwd: "/",
      clearEnv: true,
      env: denoSettings(),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#stdin = this.#child.stdin.getWriter();
    this.#orders = new LineWriter(this.#stdin, Number.MAX_SAFE_INTEGER);
    this.#orders.send(assignment);
    this.ended = this.#follow();
  }

  /** Asks it to stop in order. */
  stop(withinMs: number): void {
    this.#order({ do: "stop", within_ms: withinMs });
  }

  /** Ends it at once. */
  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
  }

  /**
   * Asks it something.
   *
   * @throws {Error} when it refuses, ends or is too slow to answer
   */
  async ask(question: Question): Promise<unknown> {
    const id = this.#nextQuestion++;
    const answer = Promise.withResolvers<unknown>();
    this.#questions.set(id, answer);
    const timer = setTimeout(() => {
      answer.reject(new Error(`Pipeline ${this.#pipeline} did not answer in time`));
    }, ANSWER_MS);
    this.#order({ do: "ask", id, question });
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#questions.delete(id);
    }
  }

  #order(order: Order): void {
    this.#orders.send(order);
  }

  async #follow(): Promise<ProcessEnding> {
    const [{ code, signal }] = await Promise.all([
      this.#child.status,
      this.#read(this.#child.stdout, LONGEST_REPORT, (line) => this.#hear(readReport(line))),
      this.#read(this.#child.stderr, LONGEST_CRY, (line) => this.#cry(line)),
    ]);
    await this.#stdin.abort().catch(() => {}); // frees our end of the pipe
    for (const answer of this.#questions.values()) {
      answer.reject(new Error(`Pipeline ${this.#pipeline} ended before it answered`));
    }
    return { code, signal, error: this.#lastWords };
  }

  /** Reads lines until the stream ends. A process that does not keep to the protocol is ended. */
  async #read(
    stream: ReadableStream<Uint8Array>,
    longest: number,
    take: (line: string) => void,
  ): Promise<void> {
    const splitter = new LineSplitter(longest);
    try {
      for await (const chunk of stream) {
        for (const line of splitter.push(chunk)) take(line);
      }
    } catch (error) {
      this.#lastWords ??= `it was ended because it did not keep to the protocol: ${error}`;
      this.kill();
    }
  }

  #hear(report: Report): void {
    this.lastHeard = performance.now();
    switch (report.say) {
      case "beat":
        break;
      case "running":
        this.#listeners.onRunning();
        break;
      case "log":
        this.#listeners.onLog({ ...report.record, pipeline: this.#pipeline });
        break;
      case "rows":
        this.#listeners.onRows(report.rows);
        break;
      case "answer":
        this.#questions.get(report.id)?.resolve(report.result);
        break;
      case "refuse":
        this.#questions.get(report.id)?.reject(new Error(report.error));
        break;
      case "end":
        this.#lastWords = report.error;
    }
  }

  /** What comes on standard error is not ours: Deno or V8 had to say something. */
  #cry(line: string): void {
    if (line.trim() === "") return;
    const pipeline = this.#pipeline;
    this.#listeners.onLog({ time: Date.now(), level: "error", pipeline, message: line });
  }
}

/**
 * What Deno itself is told: where it keeps its cache, if that is not where it always is, and not to
 * look for a newer Deno half a second after its start, which asks the network and costs 2 MB.
 */
function denoSettings(): Record<string, string> {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "DENO_DIR" });
  const folder = state === "granted" ? Deno.env.get("DENO_DIR") : undefined;
  return { DENO_NO_UPDATE_CHECK: "1", ...(folder === undefined ? {} : { DENO_DIR: folder }) };
}
