/**
 * Fields that several components share, so that each is said, checked and documented once.
 *
 * @module
 */
import * as z from "zod";
import { checkGlob } from "../src/core/glob.ts";
import { SECRET_REFERENCE } from "../src/core/secret.ts";
import { checkStoreUrl } from "./url.ts";

/** The schemas whose values are secrets. Anything found here is masked wherever it is printed. */
export const secrets: z.core.$ZodRegistry<{ readonly secret: true }> = z.registry();

/** A whole number of milliseconds between two bounds. */
export function milliseconds(min: number, max: number): z.ZodInt {
  return z.int().min(min).max(max);
}

/** A name that becomes part of a Redis key: no separator, no white space, no control character. */
export function tableName(): z.ZodString {
  return z.string().max(128).regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    "Expected the name of a table: letters, digits and underscores",
  );
}

/** Patterns of names; see `src/core/glob.ts` for what they mean. */
export function patterns(): z.ZodArray<z.ZodString> {
  const pattern = z.string().superRefine((text, context) => {
    const complaint = checkGlob(text);
    if (complaint !== undefined) context.addIssue({ code: "custom", message: complaint });
  });
  return z.array(pattern).min(1).max(256);
}

/** The address of a Redis server or, where `sqlite` is allowed, of an embedded store. */
export function storeUrl(options: { readonly sqlite: boolean }): z.ZodString {
  return z.string().superRefine((text, context) => {
    const complaint = checkStoreUrl(text, options);
    if (complaint !== undefined) context.addIssue({ code: "custom", message: complaint });
  });
}

/** A path, absolute or from the folder of the spec. */
export function filePath(): z.ZodString {
  return z.string().min(1).max(4096).regex(
    // deno-lint-ignore no-control-regex -- a NUL ends a path in the kernel's eyes
    /^[^\u0000-\u001f\u007f]+$/,
    "Expected a path without control characters",
  );
}

/**
 * A secret. Its text is never in the spec: it is a reference, `${file:/path}` or
 * `${credential:NAME}`, and stays one in the plan.
 */
export function secret(): z.ZodString {
  const schema = z.string().regex(
    SECRET_REFERENCE,
    "A secret does not stand in a spec; write ${file:/path} or ${credential:NAME}",
  );
  secrets.add(schema, { secret: true });
  return schema;
}

/** The names of fields that the link sources can add to a row. */
export const EXTRA_FIELDS = [
  "ifindex",
  "mac",
  "kind",
  "master",
  "carrier",
  "operstate",
] as const;

/** Which links a source speaks of. */
export function interfaces(): z.ZodOptional<z.ZodArray<z.ZodString>> {
  return patterns().optional().describe(
    "Names of the links to follow, as patterns with `*`, `?` and `[a-z]`. " +
      "A dot is only matched by a dot. Every link when left out.",
  );
}

/** Which fields a link source adds to the four of portsyncd. */
export function extraFields(): z.ZodOptional<z.ZodArray<z.ZodEnum<Enum<typeof EXTRA_FIELDS>>>> {
  return z.array(z.enum(EXTRA_FIELDS)).max(EXTRA_FIELDS.length).optional().describe(
    "Fields to add to `state`, `netdev_oper_status`, `admin_status` and `mtu` in each row.",
  );
}

type Enum<Names extends readonly string[]> = { readonly [Name in Names[number]]: Name };
