import assert from "node:assert/strict";
import { commandLine, descendants, processInfo, proportionalMemory } from "./processes.ts";

Deno.test("/proc tells the state, the family, the time and the memory of a process", async () => {
  const child = new Deno.Command("sh", { args: ["-c", "sleep 60 & wait"], stdin: "null" }).spawn();
  try {
    let family = descendants(child.pid);
    while (family.length === 0) family = descendants(child.pid);
    const [grandchild] = family;
    assert(grandchild);
    assert.equal(grandchild.parent, child.pid);
    assert.deepEqual(commandLine(child.pid).slice(1), ["-c", "sleep 60 & wait"]);
    assert.equal(processInfo(child.pid)?.parent, Deno.pid);
    assert(proportionalMemory(child.pid) > 10_000);
    assert((processInfo(Deno.pid)?.cpu ?? 0) > 0);
    Deno.kill(grandchild.pid, "SIGKILL");
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  assert.equal(processInfo(child.pid), undefined);
  assert.deepEqual(commandLine(child.pid), []);
  assert.throws(() => proportionalMemory(child.pid), /no memory map/);
});
