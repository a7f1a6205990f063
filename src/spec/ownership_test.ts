import assert from "node:assert/strict";
import type { ComponentConfig, PipelineShape } from "../core/component.ts";
import { SettingError } from "../core/setting_error.ts";
import { deriveOwnership } from "./ownership.ts";

function pipeline(source: ComponentConfig, ...transforms: ComponentConfig[]): PipelineShape {
  return { name: "ports", source, transforms, sinks: [] };
}

const ksync = { type: "ksync" };

Deno.test("deriveOwnership() takes over the patterns of a link source", () => {
  const interfaces = ["Ethernet*", "PortChannel*"];
  for (const type of ["netlink", "replay"]) {
    assert.deepEqual(deriveOwnership(ksync, pipeline({ type, interfaces })), {
      keys: interfaces,
      field: "state",
    });
  }
});

Deno.test("deriveOwnership() owns every name without a dot where no pattern is given", () => {
  const all = { keys: ["*"], field: "state" };
  assert.deepEqual(deriveOwnership(ksync, pipeline({ type: "netlink" })), all);
});

Deno.test("deriveOwnership() never owns names with a dot", () => {
  const interfaces = ["Ethernet*", "Ethernet*.*"];
  const mixed = deriveOwnership(ksync, pipeline({ type: "netlink", interfaces }));
  assert.deepEqual(mixed?.keys, ["Ethernet*"]);
  const only = pipeline({ type: "netlink", interfaces: ["Ethernet*.*"] });
  assert.equal(deriveOwnership(ksync, only), undefined);
});

Deno.test("deriveOwnership() owns only what validate lets through", () => {
  const validate = (interfaces: string[]) => ({ type: "validate", interfaces });
  const derive = (sent: string[] | undefined, taken: string[]) => {
    const source = { type: "netlink", ...(sent === undefined ? {} : { interfaces: sent }) };
    return deriveOwnership(ksync, pipeline(source, validate(taken)))?.keys;
  };
  assert.deepEqual(derive(undefined, ["Ethernet*"]), ["Ethernet*"]);
  assert.deepEqual(derive(["Ethernet*", "lo"], ["Ethernet4", "eth0", "l*"]), ["Ethernet4", "lo"]);
  assert.deepEqual(derive(["Ethernet1*"], ["Ethernet*"]), ["Ethernet1*"]);
  assert.throws(() => derive(["Eth*0"], ["*net0"]), SettingError);
});

Deno.test("deriveOwnership() lets the spec say it, and completes what it leaves out", () => {
  const source = { type: "netlink", interfaces: ["Ethernet*"] };
  const derive = (owns: object) => deriveOwnership({ type: "ksync", owns }, pipeline(source));
  assert.deepEqual(derive({ keys: ["lo"] }), { keys: ["lo"], field: "state" });
  assert.deepEqual(derive({ field: "mine", fields: ["mtu"] }), {
    keys: ["Ethernet*"],
    field: "mine",
    fields: ["mtu"],
  });
});

Deno.test("deriveOwnership() owns nothing behind a source that it does not know", () => {
  assert.equal(deriveOwnership(ksync, pipeline({ type: "uds" })), undefined);
});

Deno.test("deriveOwnership() owns the rows of snapshots, and those that carry a field of the spec's", () => {
  const poll = pipeline({ type: "uds", mode: "poll", table: "CGROUP_TABLE" });
  assert.deepEqual(deriveOwnership(ksync, poll), { field: "hash" });
  const given = { type: "ksync", owns: { keys: ["docker*"] } };
  assert.deepEqual(deriveOwnership(given, poll), { keys: ["docker*"], field: "hash" });
  const marked = { type: "ksync", owns: { field: "number" } };
  assert.deepEqual(deriveOwnership(marked, pipeline({ type: "uds" })), { field: "number" });
});
