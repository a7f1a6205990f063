import assert from "node:assert/strict";
import { checkStoreUrl } from "../schemas/url.ts";

Deno.test("checkStoreUrl() takes every form of an address", () => {
  for (
    const url of [
      ...["unix:///run/redis.sock", "redis://localhost", "redis://10.0.0.1:6379", "redis://h/"],
      ...["rediss://db.example.net:6380", "redis://[::1]:6379", "sqlite:ports.db", "sqlite:/a/b"],
    ]
  ) assert.equal(checkStoreUrl(url, { sqlite: true }), undefined, url);
});

Deno.test("checkStoreUrl() says what is wrong with an address", () => {
  for (
    const [url, message] of [
      ["", /^Expected an address: unix/],
      ["localhost", /^Expected an address/],
      ["/run/redis.sock", /^Expected an address/],
      ["localhost:6379", /^There are no localhost: addresses/],
      ["tcp://localhost", /^There are no tcp: addresses here/],
      ["unix:/run/redis.sock", /absolute path of a socket after unix:\/\//],
      ["unix://run/redis.sock", /absolute path of a socket/],
      ["unix:///" + "a".repeat(120), /has 121 bytes, and a socket takes 107/],
      ["redis://", /no address|names no host/],
      ["redis://host:0", /Port 0/],
      ["redis://host:70000", /^This is no address/],
      ["redis://me:pw@host", /does not belong in the address/],
      ["redis://host/6", /the database has an option of its own/],
      ["redis://host?x=1", /Nothing follows the port/],
      ["sqlite:", /names no file/],
      ["sqlite:///a.db", /without the slashes/],
      ["redis://ho st", /space or control character/],
      ["unix:///a\u0000b", /space or control character/],
    ] as const
  ) assert.match(checkStoreUrl(url, { sqlite: true }) ?? "it was taken", message, url);
});

Deno.test("checkStoreUrl() knows embedded stores only where they are allowed", () => {
  assert.match(
    checkStoreUrl("sqlite:x", { sqlite: false }) ?? "",
    /There are no sqlite: addresses/,
  );
  assert.doesNotMatch(checkStoreUrl("", { sqlite: false }) ?? "", /sqlite/);
});
