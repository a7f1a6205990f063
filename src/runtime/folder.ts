/**
 * The runtime folder: locks and control sockets.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";

/**
 * Makes the runtime folder where it is missing, for nobody but this user. One that is there must
 * belong to this user or to root and be closed to others, or whoever owns it could take our place.
 *
 * @throws {StopError}
 */
export function prepareRuntimeFolder(folder: string): void {
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StopError(`The folder ${folder} cannot be made: ${reason(cause, folder)}`, { cause });
  }
  const { isDirectory, uid, mode } = Deno.statSync(folder);
  if (!isDirectory) throw new StopError(`${folder} is no folder; set service.runtime_folder`);
  const own = Deno.uid();
  if (uid !== 0 && uid !== own) {
    throw new StopError(
      `The folder ${folder} belongs to another user (${uid}); set service.runtime_folder`,
    );
  }
  if (mode !== null && (mode & 0o022) !== 0) {
    throw new StopError(
      `The folder ${folder} can be written by others; run chmod go-w ${folder}`,
    );
  }
}

function reason(error: unknown, folder: string): string {
  if (error instanceof Deno.errors.NotCapable) return `start with --allow-write=${folder}`;
  return error instanceof Error ? error.message : String(error);
}
