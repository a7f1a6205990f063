/**
 * Settings of the `validate` transform.
 *
 * @module
 */
import * as z from "zod";
import { filePath, milliseconds, patterns, secret, storeUrl, tableName } from "./fields.ts";

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
  username: z.string().min(1).max(256).optional().describe(
    "The user for AUTH. The Redis sink's when left out, where it is the same server.",
  ),
  password: secret().optional().describe(
    "The password for AUTH: `${file:/path}` or `${credential:NAME}`. The Redis sink's when left " +
      "out, where it is the same server.",
  ),
  ca_certificate: filePath().optional().describe(
    "A file with certificates (PEM) to trust besides those of the system, for `rediss:`. The " +
      "Redis sink's when left out, where it is the same server.",
  ),
  database_config: filePath().optional().describe(
    "Another place of `database_config.json`. The Redis sink's when left out.",
  ),
  poll_ms: milliseconds(100, 3_600_000).default(2000).describe(
    "How often to look for ports where the server sends no keyspace notifications.",
  ),
  hold_max: z.int().min(1).max(1_000_000).default(4096).describe(
    "How many changes of unknown ports are held back at most, the last of each port. Further " +
      "ones are refused and counted, and the source is asked for all of them when there is room.",
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
