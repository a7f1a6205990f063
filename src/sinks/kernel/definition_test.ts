import assert from "node:assert/strict";
import { kernelSchema } from "../../../schemas/kernel.ts";
import { resolveContext } from "../../../tests/support/resolve.ts";
import { definition } from "./definition.ts";

Deno.test("kernel needs the native library, and the path of its namespace", () => {
  const config = kernelSchema.parse({ type: "kernel" });
  const library = "/usr/lib/portsync/libportsync.so";
  assert.deepEqual(definition.grants(config, resolveContext()).map(({ ffi }) => ffi), [[library]]);
  const parts = definition.grants(config, resolveContext({ namespace: "asic0" }));
  assert.deepEqual(parts.flatMap(({ native = [] }) => native), ["/run/netns/asic0"]);
  assert(parts.every(({ read, write, net }) => !read && !write && !net));
});

Deno.test("kernel has a default for everything", () => {
  assert.deepEqual(kernelSchema.parse({ type: "kernel" }), {
    type: "kernel",
    correction_max_ms: 10_000,
    required: true,
  });
});
