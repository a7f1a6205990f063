import assert from "node:assert/strict";
import { type Import, type Module, readModules } from "./project.ts";
import {
  specifierComplaints,
  supervisorComplaints,
  wallComplaints,
  weightComplaints,
} from "./rules.ts";

function module(path: string, ...imports: (Partial<Import> & { target: string })[]): Module {
  const plain = { specifier: "./x.ts", line: 3, typeOnly: false, dynamic: false };
  return { path, imports: imports.map((found) => ({ ...plain, ...found })) };
}

Deno.test("No import of the project runs against a wall", async () => {
  const modules = await readModules();
  assert(modules.length > 20, "the graph was not read");
  assert.deepEqual(wallComplaints(modules), []);
  assert.deepEqual(specifierComplaints(modules), []);
  assert.deepEqual(weightComplaints(modules, ["src/runtime/pipeline_main.ts"]), []);
  const commands = ["run", "state", "record"].map((name) => `src/cli/${name}.ts`);
  assert.deepEqual(supervisorComplaints(modules, commands), []);
});

Deno.test("wallComplaints() names the line and the rule of a wrong import", () => {
  assert.deepEqual(
    wallComplaints([
      module("src/sinks/state_db/sink.ts", { target: "src/transforms/ksync/engine.ts" }),
      module("src/spec/load.ts", { target: "src/redis/client.ts", typeOnly: true, line: 7 }),
      module("src/redis/client.ts", { target: "tests/support/redis.ts" }),
    ]),
    [
      "src/sinks/state_db/sink.ts:3: sinks must not import from transforms " +
      "(src/transforms/ksync/engine.ts)",
      "src/spec/load.ts:7: spec must not import from redis (src/redis/client.ts)",
      "src/redis/client.ts:3: redis must not import tests/support/redis.ts, which is in no room",
    ],
  );
});

Deno.test("wallComplaints() lets core import nothing but itself", () => {
  assert.deepEqual(
    wallComplaints([
      module("src/core/glob.ts", { target: "src/core/errors.ts" }),
      module("src/core/log.ts", { target: "node:util" }, { target: "npm:zod" }),
      module("src/core/stage.ts", { target: "src/redis/client.ts" }),
    ]),
    [
      "src/core/log.ts:3: core imports nothing, not even node:util",
      "src/core/log.ts:3: core imports nothing, not even npm:zod",
      "src/core/stage.ts:3: core must not import from redis (src/redis/client.ts)",
    ],
  );
});

Deno.test("wallComplaints() allows what the design allows, and tests everything", () => {
  assert.deepEqual(
    wallComplaints([
      module("src/cli/run.ts", { target: "src/registry.ts" }, { target: "src/spec/load.ts" }),
      module("src/registry.ts", { target: "src/sources/netlink/source.ts", dynamic: true }),
      module("src/sources/netlink/source.ts", { target: "ffi/load.ts" }, { target: "node:net" }),
      module("src/redis/client_test.ts", { target: "src/cli/main.ts" }),
      module("tests/faults/kill_test.ts", { target: "src/runtime/supervisor.ts" }),
    ]),
    [],
  );
});

Deno.test("wallComplaints() sees a file of src/ that belongs to no room", () => {
  assert.deepEqual(wallComplaints([module("src/util.ts"), module("src/helpers/all.ts")]), [
    "src/util.ts:1: stands in no room of src/",
    "src/helpers/all.ts:1: stands in no room of src/",
  ]);
});

Deno.test("specifierComplaints() refuses what is not pinned or out of reach", () => {
  const elsewhere = ["jsr", "https"].map((scheme) => `${scheme}:${"//example.org/x"}`);
  assert.deepEqual(
    specifierComplaints([
      module("src/a.ts", ...elsewhere.map((target) => ({ target, specifier: target }))),
      module("src/b.ts", { specifier: "npm:zod@4", target: "npm:zod" }),
      module("src/c.ts", { specifier: "zod", target: "npm:zod" }),
      module("src/d.ts", { specifier: "zed", target: "" }),
    ]),
    [
      ...elsewhere.map((target) => `src/a.ts:3: ${target} is not from npm`),
      "src/b.ts:3: npm:zod@4 must be pinned in the import map of deno.json",
      "src/d.ts:3: nothing is at zed",
    ],
  );
});

Deno.test("weightComplaints() shows the chain by which an implementation would load zod", () => {
  const registry = module(
    "src/registry.ts",
    { target: "src/sinks/s/definition.ts", dynamic: true },
    { target: "src/sinks/s/sink.ts", dynamic: true },
  );
  const modules = [
    registry,
    module("src/sinks/s/definition.ts", { target: "schemas/s.ts" }),
    module("src/sinks/s/sink.ts", { target: "src/sinks/s/encode.ts" }, {
      target: "schemas/s.ts",
      typeOnly: true,
    }),
    module("src/sinks/s/encode.ts", { target: "schemas/s.ts", line: 9 }),
    module("schemas/s.ts", { target: "npm:zod" }),
    module("src/runtime/child.ts", { target: "src/registry.ts" }),
  ];
  assert.deepEqual(weightComplaints(modules, ["src/runtime/child.ts"]), [
    "schemas/s.ts:3: the pipeline's process must not load npm:zod " +
    "(src/sinks/s/sink.ts → src/sinks/s/encode.ts → schemas/s.ts → npm:zod)",
  ]);
});

Deno.test("supervisorComplaints() lets the commands plan by themselves, and by that way only", () => {
  const plan = "src/cli/load_plan.ts";
  const modules = [
    module(
      "src/cli/main.ts",
      { target: "src/cli/run.ts", dynamic: true },
      { target: "src/cli/explain.ts", dynamic: true },
    ),
    module(
      "src/cli/run.ts",
      { target: "src/cli/plan_elsewhere.ts" },
      { target: plan, typeOnly: true },
      { target: "src/runtime/supervisor.ts", dynamic: true },
    ),
    module("src/cli/plan_elsewhere.ts", { target: plan, dynamic: true }),
    module("src/cli/explain.ts", { target: plan }),
    module("src/runtime/supervisor.ts", { target: "src/spec/resolve.ts", line: 5 }),
    module("src/spec/resolve.ts", { target: "npm:yaml", line: 8 }),
    module(plan, { target: "npm:zod" }),
  ];
  const chain = "src/cli/run.ts → src/runtime/supervisor.ts → src/spec/resolve.ts → npm:yaml";
  assert.deepEqual(supervisorComplaints(modules, ["src/cli/run.ts"]), [
    `src/spec/resolve.ts:8: a process that lets another one plan must not load npm:yaml (${chain})`,
  ]);
  assert.deepEqual(supervisorComplaints(modules, ["src/cli/explain.ts"]), [
    `${plan}:3: a process that lets another one plan must not load npm:zod ` +
    `(src/cli/explain.ts → ${plan} → npm:zod)`,
  ]);
});
