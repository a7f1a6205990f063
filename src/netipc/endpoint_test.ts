import assert from "node:assert/strict";
import { isShared, profilesOf, regionPath, regionPrefix, socketPath } from "./endpoint.ts";
import { NetipcError } from "./errors.ts";

Deno.test("a service has its socket and its regions beside each other in its folder", () => {
  const endpoint = { runDir: "/run/netdata", service: "gold" };
  assert.equal(socketPath(endpoint), "/run/netdata/gold.sock");
  assert.equal(regionPrefix(endpoint), "/run/netdata/gold-");
  assert.equal(regionPath(endpoint, 0x2a), "/run/netdata/gold-000000000000002a.ipcshm");
  assert.equal(regionPath(endpoint, 2 ** 52), "/run/netdata/gold-0010000000000000.ipcshm");
  assert.equal(socketPath({ ...endpoint, runDir: "/run/netdata//" }), "/run/netdata/gold.sock");
  assert.equal(regionPrefix({ runDir: "/r", service: "a.sock" }), "/r/a.sock-");
});

Deno.test("a service's name has letters, digits, dots, lines and underscores, and is no folder", () => {
  const path = (service: string) => socketPath({ runDir: "/r", service });
  for (const name of ["a", "A-b_c.9", "...", ".a", "-"]) {
    assert.equal(path(name), `/r/${name}.sock`);
  }
  for (const name of ["", ".", "..", "a/b", "/a", "a b", "a\n", "a\0", "é", "a:b"]) {
    assert.throws(() => path(name), (error) => {
      return error instanceof NetipcError && error.fault === "not found";
    });
  }
});

Deno.test("a choice of profiles has its bits", () => {
  assert.deepEqual((["uds", "shm", "auto"] as const).map(profilesOf), [1, 2, 3]);
  // The reserved bit is one of shared memory, too.
  assert.deepEqual([1, 2, 4].map(isShared), [false, true, true]);
});
