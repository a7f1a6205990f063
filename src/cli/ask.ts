/**
 * Asking the pipelines of a spec that run on this machine, for every command that does.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";
import { askControl } from "../runtime/control.ts";
import type { Question } from "../runtime/protocol.ts";
import { absolutePath, thisMachine } from "../spec/machine.ts";
import { controlPath, lonePath } from "../spec/programs.ts";
import { runtimeFolder } from "../spec/resolve.ts";
import { printable } from "./arguments.ts";
import { loadChecked, type SpecWords } from "./load_plan.ts";
import { pickPipelines } from "./pick.ts";
import { readStatus, type StatusView } from "./status_view.ts";

/** A pipeline of the spec and what it said. */
export interface Reply {
  /** Its name. */
  readonly pipeline: string;
  /** What it answered; undefined where it could not. */
  readonly answer?: unknown;
  /** Why it could not. */
  readonly error?: string;
}

/**
 * Puts a question to one pipeline of a spec, or to all of them. Only the check phase is gone
 * through: what runs goes by the spec as it was, and the machine need not have all that it names.
 *
 * @throws {SpecError} with all that is wrong with the spec
 * @throws {UsageError} when it has no pipeline of that name
 * @throws {StopError} when none of them runs
 */
export async function askPipelines(
  words: SpecWords,
  name: string | undefined,
  question: Question,
): Promise<readonly Reply[]> {
  const { config } = await loadChecked(words);
  const machine = thisMachine();
  const file = absolutePath(words.file, machine.workingFolder);
  const all = Object.keys(config.pipelines).map((name) => ({ name }));
  const wanted = pickPipelines({ pipelines: all, file: words.file }, name);
  const folder = absolutePath(
    config.service.runtime_folder ?? runtimeFolder(machine),
    absolutePath("..", file),
  );
  const supervisor = await statusAt(controlPath(folder));
  const replies = await Promise.all(wanted.map(async ({ name }): Promise<Reply | undefined> => {
    const path = serves(supervisor, file, name)
      ? controlPath(folder)
      : await lonePathOf(folder, file, name);
    return path === undefined ? undefined : await ask(path, name, question);
  }));
  const given = replies.filter((reply) => reply !== undefined);
  if (given.length > 0) return given;
  throw nobody(words.file, folder, supervisor);
}

async function ask(path: string, pipeline: string, question: Question): Promise<Reply> {
  const { what, ...rest } = question;
  try {
    return { pipeline, answer: await askControl(path, { request: what, pipeline, ...rest }) };
  } catch (error) {
    if (error instanceof StopError) return { pipeline, error: error.message };
    throw error;
  }
}

async function lonePathOf(
  folder: string,
  file: string,
  name: string,
): Promise<string | undefined> {
  const path = lonePath(folder, name);
  return serves(await statusAt(path), file, name) ? path : undefined;
}

/** What listens on a socket; undefined where nobody does. */
async function statusAt(path: string): Promise<StatusView | undefined> {
  try {
    return readStatus(await askControl(path, { request: "status" }));
  } catch (error) {
    if (error instanceof StopError) return undefined;
    throw error;
  }
}

function serves(status: StatusView | undefined, file: string, pipeline: string): boolean {
  return status?.file === file && status.pipelines.some(({ name }) => name === pipeline);
}

function nobody(file: string, folder: string, other: StatusView | undefined): StopError {
  const found = other === undefined
    ? `nobody listens in ${folder}`
    : `in ${folder} runs ${printable(other.file)}`;
  return new StopError(
    `Nothing of ${file} runs here: ${found}. Start it with portsync run ${file}`,
  );
}
