/**
 * The lock that keeps two writers apart: one process at a time runs a pipeline.
 *
 * It is the kernel's lock on an open file, so it goes with the process however that ends. The file
 * tells the holder's process and the lineage, which all holders have in common.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";

/** How long to wait for a predecessor that is about to end, milliseconds. */
const PATIENCE_MS = 2000;
const PAUSE_MS = 50;

/** A lock that is held. */
export interface PipelineLock extends Disposable {
  /** The lock file. */
  readonly path: string;
  /** What all holders of this lock have in common, and nobody else has. */
  readonly lineage: string;
}

/** The lock file of a pipeline. */
export function lockPath(runtimeFolder: string, pipeline: string): string {
  return `${runtimeFolder}/${pipeline}.lock`;
}

/**
 * Takes the lock of a pipeline. A process that is just ending is waited for.
 *
 * @param patience how long to wait for another holder, milliseconds
 * @throws {StopError} when another process holds it, with that process's number
 */
export async function takeLock(
  runtimeFolder: string,
  pipeline: string,
  patience = PATIENCE_MS,
): Promise<PipelineLock> {
  const path = lockPath(runtimeFolder, pipeline);
  const file = open(path);
  const deadline = performance.now() + patience;
  while (!file.tryLockSync(true)) {
    if (performance.now() >= deadline) {
      file.close();
      throw new StopError(
        `Pipeline ${pipeline} is run by another process already${holderOf(path)}; ` +
          `stop that one first (the lock is ${path})`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  const lineage = lineageIn(Deno.readTextFileSync(path)) ?? crypto.randomUUID();
  file.truncateSync();
  file.writeSync(new TextEncoder().encode(`${Deno.pid}\n${lineage}\n`));
  return { path, lineage, [Symbol.dispose]: () => file.close() };
}

function open(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StopError(`The lock ${path} cannot be opened: ${reason}`, { cause });
  }
}

function lineageIn(text: string): string | undefined {
  return /^\d+\n([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\n$/.exec(text)?.[1];
}

function holderOf(path: string): string {
  const pid = /^\d+$/m.exec(Deno.readTextFileSync(path))?.[0];
  return pid === undefined ? "" : ` (process ${pid})`;
}
