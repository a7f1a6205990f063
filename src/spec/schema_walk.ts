/**
 * Finds the schema that stands behind a path, for suggestions and for secrets.
 *
 * @module
 */
import * as z from "zod";
import { secrets } from "../../schemas/fields.ts";
import { isMapping, type Path } from "./tree.ts";

/** Any schema. */
type Schema = z.core.$ZodType;

/** The schema of the value at a path, without what makes it optional; undefined where none is. */
export function schemaAt(root: Schema, path: Path, tree: unknown): Schema | undefined {
  let schema = bare(root, tree);
  let value = tree;
  for (const step of path) {
    let next: Schema | undefined;
    if (schema instanceof z.ZodObject && typeof step === "string") {
      next = Object.hasOwn(schema.shape, step) ? schema.shape[step] : undefined;
    } else if (schema instanceof z.ZodRecord && typeof step === "string") next = schema.valueType;
    else if (schema instanceof z.ZodArray && typeof step === "number") next = schema.element;
    if (next === undefined) return undefined;
    value = inside(value, step);
    schema = bare(next, value);
  }
  return schema;
}

/** Whether the value at a path is a secret. */
export function isSecret(root: Schema, path: Path, tree: unknown): boolean {
  const schema = schemaAt(root, path, tree);
  return schema !== undefined && secrets.get(schema) !== undefined;
}

/** Whether only whole numbers pass. */
export function isWholeNumber(schema: Schema | undefined): boolean {
  return schema instanceof z.ZodNumber && schema.isInt;
}

/** The option names of a mapping's schema. */
export function optionNames(schema: Schema | undefined): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** The `type` of a component's schema, or of one member of a union of components. */
export function componentType(schema: Schema | undefined): string | undefined {
  if (!(schema instanceof z.ZodObject)) return undefined;
  const type: unknown = schema.shape["type"];
  if (!(type instanceof z.ZodLiteral)) return undefined;
  const [value] = type.values;
  return typeof value === "string" ? value : undefined;
}

/** Takes off defaults and the like, and picks the member of a union by the value's `type`. */
export function bare(schema: Schema, value: unknown): Schema {
  let current = schema;
  while (
    current instanceof z.ZodOptional || current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault || current instanceof z.ZodNullable ||
    current instanceof z.ZodReadonly
  ) current = current.unwrap();
  if (!(current instanceof z.ZodDiscriminatedUnion) || !isMapping(value)) return current;
  const found = current.options.find((option) => componentType(option) === value["type"]);
  return found ?? current;
}

function inside(value: unknown, step: string | number): unknown {
  if (Array.isArray(value) && typeof step === "number") return value[step];
  return isMapping(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}
