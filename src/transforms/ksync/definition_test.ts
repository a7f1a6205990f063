import assert from "node:assert/strict";
import { ksyncSchema } from "../../../schemas/ksync.ts";
import type { ComponentConfig, PipelineShape, ResolveContext } from "../../core/component.ts";
import { SettingError } from "../../core/setting_error.ts";
import { definition } from "./definition.ts";

function contextOf(pipeline: PipelineShape): ResolveContext {
  return {
    folder: "/",
    library: "",
    readTextFile: () => Promise.reject(new Error("nothing is read")),
    isFile: () => Promise.resolve(false),
    pipeline,
  };
}

async function resolve(
  source: ComponentConfig,
  settings: Record<string, unknown> = {},
  others: readonly string[] = [],
  sinks: readonly ComponentConfig[] = [],
): Promise<ComponentConfig> {
  const config = ksyncSchema.parse({ type: "ksync", ...settings });
  const pipeline: PipelineShape = {
    name: "p",
    source,
    transforms: [...others.map((type) => ({ type })), config],
    sinks,
  };
  assert.ok(definition.resolve);
  return await definition.resolve(config, contextOf(pipeline));
}

Deno.test("The examples of ksync pass its schema, and it needs no permission", () => {
  for (const { config } of definition.examples) {
    const checked = ksyncSchema.parse(config);
    assert.equal(checked.type, definition.type);
  }
  const config = ksyncSchema.parse({ type: "ksync" });
  const pipeline = { name: "p", source: { type: "netlink" }, transforms: [], sinks: [] };
  assert.deepEqual(definition.grants(config, contextOf(pipeline)), []);
  assert.match(definition.summary, /desired and the believed/);
});

Deno.test("The tables follow the source where it says them", async () => {
  const tables = async (...given: Parameters<typeof resolve>) =>
    (await resolve(...given))["tables"];
  assert.deepEqual(await tables({ type: "netlink" }), ["PORT_TABLE"]);
  assert.deepEqual(await tables({ type: "replay" }, {}, ["validate"]), ["PORT_TABLE"]);
  assert.deepEqual(await tables({ type: "table", table: "PORT" }), ["PORT"]);
  assert.equal(await tables({ type: "table" }), undefined);
  assert.equal(await tables({ type: "uds", mode: "serve", table: "C" }), undefined);
  assert.deepEqual(await tables({ type: "shm", mode: "poll", table: "C" }), ["C"]);
  assert.equal(await tables({ type: "netlink" }, {}, ["module"]), undefined);
  assert.deepEqual(await tables({ type: "netlink" }, { tables: ["T"] }), ["T"]);
});

Deno.test("Before a kernel sink the MTU is compared as a number, unless the spec says otherwise", async () => {
  const numeric = async (settings: Record<string, unknown>) =>
    (await resolve({ type: "uds" }, settings, [], [{ type: "kernel" }]))["numeric_fields"];
  assert.deepEqual(await numeric({}), ["mtu"]);
  assert.deepEqual(await numeric({ numeric_fields: ["speed"] }), ["speed"]);
});

Deno.test("A dependency that says nothing is a wrong setting, with its place", async () => {
  const wrong = { depends_on: [{ table: "T", key: "{a}", needs: ["U|{b}"] }] };
  await assert.rejects(resolve({ type: "uds" }, wrong), (error) => {
    assert.ok(error instanceof SettingError);
    assert.equal(error.message, "Nothing in the key is called {b}");
    assert.deepEqual(error.path, ["depends_on", 0]);
    return true;
  });
  const right = { depends_on: [{ table: "T", key: "{a}", needs: ["U|{a}"] }] };
  assert.equal((await resolve({ type: "uds" }, right)).type, "ksync");
});

Deno.test("A damping that would never end is refused", () => {
  const wrong = { type: "ksync", damping: { suppress_above: 100, reuse_below: 200 } };
  assert.throws(() => ksyncSchema.parse(wrong), /Expected less than suppress_above/);
});
