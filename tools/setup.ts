/**
 * Sees to it that the programs are there which this machine does not have by itself.
 *
 * ```sh
 * deno task setup        # what tests need
 * deno task setup start  # what running portsync from its sources needs
 * deno task setup ok     # what every check needs
 * ```
 *
 * As root on Debian it installs what is missing, otherwise it prints the one command that does.
 *
 * @module
 */

/** Something that the machine must have. */
export interface Requirement {
  /** What it is and what for, for people. */
  readonly what: string;
  readonly packages: readonly string[];
  /** Whether it is here; looks at files only, because starting programs takes longer. */
  isHere(machine: Machine): boolean;
}

/** What the requirements ask of the machine, so that tests can stand in for it. */
export interface Machine {
  /** Whether the path is there. */
  exists(path: string): boolean;
  /** Names in a folder; none where it is not there. */
  list(folder: string): string[];
  /** The folders that programs are looked for in. */
  readonly path: readonly string[];
}

/** What the tasks need, by the name that is given to `deno task setup`. */
export type Need = "start" | "test" | "ok";

const COMPILER: Requirement = {
  what: "a C compiler with the headers of the C library, for the native library",
  packages: ["gcc", "libc6-dev"],
  isHere: (machine) =>
    hasProgram("cc", machine) && machine.exists("/usr/include/stdio.h") &&
    machine.exists("/usr/include/linux/rtnetlink.h"),
};

const REDIS: Requirement = {
  what: "redis-server, which each test starts for itself",
  packages: ["redis-server"],
  isHere: (machine) => hasProgram("redis-server", machine) && hasProgram("redis-cli", machine),
};

const IPROUTE: Requirement = {
  what: "ip, for the links of the tests",
  packages: ["iproute2"],
  isHere: (machine) => hasProgram("ip", machine),
};

const OPENSSL: Requirement = {
  what: "openssl, for the certificates of the tests",
  packages: ["openssl"],
  isHere: (machine) => hasProgram("openssl", machine),
};

const CLANG: Requirement = {
  what: "clang with its fuzzer, for the checks of the C code",
  packages: ["clang", "libclang-rt-dev"],
  isHere: (machine) => hasProgram("clang", machine) && hasFuzzer(machine),
};

const SPIN: Requirement = {
  what: "spin, for the models of the C code's protocols",
  packages: ["spin"],
  isHere: (machine) => hasProgram("spin", machine),
};

/** Everything each need asks for. */
export const REQUIREMENTS: Readonly<Record<Need, readonly Requirement[]>> = {
  start: [COMPILER],
  test: [COMPILER, REDIS, IPROUTE, OPENSSL],
  ok: [COMPILER, REDIS, IPROUTE, OPENSSL, CLANG, SPIN],
};

/** What of a need is not here. */
export function missing(need: Need, machine: Machine): Requirement[] {
  return REQUIREMENTS[need].filter((requirement) => !requirement.isHere(machine));
}

/** The one message for a person who has to install something. */
export function instructions(requirements: readonly Requirement[], byApt: boolean): string {
  const what = requirements.map((requirement) => `  - ${requirement.what}`).join("\n");
  const packages = requirements.flatMap((requirement) => requirement.packages).join(" ");
  const how = byApt
    ? `Install it with:\n  sudo apt-get update && sudo apt-get install -y ${packages}`
    : `There is no apt-get here. On Debian the packages are: ${packages}`;
  return `portsync needs what this machine does not have:\n${what}\n${how}`;
}

function hasProgram(name: string, machine: Machine): boolean {
  return machine.path.some((folder) => machine.exists(`${folder}/${name}`));
}

/** The runtime of the fuzzer is a package of its own, and each version has its own folder. */
function hasFuzzer(machine: Machine): boolean {
  return machine.list("/usr/lib").filter((name) => name.startsWith("llvm-")).some((llvm) => {
    const clang = `/usr/lib/${llvm}/lib/clang`;
    return machine.list(clang).some((version) =>
      machine.list(`${clang}/${version}/lib/linux`)
        .some((name) => name.startsWith("libclang_rt.fuzzer-"))
    );
  });
}

const thisMachine: Machine = {
  exists(path) {
    try {
      Deno.statSync(path);
      return true;
    } catch {
      return false;
    }
  },
  list(folder) {
    try {
      return [...Deno.readDirSync(folder)].map((entry) => entry.name);
    } catch {
      return [];
    }
  },
  path: (Deno.env.get("PATH") ?? "/usr/bin:/bin").split(":").filter((folder) => folder !== ""),
};

/** How long another program may hold the package manager. */
const LOCK_SECONDS = 300;

async function install(packages: readonly string[]): Promise<boolean> {
  console.error(`Installing ${packages.join(", ")} with apt-get`);
  const deadline = performance.now() + LOCK_SECONDS * 1000;
  let updated = await aptGet(["update"]);
  // Unlike the lock of dpkg, apt-get does not wait for the lock of its lists by itself.
  while (/lock \/var\/lib\/apt\/lists/.test(updated.text) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    updated = await aptGet(["update"]);
  }
  // A failed update is no reason to stop: one unreachable source of many is common.
  const installed = await aptGet([
    "install",
    "-y",
    "--no-install-recommends",
    "-o",
    `DPkg::Lock::Timeout=${LOCK_SECONDS}`,
    ...packages,
  ]);
  if (!installed.success) console.error(`${updated.text}${installed.text}`.trim());
  return installed.success;
}

async function aptGet(args: string[]): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command("apt-get", {
    args: ["-q", ...args],
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function main(args: readonly string[]): Promise<number> {
  const [need = "test"] = args;
  if (args.length > 1 || (need !== "start" && need !== "test" && need !== "ok")) {
    console.error("Usage: deno task setup [start|test|ok]");
    return 64;
  }
  const requirements = missing(need, thisMachine);
  if (requirements.length === 0) return 0;
  const byApt = hasProgram("apt-get", thisMachine);
  const packages = requirements.flatMap((requirement) => requirement.packages);
  if (byApt && Deno.uid() === 0 && await install(packages)) {
    if (missing(need, thisMachine).length === 0) return 0;
  }
  console.error(instructions(missing(need, thisMachine), byApt));
  return 69;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
