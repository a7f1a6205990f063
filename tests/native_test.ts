import assert from "node:assert/strict";
import { RetryLaterError, StopError } from "../src/core/errors.ts";
import { openNative } from "../ffi/load.ts";
import { LinkDecoder, LinkSocket } from "../ffi/netlink.ts";
import { ABI, LAYOUT, PS_DUMP_BEGIN } from "../ffi/records.gen.ts";
import { netlinkSymbols } from "../ffi/symbols_netlink.ts";
import { nativeLibrary } from "./support/native.ts";
import { canMakeNamespaces, createNetns } from "./support/netns.ts";

const CHILD = new URL("fixtures/native_child.ts", import.meta.url).pathname;

interface Answer {
  readonly result?: unknown;
  readonly name?: string;
  readonly message?: string;
  readonly errno?: number;
}

/** Tells a story in a process that may load the library and do nothing else. */
async function tell(story: string, args: readonly string[], flags?: string[]): Promise<Answer> {
  const library = await nativeLibrary();
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      ...(flags ?? [`--allow-ffi=${library}`]),
      CHILD,
      story,
      library,
      ...args,
    ],
  }).output();
  const text = new TextDecoder();
  const line = text.decode(stdout);
  assert.notEqual(line, "", text.decode(stderr));
  return JSON.parse(line);
}

/** Builds a library that is not ours. */
async function otherLibrary(source: string): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/libother.so`;
  await Deno.writeTextFile(`${folder}/other.c`, source);
  const { success } = await new Deno.Command("cc", {
    args: ["-shared", "-fPIC", `${folder}/other.c`, "-o", path],
  }).output();
  assert(success);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

Deno.test("the library opens what it was sealed with, and no other path in any spelling", async () => {
  const EACCES = -13, EINVAL = -22, ENAMETOOLONG = -36;
  const sealed = ["/run/netns/blue", "/run/portsync/"];
  const { result } = await tell("paths", [
    ...sealed,
    "--",
    "/run/netns/blue",
    "/run/portsync/service.sock",
    "/run/netns/blu",
    "/run/netns/blue2",
    "/run/netns",
    "/run/portsync",
    "/run/portsync/deep/service.sock",
    "/run/portsync/",
    "/run/portsync/.",
    "/run/portsync/..",
    "/run/portsync/../netns/red",
    "/run//netns/blue",
    "run/netns/blue",
    "/",
    "",
    "/run/netns/blue\\0",
    `/${"x".repeat(4096)}`,
  ]);
  assert.deepEqual(result, [
    ...[0, 0],
    ...[EACCES, EACCES, EACCES, EACCES, EACCES],
    ...[EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL],
    ENAMETOOLONG,
  ]);
});

Deno.test("the library is sealed once; the same list again is fine", async () => {
  assert.deepEqual(await tell("twice", ["/run/a,/run/b", "/run/a,/run/b"]), { result: "sealed" });
  const other = await tell("twice", ["/run/a,/run/b", "/run/b"]);
  assert.equal(other.name, "StopError");
  assert.match(other.message ?? "", /was sealed with other paths before/);
});

Deno.test("the library is not sealed with paths that are relative, not plain or too many", async () => {
  for (const path of ["run/a", "/run/../etc", "/run//a", "/", `/${"x".repeat(5000)}`]) {
    assert.match((await tell("twice", [path, path])).message ?? "", /\(EINVAL\)/);
  }
  const many = Array.from({ length: 2000 }, (_, index) => `/run/path/${index}`).join(",");
  assert.match((await tell("twice", [many, many])).message ?? "", /\(E2BIG\)/);
});

Deno.test("a library that nobody sealed opens no path at all", async () => {
  const { name, errno } = await tell("unsealed", ["/run/netns/blue"]);
  assert.equal(name, "StopError");
  assert.equal(errno, 13);
});

Deno.test("a namespace outside of the grant, behind a link or not there is refused", async () => {
  const refused = await tell("namespace", ["/run/netns/blue", "/run/netns/red"]);
  assert.match(
    refused.message ?? "",
    /open the link socket in \/run\/netns\/red: .*not in the grant/,
  );
  assert.equal((await tell("namespace", ["/run/nowhere/blue", "/run/nowhere/blue"])).errno, 2);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.symlink("/proc/self/ns/net", `${folder}/link`);
    assert.equal((await tell("namespace", [`${folder}/link`, `${folder}/link`])).errno, 40);
    await Deno.mkdir(`${folder}/real`);
    await Deno.symlink(`${folder}/real`, `${folder}/folder`);
    const behind = `${folder}/folder/blue`;
    assert.match((await tell("namespace", [behind, behind])).message ?? "", /a symbolic link/);
    const under = `${folder}/other/blue`;
    await Deno.writeTextFile(`${folder}/other`, "");
    assert.equal((await tell("namespace", [under, under])).errno, 20);
    const plain = `${folder}/other`;
    assert.equal((await tell("namespace", [plain, plain])).errno, 22);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "a scoped --allow-ffi suffices to read the links of a granted namespace",
  ignore: !canMakeNamespaces,
  async fn() {
    await using netns = await createNetns();
    assert.deepEqual(await tell("namespace", [netns.path, netns.path]), { result: true });
  },
});

Deno.test("a process without the permission is told the flag", async () => {
  const library = await nativeLibrary();
  for (const flags of [[], ["--allow-ffi=/usr/lib/other.so"], ["--deny-ffi"]]) {
    const { name, message } = await tell("unsealed", [""], flags);
    assert.equal(name, "StopError");
    assert(message?.includes(`start it with --allow-ffi=${library}`), message);
  }
});

Deno.test("sockets that are forgotten are closed", async () => {
  const library = await nativeLibrary();
  const flags = [`--allow-ffi=${library}`, "--v8-flags=--expose-gc"];
  assert.deepEqual(await tell("forgotten", [], flags), { result: "opened" });
});

Deno.test("a library that is missing or is none names what mends it", () => {
  const open = (path: string) => () => openNative(path, netlinkSymbols);
  assert.throws(open("/nonexistent/libportsync.so"), (error) => {
    assert(error instanceof StopError);
    assert.match(error.message, /libportsync.so is not there; build it with: deno task build$/);
    return true;
  });
  assert.throws(open("libportsync.so"), /needs an absolute path/);
  assert.throws(open(CHILD), /cannot be loaded: .*invalid ELF header/);
});

Deno.test("a library of another version is refused from both sides", async () => {
  const head = "#include <stdint.h>\n#include <string.h>\n";
  const abi = (number: number) => `int32_t ps_abi(void) { return ${number}; }\n`;
  const init = (result: number) =>
    `int32_t ps_init(uint32_t a, void *b, uint32_t c, void *d, uint32_t e) { return ${result}; }\n` +
    "int32_t ps_path_check(void *a, uint32_t b) { return 0; }\n";
  const layout = (words: readonly number[]) =>
    `static uint32_t words[] = { ${words.join()} };\n` +
    "int32_t ps_layout(uint32_t *out, uint32_t capacity) {\n" +
    "  memcpy(out, words, 4 * (capacity < sizeof words / 4 ? capacity : sizeof words / 4));\n" +
    "  return sizeof words / 4; }\n";
  const changed = LAYOUT.with(2, 12345);
  for (
    const source of [
      head + abi(ABI + 1) + layout(LAYOUT) + init(0),
      head + abi(ABI) + layout(LAYOUT.slice(1)) + init(0),
      head + abi(ABI) + layout([...LAYOUT, 1]) + init(0),
      head + abi(ABI) + layout(changed) + init(0),
      // EPROTO: the library is not content with what it was shown.
      head + abi(ABI) + layout(LAYOUT) + init(-71),
      // A library that lacks what we call.
      head + abi(ABI) + layout(LAYOUT) + init(0),
    ]
  ) {
    await using other = await otherLibrary(source);
    assert.throws(
      () => openNative(other.path, netlinkSymbols),
      /belongs to another version of portsync; build it again with: deno task build$/,
    );
  }
});

Deno.test("a link socket waits alone, and is closed while it waits", async () => {
  const library = await nativeLibrary();
  const socket = new LinkSocket({ library });
  const waiting = socket.wait();
  // All in one turn: a link of this machine that changes ends the wait.
  const second = assert.rejects(socket.wait(), RetryLaterError);
  assert.throws(() => socket.dump(), RetryLaterError);
  await second;
  await socket.close();
  assert.ok(await waiting >= 0);
  await assert.rejects(socket.wait(), /\(EBADF\)/);
  await socket.close();
  socket.wake();
  assert.equal(socket.stats().lost, 0);
});

Deno.test("a link socket that is disposed of while it waits closes afterwards", async () => {
  const library = await nativeLibrary();
  let waiting: Promise<number>;
  {
    using socket = new LinkSocket({ library });
    waiting = socket.wait();
  }
  assert.equal(await waiting, 0);
  {
    await using idle = new LinkSocket({ library });
    assert.equal(idle.poll(50), 0);
  }
});

Deno.test("a link socket dumps once at a time and says when a dump begins and ends", async () => {
  const library = await nativeLibrary();
  await using socket = new LinkSocket({ library });
  socket.dump();
  assert.throws(() => socket.dump(), /the one before has not ended \(EINPROGRESS\)/);
  const count = await socket.wait({ timeoutMs: 1000 });
  assert(count >= 3);
  assert.equal(socket.view.words[0], PS_DUMP_BEGIN);
  assert.equal(socket.kernelError(), "");
  assert.equal(socket.stats().dumps, 1);
  assert(socket.stats().bufferBytes > 0);
  assert.equal(await socket.wait({ timeoutMs: 0 }), 0);
});

Deno.test("a decoder refuses frames that make no sense", async () => {
  const library = await nativeLibrary();
  using decoder = new LinkDecoder(library);
  assert.throws(() => decoder.feed(new Uint8Array(23)), StopError);
  assert.throws(() => decoder.feed(new Uint8Array(24)), StopError);
  assert.equal(decoder.poll(), 0);
});
