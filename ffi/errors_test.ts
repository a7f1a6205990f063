import assert from "node:assert/strict";
import { isRetriable, RetryLaterError, StopError } from "../src/core/errors.ts";
import { errnoOf, nativeCause, NativeError, nativeError, unwrap } from "./errors.ts";

Deno.test("unwrap() passes results on and throws negative ones", () => {
  assert.equal(unwrap(0, "do it"), 0);
  assert.equal(unwrap(256, "do it"), 256);
  assert.throws(() => unwrap(-9, "read links"), {
    name: "StopError",
    message: "Cannot read links: the handle is closed (EBADF)",
  });
});

Deno.test("nativeError() tells by its class whether to try again, and what to do", () => {
  const busy = nativeError(16, "dump");
  assert(busy instanceof RetryLaterError && isRetriable(busy));
  const forbidden = nativeError(1, "open the link socket");
  assert(forbidden instanceof StopError && !isRetriable(forbidden));
  assert.match(forbidden.message, /\(EPERM\); run as root or with the capabilities CAP_NET_ADMIN/);
  assert.match(nativeError(500, "do it").message, /the system refused \(E500\)/);
});

Deno.test("errnoOf() finds the errno behind an error", () => {
  assert.equal(errnoOf(nativeError(13, "open")), 13);
  assert.equal(errnoOf(new Error("outer", { cause: new NativeError(2) })), 2);
  assert.equal(new NativeError(2).code, "ENOENT");
  assert.equal(errnoOf(new Error("other")), undefined);
  assert.equal(errnoOf("text"), undefined);
});

Deno.test("nativeError() puts the kernel's own words in the place of advice", () => {
  const error = nativeError(1, "change the link Ethernet0", "Device can not be enslaved while up");
  assert(!error.message.includes("run as root"), error.message);
  assert(error.message.endsWith("(EPERM); the kernel says: Device can not be enslaved while up"));
  assert.equal(nativeCause(error)?.words, "Device can not be enslaved while up");
  assert.equal(nativeCause(nativeError(1, "open"))?.words, "");
  assert.equal(nativeCause(new Error("other")), undefined);
});
