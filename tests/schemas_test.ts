/**
 * The schemas, and everything that follows from them.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as z from "zod";
import {
  pipelineNameSchema,
  sinkSchema,
  sourceSchema,
  specSchema,
  transformSchema,
} from "../schemas/pipeline.ts";
import { findDefinition } from "../src/cli/load_plan.ts";
import type { Definition } from "../src/core/component.ts";
import { eventSinks, reconcilers, sources, stateSinks, transforms } from "../src/registry.ts";
import { jsonSchema } from "../src/spec/json_schema.ts";
import { STATE_SINKS } from "../src/spec/rules.ts";
import { componentType } from "../src/spec/schema_walk.ts";
import { generated } from "../tools/schemas.ts";

const ROOT = new URL("../", import.meta.url);

const KINDS = [
  { kind: "source", schema: sourceSchema, entries: sources },
  { kind: "transform", schema: transformSchema, entries: { ...transforms, ...reconcilers } },
  { kind: "sink", schema: sinkSchema, entries: { ...stateSinks, ...eventSinks } },
] as const;

/** Every definition of the registry. */
async function definitions(): Promise<Definition[]> {
  return await Promise.all(KINDS.flatMap(({ kind, entries }) => {
    return Object.keys(entries).map((type) => findDefinition(kind, type));
  }));
}

/** Options without a description, by their path. */
function undescribed(schema: z.core.$ZodType, path: string): string[] {
  const missing: string[] = [];
  if (schema instanceof z.ZodObject) {
    for (const [key, field] of Object.entries(schema.shape)) {
      const own = `${path}.${key}`;
      if (z.globalRegistry.get(field)?.description === undefined) missing.push(own);
      missing.push(...undescribed(field, own));
    }
  } else if (schema instanceof z.ZodDiscriminatedUnion) {
    for (const option of schema.options) {
      missing.push(...undescribed(option, `${path}.${componentType(option)}`));
    }
  } else if (schema instanceof z.ZodRecord) missing.push(...undescribed(schema.valueType, path));
  else if (schema instanceof z.ZodArray) missing.push(...undescribed(schema.element, path));
  else if (
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) missing.push(...undescribed(schema.unwrap(), path));
  return missing;
}

Deno.test("Every option has a description, which is a sentence", () => {
  assert.deepEqual(undescribed(specSchema, "spec"), []);
  const loose = z.strictObject({ a: z.string(), b: z.strictObject({ c: z.string() }).optional() });
  assert.deepEqual(undescribed(loose, "x"), ["x.a", "x.b", "x.b.c"]);
});

Deno.test("Every option is named in snake_case", () => {
  const names = JSON.stringify(jsonSchema()).matchAll(/"properties":\{|"([^"]+)":\{"/g);
  for (const [, name] of names) {
    if (name !== undefined && !name.startsWith("$")) assert.match(name, /^[a-z][A-Za-z0-9_]*$/);
  }
  const own = JSON.stringify(z.toJSONSchema(specSchema, { io: "input" }));
  assert.doesNotMatch(own, /"properties":\{"[^"]*[A-Z-]/);
});

for (const [path, generate] of Object.entries(generated)) {
  Deno.test(`${path} is what the schemas and definitions give`, async () => {
    const committed = await Deno.readTextFile(new URL(path, ROOT));
    assert.equal(await generate(), committed, "run deno task schemas and commit the file");
  });
}

Deno.test("The schema and the registry know the same components", () => {
  for (const { schema, entries } of KINDS) {
    const types = schema.options.map((option) => componentType(option));
    assert.deepEqual(types.sort(), Object.keys(entries).sort());
  }
});

Deno.test("A definition is of the kind and type under which the registry has it", async () => {
  for (const { kind, entries } of KINDS) {
    for (const type of Object.keys(entries)) {
      const definition = await findDefinition(kind, type);
      assert.equal(definition.kind, kind);
      assert.equal(definition.type, type);
      assert.match(definition.summary, /^[A-Z].*\.$/s, `${type}: a summary is a sentence`);
    }
  }
});

Deno.test("The examples of every definition pass its schema, and there is one at least", async () => {
  for (const { kind, schema, entries } of KINDS) {
    for (const type of Object.keys(entries)) {
      const { examples } = await findDefinition(kind, type);
      assert(examples.length > 0, `${type} has no example`);
      for (const { title, config } of examples) {
        assert.equal(config.type, type, title);
        const result = z.safeParse(schema, config);
        assert(result.success, `${type}: ${title}: ${result.error?.message}`);
      }
    }
  }
});

Deno.test("The rules know which sinks keep state", async () => {
  const keeping = (await definitions()).filter(({ keeps }) => keeps === "state");
  assert.deepEqual([...STATE_SINKS].sort(), keeping.map(({ type }) => type).sort());
});

Deno.test("Names of pipelines can be names of files and metrics", () => {
  for (const name of ["a", "port-sync", "Asic0_ports", "0", "a".repeat(64)]) {
    assert(pipelineNameSchema.safeParse(name).success, name);
  }
  for (const name of ["", "-a", "..", "a/b", "a b", "é", "a".repeat(65)]) {
    assert(!pipelineNameSchema.safeParse(name).success, name);
  }
});

Deno.test("The JSON Schema takes what a spec may say, with names of the environment", () => {
  // Deno has no validator of its own, and zod reads the schema back.
  const committed: unknown = JSON.parse(
    Deno.readTextFileSync(new URL("schemas/pipeline.schema.json", ROOT)),
  );
  assert(isSchema(committed));
  const schema = z.fromJSONSchema(committed);
  const spec = (sink: object, service: object = {}) => ({
    version: 1,
    service,
    pipelines: { a: { source: { type: "netlink" }, sinks: [{ type: "state_db", ...sink }] } },
  });
  for (const good of [spec({}), spec({ required: "${X}" }, { log_level: "${X:-info}" })]) {
    assert(schema.safeParse(good).success, JSON.stringify(good));
  }
  for (const bad of [spec({ tabel: "x" }), spec({ required: "X" }), spec({}, { log_level: "x" })]) {
    assert(!schema.safeParse(bad).success, JSON.stringify(bad));
  }
});

function isSchema(value: unknown): value is z.core.JSONSchema.JSONSchema {
  return typeof value === "object" && value !== null && "$schema" in value;
}
