import assert from "node:assert/strict";
import { StopError } from "../core/errors.ts";
import { makeContext } from "../../tests/support/context.ts";
import { linkOptions } from "./link_options.ts";

const SERVER = {
  url: "unix:///r.sock",
  database: 6,
  name: "STATE_DB",
  connectTimeoutMs: 1,
  requestTimeoutMs: 2,
};

Deno.test("linkOptions() reads certificates now and the secret at every attempt", async () => {
  const file = await Deno.makeTempFile({ prefix: "portsync-secret-" });
  try {
    await Deno.writeTextFile(file, "one\n");
    const settings = { ...SERVER, password: `\${file:${file}}`, caCertificate: file };
    const options = linkOptions(settings, makeContext());
    assert.deepEqual(options.caCerts, ["one\n"]);
    assert.equal(await options.password?.(), "one");
    await Deno.writeTextFile(file, "two");
    assert.equal(await options.password?.(), "two");
    assert.equal(options.clientName, "portsync:test");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("linkOptions() hands a fatal error to the pipeline", () => {
  const context = makeContext();
  const error = new StopError("no");
  linkOptions(SERVER, context).onStop?.(error);
  assert.deepEqual(context.failures, [error]);
});

Deno.test("linkOptions() stops at certificates that cannot be read", () => {
  const settings = { ...SERVER, caCertificate: "/nowhere/ca.pem" };
  assert.throws(() => linkOptions(settings, makeContext()), /\/nowhere\/ca\.pem cannot be read/);
});
