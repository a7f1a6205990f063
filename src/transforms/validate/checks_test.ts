import assert from "node:assert/strict";
import type { Change, Fields } from "../../core/change.ts";
import { checkChange } from "./checks.ts";

function change(key: string, fields: Fields = {}): Change {
  return { op: "set", table: "PORT_TABLE", key, fields, time: 0 };
}

function complaint(key: string, fields: Fields = {}): string | undefined {
  return checkChange(change(key, fields), () => true)?.message;
}

Deno.test("checkChange() takes what the kernel says of a port", () => {
  const fields = { state: "ok", netdev_oper_status: "down", admin_status: "up", mtu: "9100" };
  assert.equal(complaint("Ethernet0", fields), undefined);
  for (const mtu of ["0", "68", "4294967295"]) {
    assert.equal(complaint("Ethernet0", { mtu, other: "anything \u0007" }), undefined);
  }
});

Deno.test("checkChange() refuses values out of range, and says which", () => {
  const cases: readonly (readonly [Fields, RegExp])[] = [
    [{ mtu: "4294967296" }, /^mtu of Ethernet0 should be a number up to 4294967295 and is/],
    [{ mtu: "-1" }, /"-1"/],
    [{ mtu: "" }, /""/],
    [{ mtu: "09100" }, /"09100"/],
    [{ mtu: "1e3" }, /"1e3"/],
    [{ admin_status: "UP" }, /^admin_status of Ethernet0 should be up or down and is "UP"/],
    [{ netdev_oper_status: "testing" }, /^netdev_oper_status/],
    [
      { mtu: "1500", state: "no\u001b[2J" },
      /^state of Ethernet0 should be ok and is "no\\x1b\[2J"/,
    ],
  ];
  for (const [fields, message] of cases) {
    assert.match(complaint("Ethernet0", fields) ?? "", message);
  }
});

Deno.test("checkChange() refuses names that are no part of a key", () => {
  for (const key of ["", "a|b", "a\nb", "\u001b[31m", "a\u0085", "\u2028", "\udcff", "\0"]) {
    const refusal = checkChange(change(key), () => true);
    assert.equal(refusal?.counter, "name");
    // deno-lint-ignore no-control-regex -- none may reach a terminal
    assert.doesNotMatch(refusal.message, /[\u0000-\u001f\u007f-\u009f]/);
  }
  assert.equal(complaint("Ethernet0.10"), undefined);
  assert.equal(complaint("größe"), undefined);
});

Deno.test("checkChange() refuses what the spec does not want", () => {
  const refusal = checkChange(change("eth0"), (name) => name.startsWith("Ethernet"));
  assert.equal(refusal?.counter, "interface");
});
