import assert from "node:assert/strict";
import { keyOfChannel, missingNotifications } from "./keyspace.ts";

Deno.test("missingNotifications() is content with what a switch sends, and with no more than needed", () => {
  for (const flags of ["AKE", "KA", "Kghxe", "KEA", "gxehK"]) {
    assert.equal(missingNotifications(flags), undefined, flags);
  }
});

Deno.test("missingNotifications() names what is lacking", () => {
  assert.equal(missingNotifications("EA"), "K (keyspace events)");
  assert.equal(
    missingNotifications("Kh"),
    "g (DEL, EXPIRE and RENAME), x (expired keys), e (evicted keys)",
  );
  assert.match(missingNotifications("") ?? "", /^K .*h \(writes to hashes\)/);
});

Deno.test("keyOfChannel() takes everything after the first colon", () => {
  assert.equal(keyOfChannel("__keyspace@0__:PORT_TABLE:Ethernet0:x"), "PORT_TABLE:Ethernet0:x");
});
