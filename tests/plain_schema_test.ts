/**
 * The quick check of every start, held against zod: it takes what zod takes, gives what zod gives,
 * and never takes anything else.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { specSchema } from "../schemas/pipeline.ts";
import { check } from "../src/spec/check.ts";
import { readSpec } from "../src/spec/load.ts";
import { SPEC } from "../src/spec/plain.gen.ts";
import { type Plain, takePlain } from "../src/spec/plain_schema.ts";
import { plainOf } from "../src/spec/plain_table.ts";
import { readModules } from "./house/project.ts";

/** Texts around what the schemas ask for. */
const TEXTS = [
  ...[
    "",
    "a",
    "Ethernet*",
    "Ethernet[",
    "PORT_TABLE",
    "PORT|X",
    "STATE_DB",
    "state_db",
    "a b",
    "é",
  ],
  ...[
    "unix:///run/redis.sock",
    "unix:/x",
    "redis://h:1",
    "redis://h:0",
    "rediss://u:p@h",
    "sqlite:x",
  ],
  ...["http://x", "${file:/x}", "${credential:a}", "x${file:/y}", "${X}", "asic0", "..", "\u0000"],
  ...["{vlan}|{port}", "VLAN_TABLE|{vlan}"],
];

/** Values around the limits of a piece of the table, the good ones more often. */
function around(schema: Plain): fc.Arbitrary<unknown> {
  const wrong = fc.constantFrom<unknown>(null, true, 0, 1.5, "x", [], {}, NaN, -1, "1");
  return fc.oneof({ weight: 12, arbitrary: near(schema) }, { weight: 1, arbitrary: wrong });
}

function near(schema: Plain): fc.Arbitrary<unknown> {
  switch (schema.kind) {
    case "text": {
      const { least = 0, most = 20 } = schema;
      const lengths = [least - 1, least, most, most + 1].filter((one) => one >= 0 && one < 5000);
      const long = fc.constantFrom(...lengths).map((length) => "a".repeat(length));
      return fc.oneof(fc.constantFrom(...TEXTS), long);
    }
    case "number": {
      const { least = 0, most = 100 } = schema;
      return fc.constantFrom(least - 1, least, least + 0.5, (least + most) / 2, most, most + 1);
    }
    case "truth":
      return fc.boolean();
    case "one_of":
      return fc.constantFrom(...schema.values);
    case "list":
      return fc.array(around(schema.of), { maxLength: 3 });
    case "named":
      return fc.dictionary(fc.constantFrom("a", "port-sync", "a b", ""), around(schema.of), {
        maxKeys: 2,
      });
    case "mapping":
      return mappingAround(schema);
    case "component":
      return fc.oneof(...Object.values(schema.types).map(around));
    case "either":
      return fc.oneof(...schema.of.map(around));
    case "unknown":
      return fc.constantFrom({}, { penalty: 5 }, { reuse_below: 9999 });
  }
}

function mappingAround({ options }: Extract<Plain, { kind: "mapping" }>): fc.Arbitrary<unknown> {
  const required = Object.keys(options).filter((key) => {
    return options[key]?.optional === undefined && options[key]?.preset === undefined;
  });
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [key, { of }] of Object.entries(options)) model[key] = around(of);
  const whole = fc.record(model, { requiredKeys: required });
  const less = fc.record(model, { requiredKeys: [] });
  const more = whole.map((value) => ({ ...value, unknown_option: 1 }));
  return fc.oneof({ weight: 20, arbitrary: whole }, { weight: 1, arbitrary: less }, {
    weight: 1,
    arbitrary: more,
  });
}

/** Whether only zod can tell of some part of a value. */
function hasUnknown(value: unknown): boolean {
  return JSON.stringify(value).includes('"damping"');
}

/** Whether a reference to a secret stands in it, which the check judges apart from the schema. */
function hasReference(value: unknown): boolean {
  return /\$\{(file|credential):/.test(JSON.stringify(value));
}

Deno.test("The table takes exactly what zod takes, and completes it in the same way", () => {
  let taken = 0;
  fc.assert(
    fc.property(around(SPEC), (value) => {
      const quick = takePlain(SPEC, value);
      const slow = specSchema.safeParse(value);
      if (quick !== undefined) {
        taken++;
        assert.deepEqual(quick, slow.data);
        assert.equal(JSON.stringify(quick), JSON.stringify(slow.data), "the order differs");
      } else if (slow.success) {
        assert(hasUnknown(value) || hasReference(value), JSON.stringify(value));
      }
    }),
    { numRuns: 3000 },
  );
  assert(taken > 50, `only ${taken} were taken, which shows little`);
});

Deno.test("The table agrees with zod about each component by itself", () => {
  for (const option of [...sourceOptions()]) {
    const plain = plainOf(option);
    fc.assert(
      fc.property(around(plain), (value) => {
        const quick: unknown = takePlain(plain, value);
        const slow = z.safeParse(option, value);
        if (quick !== undefined) assert.deepEqual(quick, slow.data);
        else if (slow.success) assert(hasUnknown(value) || hasReference(value));
      }),
      { numRuns: 1000 },
    );
  }
});

function* sourceOptions(): Generator<z.core.$ZodType> {
  const { source, transforms, sinks } = specSchema.shape.pipelines.valueType.shape;
  yield* source.options;
  yield* transforms.unwrap().element.options;
  yield* sinks.element.options;
}

Deno.test("plainOf() doubts what it cannot say", () => {
  for (
    const schema of [
      z.email(),
      z.string().refine((text) => text !== "x"),
      z.string().trim(),
      z.string().regex(/x/i),
      z.number().positive(),
      z.number().multipleOf(3),
      z.object({ a: z.string() }),
      z.strictObject({ a: z.string() }).refine(() => true),
      z.array(z.string()).refine(() => true),
      z.string().transform((text) => text.length),
      z.boolean().refine(() => true),
      z.date(),
      z.bigint(),
    ]
  ) {
    assert.deepEqual(plainOf(schema), { kind: "unknown" }, JSON.stringify(schema.def));
  }
});

Deno.test("The examples pass without zod", async () => {
  const folder = new URL("../examples/", import.meta.url).pathname;
  for await (const { name } of Deno.readDir(folder)) {
    if (!/\.(yaml|toml)$/.test(name)) continue;
    const { config } = await check(await readSpec(folder + name));
    assert.deepEqual(takePlain(SPEC, config), config, name);
  }
});

Deno.test("What runs a good spec loads neither zod nor a parser that it does not need", async () => {
  const modules = new Map((await readModules()).map((module) => [module.path, module]));
  const roots = [...modules.keys()].filter((path) => {
    return /^src\/(cli\/(main|run|load_plan)|spec\/(check|resolve|load|programs))\.ts$/.test(
      path,
    ) ||
      path.endsWith("/definition.ts");
  });
  assert(roots.length >= 8, roots.join());
  const open = [...roots];
  const seen = new Set(open);
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const { target, typeOnly, dynamic } of modules.get(path)?.imports ?? []) {
      if (typeOnly || dynamic) continue;
      assert.doesNotMatch(target, /^npm:(zod|yaml|smol-toml|toml-eslint-parser)/, `in ${path}`);
      if (seen.has(target)) continue;
      seen.add(target);
      open.push(target);
    }
  }
});
