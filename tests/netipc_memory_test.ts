// Clients and servers hold no more after thousands of calls and connections than after hundreds.
import assert from "node:assert/strict";
import { nativeLibrary } from "./support/native.ts";
import type { Holdings } from "./support/netipc_soak.ts";

const PROGRAM = new URL("support/netipc_soak.ts", import.meta.url).pathname;

Deno.test("a process that calls, connects and is refused does not grow", async () => {
  await nativeLibrary();
  // A process of its own: those of other tests come and go.
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", "--no-check", "--v8-flags=--expose-gc", PROGRAM, "2000", "200"],
  }).output();
  const text = new TextDecoder();
  assert.equal(code, 0, text.decode(stderr));
  const [warm, last]: (Holdings | undefined)[] = JSON.parse(text.decode(stdout));
  assert.ok(warm !== undefined && last !== undefined);
  assert.equal(last.files, warm.files);
  // The one client over shared memory and its server.
  assert.deepEqual([warm.regions, last.regions], [2, 2]);
  const grown = (name: keyof Holdings) => last[name] - warm[name];
  assert.ok(grown("maps") < 200, `${grown("maps")} more parts of memory are mapped`);
  assert.ok(grown("heapBytes") < 2 << 20, `the heap grew by ${grown("heapBytes")} bytes`);
  assert.ok(grown("residentBytes") < 48 << 20, `${grown("residentBytes")} more bytes are resident`);
});
