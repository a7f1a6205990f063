/**
 * The netipc peers in C that share nothing with the library: `c/tests/peer`.
 *
 * @module
 */
import { buildProgram } from "./build_c.ts";
import { NATIVE_TEST_FOLDER } from "./native.ts";

/** The token that the peers know. */
export const PEER_TOKEN = 0xDEADBEEFCAFEBABEn;

/** Values to increment that make the peer's server fail, or end. */
export const PEER_FAIL = 0xF00000000001n;
/** As {@linkcode PEER_FAIL}. */
export const PEER_CRASH = 0xF00000000002n;

/** A name for a service that no other test has. */
export function serviceName(): string {
  return `s-${crypto.randomUUID().slice(0, 13)}`;
}

/** A peer's server that runs. */
export interface PeerServer extends AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly service: string;
}

/**
 * Starts a peer's server and waits until it listens.
 *
 * @param profiles bits
 * @param method the method's number
 * @param maxResponse limit of its responses; default a mebibyte
 */
export async function startPeerServer(
  service: string,
  profiles: number,
  method: number,
  maxResponse = 1 << 20,
): Promise<PeerServer> {
  const args = [NATIVE_TEST_FOLDER, service, profiles, method, maxResponse].map(String);
  const program = await buildProgram("c/tests/peer/server.c");
  const process = new Deno.Command(program, { args, stdout: "piped", stderr: "inherit" }).spawn();
  const reader = process.stdout.getReader();
  const { value } = await reader.read();
  if (value === undefined) throw new Error("The peer's server did not start");
  reader.releaseLock();
  await process.stdout.cancel();
  return {
    process,
    service,
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await process.status;
      for await (const { name } of Deno.readDir(NATIVE_TEST_FOLDER)) {
        if (name.startsWith(`${service}.`) || name.startsWith(`${service}-`)) {
          await Deno.remove(`${NATIVE_TEST_FOLDER}/${name}`).catch(() => {});
        }
      }
    },
  };
}

/** A peer's client that runs. */
export async function spawnPeerClient(
  service: string,
  profiles: number,
  mode: string,
  count = 1,
  runDir: string = NATIVE_TEST_FOLDER,
): Promise<Deno.ChildProcess> {
  const args = [runDir, service, profiles, mode, count].map(String);
  const program = await buildProgram("c/tests/peer/client.c");
  return new Deno.Command(program, { args, stdout: "piped", stderr: "piped" }).spawn();
}

/**
 * Runs a peer's client to its end.
 *
 * @returns its last words: `PASS`, or what was wrong
 */
export async function runPeerClient(
  service: string,
  profiles: number,
  mode: string,
  count = 1,
  runDir: string = NATIVE_TEST_FOLDER,
): Promise<string> {
  const client = await spawnPeerClient(service, profiles, mode, count, runDir);
  const { stdout, stderr } = await client.output();
  const text = new TextDecoder();
  return `${text.decode(stdout)}${text.decode(stderr)}`.trim();
}
