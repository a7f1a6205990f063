/**
 * Secrets stay references until the process that needs them reads them.
 *
 * A spec says `${file:/path}` or `${credential:NAME}`; a resolved plan only says
 * `${file:/absolute/path}`, because a pipeline's process sees no environment and so cannot know
 * where systemd put its credentials.
 *
 * @module
 */
import { StopError } from "./errors.ts";

/** The two forms of a reference, the whole text. */
export const SECRET_REFERENCE = /^\$\{(?:file:\/[^{}\n]+|credential:[A-Za-z0-9_.@-]+)\}$/;

/** Longest secret that is read, bytes. */
const LONGEST = 64 * 1024;

/** The absolute path of a `${file:/path}` reference; undefined for any other text. */
export function secretFile(reference: string): string | undefined {
  return /^\$\{file:(\/[^{}\n]+)\}$/.exec(reference)?.[1];
}

/** The name in a `${credential:NAME}` reference; undefined for any other text. */
export function secretCredential(reference: string): string | undefined {
  return /^\$\{credential:([A-Za-z0-9_.@-]+)\}$/.exec(reference)?.[1];
}

/**
 * Reads the secret that a resolved reference points at, without the newline that editors leave.
 *
 * @throws {StopError} when it cannot be read, is empty or is no text; the message never quotes it
 */
export async function readSecret(reference: string): Promise<string> {
  const path = secretFile(reference);
  if (path === undefined) throw new StopError("A secret is not a reference to a file");
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    throw new StopError(`The secret ${path} cannot be read: ${reason(cause)}`, { cause });
  }
  if (bytes.length > LONGEST) throw new StopError(`The secret ${path} is longer than 64 KiB`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "");
  } catch {
    throw new StopError(`The secret ${path} is not UTF-8`);
  }
  if (text === "") throw new StopError(`The secret ${path} is empty`);
  return text;
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.NotCapable) return "it is not in this process's permissions";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}
