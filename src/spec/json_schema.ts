/**
 * The JSON Schema of specs, for editors. Made by `deno task schemas`, never while a spec is run.
 *
 * @module
 */
import * as z from "zod";
import { specSchema } from "../../schemas/pipeline.ts";

/** A piece of a JSON Schema. */
type Piece = z.core.JSONSchema.BaseSchema;

/** Where the definition of `${NAME}` stands in the schema. */
const NAMED = "#/$defs/from_environment";

/**
 * The schema of what may be written in a spec: options with a default may be left out, and
 * wherever a value is no free text, a text with `${NAME}` in it may stand instead.
 */
export function jsonSchema(): Piece {
  const { $schema, ...rest } = z.toJSONSchema(specSchema, {
    io: "input",
    override: ({ jsonSchema, path }) => admitNames(jsonSchema, path),
  });
  return {
    ...($schema === undefined ? {} : { $schema }),
    title: "portsync spec",
    ...rest,
    $defs: {
      from_environment: {
        type: "string",
        pattern: "\\$\\{[^{}]+\\}",
        description: "`${NAME}` or `${NAME:-default}`: a value of the environment.",
      },
    },
  };
}

/** Lets a name of the environment stand for a value that is no free text. */
function admitNames(schema: Piece, path: readonly (string | number)[]): void {
  if (path.at(-1) === "pipelines") schema.minProperties = 1;
  const closed = schema.enum !== undefined || schema.pattern !== undefined ||
    schema.type === "integer" || schema.type === "number" || schema.type === "boolean";
  if (!closed || schema.const !== undefined || path.at(-1) === "propertyNames") return;
  const { description, default: preset, ...own } = schema;
  for (const key of Object.keys(own)) delete schema[key];
  schema.anyOf = [own, { $ref: NAMED }];
  // Editors show what stands at the option itself.
  if (description !== undefined) schema.description = description;
  if (preset !== undefined) schema.default = preset;
}
