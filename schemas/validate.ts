/**
 * Settings of the `validate` transform.
 *
 * @module
 */
import { z } from "zod";
import { patterns, storeUrl, tableName } from "./fields.ts";

/** Where the known ports stand. */
const portsSchema = z.strictObject({
  database: z.enum(["APPL_DB", "CONFIG_DB"]).describe("The database that knows the ports."),
  url: storeUrl({ sqlite: false }).optional().describe(
    "The Redis server that holds it. May be left out where `database_config.json` names it, or " +
      "where the pipeline has exactly one Redis sink, whose server is taken.",
  ),
  table: tableName().optional().describe(
    "The table of the ports. `PORT_TABLE` in APPL_DB and `PORT` in CONFIG_DB when left out.",
  ),
  hold_max: z.int().min(1).max(1_000_000).default(4096).describe(
    "How many changes of unknown ports are held back at most, one for each port; the oldest goes " +
      "when it is reached, and is counted.",
  ),
});

/** Settings of the `validate` transform. */
export const validateSchema = z.strictObject({
  type: z.literal("validate").describe("Lets through only what may become a row."),
  interfaces: patterns().optional().describe(
    "Names of the ports to let through, as patterns with `*`, `?` and `[a-z]`. Every name when " +
      "left out.",
  ),
  ports: portsSchema.optional().describe(
    "Lets through only ports that this table knows. What is held back is taken up when its port " +
      "appears.",
  ),
}).describe(
  "Drops changes that may not become a row: wrong names, values out of range, unknown ports. " +
    "Each is counted with its reason.",
);

/** Checked settings of the `validate` transform. */
export type ValidateConfig = z.output<typeof validateSchema>;
