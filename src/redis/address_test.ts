import assert from "node:assert/strict";
import { StopError } from "../core/errors.ts";
import { addressGrant, formatAddress, parseAddress } from "./address.ts";

Deno.test("parseAddress() reads sockets, hosts and ports", () => {
  assert.deepEqual(parseAddress("unix:///run/redis/redis.sock"), {
    kind: "unix",
    path: "/run/redis/redis.sock",
  });
  const tcp = { kind: "tcp", tls: false };
  assert.deepEqual(parseAddress("redis://db:6380"), { ...tcp, hostname: "db", port: 6380 });
  assert.deepEqual(parseAddress("redis://127.0.0.1"), {
    ...tcp,
    hostname: "127.0.0.1",
    port: 6379,
  });
  assert.deepEqual(parseAddress("rediss://[::1]:7000/"), {
    kind: "tcp",
    tls: true,
    hostname: "::1",
    port: 7000,
  });
});

Deno.test("parseAddress() refuses everything else", () => {
  for (const text of ["", "redis", "unix://run/redis.sock", "http://a", "redis://"]) {
    assert.throws(() => parseAddress(text), StopError, text);
  }
});

Deno.test("formatAddress() writes what parseAddress() reads", () => {
  for (const text of ["unix:///a b/c.sock", "redis://db:6380", "rediss://[::1]:7000"]) {
    assert.equal(formatAddress(parseAddress(text)), text);
  }
});

Deno.test("addressGrant() names what Deno has to permit", () => {
  assert.deepEqual(addressGrant(parseAddress("unix:///r.sock")), {
    net: ["unix:/r.sock"],
    read: ["/r.sock"],
    write: ["/r.sock"],
  });
  assert.deepEqual(addressGrant(parseAddress("redis://[::1]")).net, ["[::1]:6379"]);
});
