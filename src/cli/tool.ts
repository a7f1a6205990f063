/**
 * Looking at a peer in a process of its own, which may load the native library and nothing else.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";
import { LIBRARY, TOOL_ENTRY } from "../spec/programs.ts";

/**
 * Has a job done by `src/netipc/tool_main.ts`.
 *
 * @returns its answer, which holds what the peer said: outside data
 * @throws {StopError} with the reason when it could not be done
 */
export async function askTool(job: Readonly<Record<string, unknown>>): Promise<unknown> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", `--allow-ffi=${LIBRARY}`, TOOL_ENTRY],
    cwd: "/",
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify({ ...job, library: LIBRARY })));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const text = new TextDecoder();
  const said = readObject(text.decode(stdout));
  if ("answer" in said) return said["answer"];
  const reason = said["error"] ?? text.decode(stderr).trim();
  throw new StopError(String(reason === "" ? "The process that looked ended early" : reason));
}

/** An object that JSON text holds; an empty one for anything else. */
export function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return {};
  }
}

/** A value as an object whose members are not known; an empty one for anything else. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** A member that should be a number. */
export function numberOf(value: Readonly<Record<string, unknown>>, name: string): number {
  const member = value[name];
  return typeof member === "number" ? member : 0;
}
