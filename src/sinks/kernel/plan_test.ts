import assert from "node:assert/strict";
import { RejectError, RetryLaterError } from "../../core/errors.ts";
import type { Fields } from "../../core/change.ts";
import type { Link } from "./links.ts";
import { type Plan, planSet } from "./plan.ts";

function link(name: string, more: Partial<Link> = {}): Link {
  return { ifindex: name.length, name, up: false, mtu: 1500, master: 0, kind: "", ...more };
}

const LINKS = [
  link("Ethernet0"),
  link("Ethernet4", { up: true }),
  link("Bridge", { ifindex: 20, kind: "bridge" }),
  link("Bond", { ifindex: 30, kind: "bond" }),
  link("Team", { ifindex: 40, kind: "team" }),
];

function plan(key: string, fields: Fields, removed: readonly string[] = []): Plan {
  const operation = { op: "set", table: "PORT", key, fields, removed } as const;
  return planSet(operation, (name) => LINKS.find((one) => one.name === name));
}

/** The requests in words. */
function steps({ steps }: Plan): string[] {
  return steps.map(({ wish: { up, mtu, master }, field }) => {
    const what = up === undefined
      ? mtu === undefined ? `master ${master}` : `mtu ${mtu}`
      : up
      ? "up"
      : "down";
    return field === undefined ? `(${what})` : what;
  });
}

function words({ errors }: Plan): string[] {
  return errors.map((error) => `${error.name}: ${error.message}`);
}

Deno.test("planSet() joins the master first, then sets the MTU, and comes up last", () => {
  const whole = plan("Ethernet0", { admin_status: "up", mtu: "9100", master: "Bridge" });
  assert.deepEqual(steps(whole), ["master 20", "mtu 9100", "up"]);
  assert.deepEqual(whole.steps.map(({ field }) => field), [
    ["master", "Bridge"],
    ["mtu", "9100"],
    ["admin_status", "up"],
  ]);
  assert.deepEqual([whole.errors, whole.awaits], [[], undefined]);
  assert(whole.steps.every(({ wish }) => wish.link === "Ethernet0"));
});

Deno.test("planSet() goes down before anything else", () => {
  assert.deepEqual(
    steps(plan("Ethernet4", { admin_status: "down", mtu: "1", master: "Bond" })),
    ["down", "master 30", "mtu 1"],
  );
});

Deno.test("planSet() takes a link down for a master that wants it so, and up again", () => {
  assert.deepEqual(steps(plan("Ethernet4", { master: "Bond" })), ["(down)", "master 30", "(up)"]);
  assert.deepEqual(steps(plan("Ethernet4", { master: "Team", admin_status: "up" })), [
    "(down)",
    "master 40",
    "up",
  ]);
  assert.deepEqual(steps(plan("Ethernet4", { master: "Bridge" })), ["master 20"]);
  assert.deepEqual(steps(plan("Ethernet0", { master: "Bond" })), ["master 30"]);
});

Deno.test("planSet() leaves a master for an empty name or a field that is taken away", () => {
  assert.deepEqual(steps(plan("Ethernet0", { master: "" })), ["master 0"]);
  assert.deepEqual(steps(plan("Ethernet0", {}, ["master", "mtu", "admin_status"])), ["master 0"]);
  assert.deepEqual(steps(plan("Ethernet0", { master: "Bridge" }, ["master"])), ["master 20"]);
});

Deno.test("planSet() has nothing to ask for fields that are others'", () => {
  const none = plan("Ethernet0", { alias: "x", lanes: "1,2" }, ["speed"]);
  assert.deepEqual([none.steps, none.errors, none.awaits], [[], [], undefined]);
});

Deno.test("planSet() waits for a master that is not there, and does the rest", () => {
  const some = plan("Ethernet0", { master: "Bridge2", mtu: "1400" });
  assert.deepEqual(steps(some), ["mtu 1400"]);
  assert.equal(some.awaits, "Bridge2");
  assert(some.errors[0] instanceof RetryLaterError);
  assert.match(some.errors[0].message, /no link Bridge2 yet; Ethernet0 joins it/);
});

Deno.test("planSet() refuses what no link can have, and does the rest", () => {
  const some = plan("Ethernet0", { admin_status: "UP", mtu: "9k", master: "Ethernet0" });
  assert.deepEqual(steps(some), []);
  assert.deepEqual(words(some), [
    'RejectError: admin_status is up or down, and not "UP"',
    'RejectError: mtu is a number of bytes, and not "9k"',
    "RejectError: Ethernet0 cannot be its own master",
  ]);
  assert.deepEqual(steps(plan("Ethernet0", { admin_status: "off", mtu: "1400" })), ["mtu 1400"]);
  for (const mtu of ["", "-1", "1.5", "2147483648", "99999999999", " 1", "0x10"]) {
    assert.deepEqual(steps(plan("Ethernet0", { mtu, admin_status: "up" })), ["up"], mtu);
  }
  assert.deepEqual(steps(plan("Ethernet0", { mtu: "09100" })), ["mtu 9100"]);
});

Deno.test("planSet() asks nothing about names that no link can have", () => {
  for (
    const key of [
      "",
      ".",
      "..",
      "a b",
      "a/b",
      "a:b",
      "sixteen-letters!",
      "ähnlichährlich",
      "a\u202e",
    ]
  ) {
    const none = plan(key, { admin_status: "up" });
    assert.deepEqual(none.steps, [], key);
    assert(none.errors[0] instanceof RejectError);
  }
  assert.match(plan("x".repeat(90), {}).errors[0]?.message ?? "", /^"x{40}…" is no name/);
  assert.match(
    plan("Ethernet0", { master: "a b" }).errors[0]?.message ?? "",
    /no name that a master/,
  );
  assert.deepEqual(steps(plan("Ethernet0.10", { admin_status: "up" })), ["up"]);
});
