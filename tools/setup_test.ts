import assert from "node:assert/strict";
import { instructions, type Machine, missing } from "./setup.ts";

/** A machine on which exactly these paths are. */
function machine(...paths: string[]): Machine {
  return {
    path: ["/usr/local/bin", "/usr/bin"],
    exists: (path) => paths.includes(path),
    list: (folder) => {
      const inside = paths.filter((path) => path.startsWith(`${folder}/`));
      return [...new Set(inside.map((path) => path.slice(folder.length + 1).split("/")[0] ?? ""))];
    },
  };
}

const COMPILER = ["/usr/bin/cc", "/usr/include/stdio.h", "/usr/include/linux/rtnetlink.h"];
const PROGRAMS = [
  "/usr/bin/redis-server",
  "/usr/bin/redis-cli",
  "/usr/local/bin/ip",
  "/usr/bin/openssl",
];
const FUZZER = "/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a";

function packages(...found: ReturnType<typeof missing>): string[] {
  return found.flatMap((requirement) => requirement.packages);
}

Deno.test("missing() asks only for a compiler to start", () => {
  assert.deepEqual(packages(...missing("start", machine())), ["gcc", "libc6-dev"]);
  assert.deepEqual(missing("start", machine(...COMPILER)), []);
});

Deno.test("missing() sees a compiler that has no headers", () => {
  assert.deepEqual(packages(...missing("start", machine("/usr/bin/cc"))), ["gcc", "libc6-dev"]);
});

Deno.test("missing() asks for redis-server, ip and openssl to test", () => {
  assert.deepEqual(packages(...missing("test", machine(...COMPILER))), [
    "redis-server",
    "iproute2",
    "openssl",
  ]);
  assert.deepEqual(missing("test", machine(...COMPILER, ...PROGRAMS)), []);
});

Deno.test("missing() asks for clang together with its fuzzer, and for spin, for every check", () => {
  const here = [...COMPILER, ...PROGRAMS, "/usr/bin/clang"];
  assert.deepEqual(packages(...missing("ok", machine(...here))), [
    "clang",
    "libclang-rt-dev",
    "spin",
  ]);
  assert.deepEqual(missing("ok", machine(...here, FUZZER, "/usr/bin/spin")), []);
});

Deno.test("instructions() give one command that can be copied", () => {
  assert.equal(
    instructions(missing("test", machine(...COMPILER)), true),
    [
      "portsync needs what this machine does not have:",
      "  - redis-server, which each test starts for itself",
      "  - ip, for the links of the tests",
      "  - openssl, for the certificates of the tests",
      "Install it with:",
      "  sudo apt-get update && sudo apt-get install -y redis-server iproute2 openssl",
    ].join("\n"),
  );
  assert.match(
    instructions(missing("start", machine()), false),
    /no apt-get here\. On Debian the packages are: gcc libc6-dev/,
  );
});
