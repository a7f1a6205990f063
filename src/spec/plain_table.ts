/**
 * Makes the table of `plain.gen.ts` from the zod schemas. Run by `deno task schemas`.
 *
 * @module
 */
import { z } from "zod";
import { functionChecks, secrets } from "../../schemas/fields.ts";
import { sinkSchema, specSchema } from "../../schemas/pipeline.ts";
import type { Plain, PlainOption } from "./plain_schema.ts";
import { componentType } from "./schema_walk.ts";

/** Any schema. */
type Schema = z.core.$ZodType;

const UNKNOWN: Plain = { kind: "unknown" };

/** The text of `src/spec/plain.gen.ts`. */
export function plainModule(): string {
  const spec = JSON.stringify(plainOf(specSchema), undefined, 2);
  const sinks = JSON.stringify(sinkSchema.options.map((option) => componentType(option)));
  return `// Made by deno task schemas from schemas/; do not edit.
import type { Plain } from "./plain_schema.ts";

/** The types of all sinks. */
export const SINK_TYPES: ReadonlySet<unknown> = new Set(${sinks});

/** The whole spec. */
export const SPEC: Plain = ${spec};
`;
}

/** A schema as plain data; what it cannot say is \`unknown\`, never left out. */
export function plainOf(schema: Schema): Plain {
  if (schema instanceof z.ZodString) return textOf(schema);
  if (schema instanceof z.ZodNumber) return numberOf(schema);
  if (schema instanceof z.ZodArray) return listOf(schema);
  if (hasChecks(schema)) return UNKNOWN;
  if (schema instanceof z.ZodBoolean) return { kind: "truth" };
  if (schema instanceof z.ZodEnum) return oneOf(schema.options);
  if (schema instanceof z.ZodLiteral) return oneOf([...schema.values]);
  if (schema instanceof z.ZodRecord) {
    return { kind: "named", name: plainOf(schema.keyType), of: plainOf(schema.valueType) };
  }
  if (schema instanceof z.ZodObject) return mappingOf(schema);
  if (schema instanceof z.ZodDiscriminatedUnion) return componentOf(schema);
  if (schema instanceof z.ZodUnion) return { kind: "either", of: schema.options.map(plainOf) };
  return UNKNOWN;
}

function hasChecks(schema: Schema): boolean {
  return (schema._zod.def.checks ?? []).length > 0;
}

function oneOf(values: readonly unknown[]): Plain {
  const plain = values.filter((one) => typeof one === "string" || typeof one === "number");
  return plain.length === values.length ? { kind: "one_of", values: plain } : UNKNOWN;
}

/** Adds up the checks of a schema; undefined where one is of another kind. */
function limitsOf(
  schema: Schema,
): { least?: number; most?: number; patterns: string[]; functions: number } | undefined {
  const limits: { least?: number; most?: number; patterns: string[]; functions: number } = {
    patterns: [],
    functions: 0,
  };
  for (const check of schema._zod.def.checks ?? []) {
    const { def } = check._zod;
    if (isBound(def, "min_length", "minimum")) limits.least = def.minimum;
    else if (isBound(def, "max_length", "maximum")) limits.most = def.maximum;
    else if (isBound(def, "greater_than", "value") && isInclusive(def)) limits.least = def.value;
    else if (isBound(def, "less_than", "value") && isInclusive(def)) limits.most = def.value;
    else if (def.check === "custom") limits.functions++;
    else if (def.check === "number_format") continue;
    else if ("pattern" in def && def.pattern instanceof RegExp && def.pattern.flags === "") {
      limits.patterns.push(def.pattern.source);
    } else return undefined;
  }
  return limits;
}

function isBound<Key extends string>(
  def: z.core.$ZodCheckDef,
  check: string,
  key: Key,
): def is z.core.$ZodCheckDef & Record<Key, number> {
  const value: unknown = Object.entries(def).find(([name]) => name === key)?.[1];
  return def.check === check && typeof value === "number";
}

function isInclusive(def: z.core.$ZodCheckDef): boolean {
  return "inclusive" in def && def.inclusive === true;
}

function textOf(schema: z.ZodString): Plain {
  const limits = limitsOf(schema);
  const check = functionChecks.get(schema)?.name;
  const named = check === undefined ? 0 : 1;
  if (limits === undefined || limits.functions !== named || hasFormat(schema)) return UNKNOWN;
  const { functions: _, patterns, ...bounds } = limits;
  return {
    kind: "text",
    ...bounds,
    ...(patterns.length === 0 ? {} : { patterns }),
    ...(check === undefined ? {} : { check }),
    ...(secrets.get(schema) === undefined ? {} : { secret: true }),
  };
}

/** Formats of zod itself, such as an e-mail address, are no plain text. */
function hasFormat(schema: z.ZodString): boolean {
  return "format" in schema._zod.def;
}

function numberOf(schema: z.ZodNumber): Plain {
  const limits = limitsOf(schema);
  if (limits === undefined || limits.functions > 0) return UNKNOWN;
  const { least, most } = limits;
  return {
    kind: "number",
    ...(schema.isInt ? { whole: true } : {}),
    ...(least === undefined ? {} : { least }),
    ...(most === undefined ? {} : { most }),
  };
}

function listOf(schema: z.ZodArray): Plain {
  const limits = limitsOf(schema);
  if (limits === undefined || limits.functions > 0 || limits.patterns.length > 0) return UNKNOWN;
  const { least, most } = limits;
  return {
    kind: "list",
    of: plainOf(schema.element),
    ...(least === undefined ? {} : { least }),
    ...(most === undefined ? {} : { most }),
  };
}

function mappingOf(schema: z.ZodObject): Plain {
  // Only a strict one refuses what it does not know.
  if (!(schema.def.catchall instanceof z.ZodNever)) return UNKNOWN;
  const options: Record<string, PlainOption> = {};
  for (const [key, field] of Object.entries(schema.shape)) options[key] = optionOf(field);
  return { kind: "mapping", options };
}

function optionOf(field: Schema): PlainOption {
  if (field instanceof z.ZodOptional) return { of: plainOf(field.unwrap()), optional: true };
  if (field instanceof z.ZodDefault) {
    return { of: plainOf(field.unwrap()), preset: field.def.defaultValue };
  }
  if (field instanceof z.ZodPrefault) {
    return { of: plainOf(field.unwrap()), preset: z.parse(field, undefined) };
  }
  return { of: plainOf(field) };
}

function componentOf(schema: z.ZodDiscriminatedUnion): Plain {
  const types: Record<string, Plain> = {};
  for (const option of schema.options) {
    const type = componentType(option);
    if (type === undefined) return UNKNOWN;
    types[type] = plainOf(option);
  }
  return { kind: "component", types };
}
