/**
 * Private network namespaces with links of the real kernel, for tests and benchmarks. Needs root
 * and iproute2.
 *
 * @module
 */

/** Kinds of links that every kernel of ours can make; a `veth` comes with a peer, `p-NAME`. */
export type LinkKind = "ifb" | "veth" | "bridge";

/** Whether this machine lets us make namespaces; tests are ignored where it does not. */
export const canMakeNamespaces: boolean = Deno.uid() === 0;

/** How `Netns.addLinks` makes links. */
export interface LinkOptions {
  /** Names are this and 0, `step`, 2 × `step`, …; default `Ethernet`. */
  readonly prefix?: string;
  /** Default 4, as SONiC numbers ports with four lanes. */
  readonly step?: number;
  /** Default `ifb`, which behaves as a dummy device does. */
  readonly kind?: LinkKind;
  /** Whether to set the links up; default false. */
  readonly up?: boolean;
}

/**
 * A network namespace of one test. Dispose of it with `await using`.
 *
 * @example
 * ```ts ignore
 * import { createNetns } from "./netns.ts";
 * await using netns = await createNetns();
 * const names = await netns.addLinks(128, { up: true });
 * await netns.ip("link", "set", names[0] ?? "", "mtu", "9000");
 * ```
 */
export class Netns implements AsyncDisposable {
  /** Name for `ip -n NAME` and for a spec's `namespace`. */
  readonly name: string;

  /** Not for callers: use {@linkcode createNetns}. */
  constructor(name: string) {
    this.name = name;
  }

  /** The path that the native library opens. */
  get path(): string {
    return `/run/netns/${this.name}`;
  }

  /** Runs `ip` inside the namespace and returns what it printed. */
  ip(...args: string[]): Promise<string> {
    return run("ip", ["-n", this.name, ...args]);
  }

  /** Runs many `ip` commands in one process, each a line such as `link set Ethernet0 up`. */
  async batch(lines: readonly string[]): Promise<void> {
    await run("ip", ["-n", this.name, "-batch", "-"], lines.join("\n") + "\n");
  }

  /** Makes links, a few microseconds each, and returns their names. */
  async addLinks(count: number, options: LinkOptions = {}): Promise<string[]> {
    const { prefix = "Ethernet", step = 4, kind = "ifb", up = false } = options;
    const names = Array.from({ length: count }, (_, index) => `${prefix}${index * step}`);
    await this.batch(names.flatMap((name) => {
      const peer = kind === "veth" ? ` peer name p-${name}` : "";
      return [
        `link add ${name} type ${kind}${peer}`,
        ...(up ? [`link set ${name} up`] : []),
        ...(up && peer !== "" ? [`link set p-${name} up`] : []),
      ];
    }));
    return names;
  }

  /** Runs any program inside the namespace and returns what it printed. */
  exec(program: string, ...args: string[]): Promise<string> {
    return run("ip", ["netns", "exec", this.name, program, ...args]);
  }

  /** A command that runs inside the namespace, to be spawned by the caller. */
  command(
    program: string,
    args: readonly string[],
    options: Deno.CommandOptions = {},
  ): Deno.Command {
    return new Deno.Command("ip", {
      ...options,
      args: ["netns", "exec", this.name, program, ...args],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("ip", ["netns", "del", this.name]);
  }
}

/** Makes a namespace with a name that no other test has. */
export async function createNetns(): Promise<Netns> {
  const name = `ps-${crypto.randomUUID().slice(0, 13)}`;
  await run("ip", ["netns", "add", name]);
  return new Netns(name);
}

async function run(program: string, args: readonly string[], input?: string): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    // A program that fails early closes its end; its own message says more than EPIPE.
    await writer.write(new TextEncoder().encode(input)).catch(() => {});
    await writer.close().catch(() => {});
  }
  const { success, code, stdout, stderr } = await child.output();
  if (!success) {
    const complaint = new TextDecoder().decode(stderr).trim();
    throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${complaint}`);
  }
  return new TextDecoder().decode(stdout);
}
