/**
 * Our netipc server or client as a process of its own, to be killed: says READY once it serves, or
 * once its first call was answered.
 *
 * @module
 */
import { Client, type ClientOptions } from "../../src/netipc/client.ts";
import { Method } from "../../src/netipc/codec/header.ts";
import { decodeIncrement, encodeIncrement } from "../../src/netipc/codec/increment.ts";
import { sealNative } from "../../ffi/load.ts";
import { Server, type ServerOptions } from "../../src/netipc/server.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "./native.ts";

/** Options that can be written as JSON. */
type Plain<T> = Omit<T, "library" | "runDir" | "authToken" | "allow" | "onRefused">;

/** A process with a server or a client of ours. */
export interface NetipcProgram extends AsyncDisposable {
  readonly process: Deno.ChildProcess;
  /** Ends a server as a program should; otherwise it is killed. */
  stop(): Promise<void>;
}

/**
 * Starts the program and waits until it is ready.
 *
 * @param wrapper a command that runs the one that is appended to it
 */
export async function startNetipcProgram(
  role: "server" | "client",
  options: Plain<ServerOptions> | Plain<ClientOptions>,
  wrapper: readonly string[] = [],
): Promise<NetipcProgram> {
  const library = await nativeLibrary();
  const job = JSON.stringify({ role, library, options });
  const [program = "", ...args] = [
    ...[...wrapper, Deno.execPath(), "run", "--quiet", "--no-check", "--no-prompt"],
    ...[`--allow-ffi=${library}`, import.meta.filename ?? "", job],
  ];
  const process = new Deno.Command(program, { args, stdout: "piped", stderr: "inherit" }).spawn();
  const reader = process.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  await process.stdout.cancel();
  if (value === undefined) throw new Error(`The ${role} did not start`);
  return {
    process,
    async stop(): Promise<void> {
      process.kill("SIGTERM");
      const { code } = await process.status;
      if (code !== 0) throw new Error(`The ${role} ended with ${code}`);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        process.kill("SIGKILL");
      } catch {
        // It was killed before.
      }
      await process.status;
    },
  };
}

/** Puts a store of this size in the place of the folder, for one process alone. */
export function inStoreOf(bytes: number): string[] {
  const mount = `mount -t tmpfs -o size=${bytes},mode=700 tmpfs ${NATIVE_TEST_FOLDER}`;
  return ["unshare", "--mount", "sh", "-c", `${mount} && exec "$@"`, "sh"];
}

/** Lets one process have so many files. */
export function withFiles(count: number): string[] {
  return ["sh", "-c", `ulimit -n ${count} && exec "$@"`, "sh"];
}

interface Job {
  readonly role: "server" | "client";
  readonly library: string;
  readonly options: Plain<ServerOptions & ClientOptions>;
}

async function main(text: string): Promise<void> {
  // Written above.
  const { role, library, options }: Job = JSON.parse(text);
  sealNative(library, [`${NATIVE_TEST_FOLDER}/`]);
  const all = { ...options, library, runDir: NATIVE_TEST_FOLDER, authToken: 0xDEADBEEFCAFEBABEn };
  if (role === "server") {
    const server = new Server(all, {
      method: Method.increment,
      handle: (request, response) => encodeIncrement(response, decodeIncrement(request) + 1n),
    });
    const serving = server.start();
    const end = () => void server.close();
    Deno.addSignalListener("SIGTERM", end);
    console.log("READY");
    await serving;
    return Deno.removeSignalListener("SIGTERM", end);
  }
  const client = new Client(all);
  await client.refresh();
  for (let value = 0n;; value = await client.increment(value)) {
    if (value === 1n) console.log("READY");
  }
}

if (import.meta.main) await main(Deno.args[0] ?? "");
