/**
 * Reads the file of a spec.
 *
 * @module
 */
import { SpecError } from "./errors.ts";
import { decodeSpec, SourceText, tooLarge } from "./source_text.ts";
import { LIMITS } from "./tree.ts";

/**
 * Reads a spec's text, and never more of a file than a spec may have.
 *
 * @throws {SpecError} when the file is not there, cannot be read, is too large or is no text
 */
export async function readSpec(path: string): Promise<SourceText> {
  try {
    using file = await Deno.open(path);
    const { size } = await file.stat();
    if (size > LIMITS.bytes) throw tooLarge(path, size);
    return decodeSpec(path, await readBounded(file));
  } catch (error) {
    const message = reason(error);
    if (message === undefined) throw error;
    const place = { start: 0, end: 1 };
    throw new SpecError([new SourceText(path, "").complain(place, message)], { cause: error });
  }
}

/** Reads to the end, or until it is too much: the size of a device or a pipe says nothing. */
async function readBounded(file: Deno.FsFile): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  while (total <= LIMITS.bytes) {
    const chunk = new Uint8Array(64 * 1024);
    const read = await file.read(chunk);
    if (read === null) break;
    chunks.push(chunk.subarray(0, read));
    total += read;
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function reason(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotFound) return "There is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "The file may not be read";
  if (error instanceof Deno.errors.IsADirectory) return "This is a folder, and a spec is a file";
  if (error instanceof Deno.errors.NotADirectory) return "There is no such file";
  if (error instanceof Deno.errors.FilesystemLoop) return "The file is a link to itself";
  return undefined;
}
