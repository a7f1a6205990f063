import assert from "node:assert/strict";
import { ksyncSchema } from "../../../schemas/ksync.ts";
import { resolveContext } from "../../../tests/support/resolve.ts";
import type { PipelineShape } from "../../core/component.ts";
import { SettingError } from "../../core/setting_error.ts";
import { definition } from "./definition.ts";

async function resolve(config: object, pipeline: Partial<PipelineShape>) {
  const checked = ksyncSchema.parse({ type: "ksync", ...config });
  assert(definition.resolve);
  return await definition.resolve(checked, resolveContext(pipeline));
}

Deno.test("ksync keeps the table that its source writes, where that is certain", async () => {
  const netlink = { type: "netlink" };
  const table = { type: "table", table: "PORT" };
  assert.deepEqual((await resolve({}, { source: netlink }))["tables"], ["PORT_TABLE"]);
  assert.deepEqual((await resolve({}, { source: table }))["tables"], ["PORT"]);
  assert.deepEqual((await resolve({ tables: ["T"] }, { source: table }))["tables"], ["T"]);
  assert.equal((await resolve({}, { source: { type: "uds" } }))["tables"], undefined);
  assert.equal((await resolve({}, { source: { type: "table" } }))["tables"], undefined);
  const transforms = [{ type: "module" }, { type: "ksync" }];
  assert.equal((await resolve({}, { source: table, transforms }))["tables"], undefined);
});

Deno.test("ksync compares MTUs as numbers where the kernel says them", async () => {
  const sinks = [{ type: "kernel" }];
  assert.deepEqual((await resolve({}, { sinks }))["numeric_fields"], ["mtu"]);
  assert.deepEqual((await resolve({ numeric_fields: ["n"] }, { sinks }))["numeric_fields"], ["n"]);
  assert.equal((await resolve({}, { sinks: [{ type: "state_db" }] }))["numeric_fields"], undefined);
});

Deno.test("ksync says where a rule of dependencies is wrong", async () => {
  const depends_on = [{ table: "T", needs: ["T|{key}"] }, { table: "T", needs: ["T|{nothing}"] }];
  await assert.rejects(resolve({ depends_on }, {}), (error) => {
    assert(error instanceof SettingError);
    assert.deepEqual(error.path, ["depends_on", 1]);
    return true;
  });
});
