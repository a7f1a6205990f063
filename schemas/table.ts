/**
 * Settings of the `table` source.
 *
 * @module
 */
import * as z from "zod";
import { filePath, milliseconds, patterns, secret, storeUrl, tableName } from "./fields.ts";

/** Settings of the `table` source. */
export const tableSchema = z.strictObject({
  type: z.literal("table").describe(
    "Rows of a SONiC database, followed by keyspace notifications.",
  ),
  url: storeUrl({ sqlite: false }).optional().describe(
    "`unix:///path`, `redis://host:port` or `rediss://host:port` with TLS. May be left out where " +
      "`database_config.json` answers.",
  ),
  database: z.union([
    z.string().regex(/^[A-Z][A-Z0-9_]*$/, "Expected a database's name, such as CONFIG_DB"),
    z.int().min(0).max(1023),
  ]).default("CONFIG_DB").describe(
    "Name or number of the database. Names are looked up in `database_config.json` where there " +
      "is one.",
  ),
  table: tableName().describe("The table to follow, such as `PORT`."),
  keys: patterns().optional().describe(
    "Keys of the rows to follow, as patterns with `*`, `?` and `[a-z]`. A dot is only matched by " +
      "a dot. Every row when left out.",
  ),
  fields: z.array(z.string().min(1).max(128)).min(1).max(256).optional().describe(
    "The fields to take from each row. A change of any other tells nobody. Every field when left " +
      "out.",
  ),
  as_stored: z.boolean().default(false).describe(
    "Whether to give rows exactly as they are stored. Otherwise `NULL` = `NULL`, SONiC's mark of " +
      "a row without fields, is left out, and the `@` behind the name of a list is cut off; its " +
      "values stay joined by commas.",
  ),
  username: z.string().min(1).max(256).optional().describe("The user for AUTH."),
  password: secret().optional().describe(
    "The password for AUTH: `${file:/path}` or `${credential:NAME}`.",
  ),
  database_config: filePath().optional().describe(
    "Another place of `database_config.json`. `/var/run/redis/sonic-db/database_config.json` " +
      "when left out.",
  ),
  ca_certificate: filePath().optional().describe(
    "A file with certificates (PEM) to trust besides those of the system, for `rediss:`.",
  ),
  poll_ms: milliseconds(100, 3_600_000).default(2000).describe(
    "How often to read the table where the server sends no keyspace notifications.",
  ),
  connect_timeout_ms: milliseconds(1, 600_000).default(5000).describe(
    "How long one attempt to connect may take.",
  ),
  request_timeout_ms: milliseconds(10, 600_000).default(3000).describe(
    "How long the server may leave a command unanswered before the connection is given up and " +
      "made again.",
  ),
}).describe(
  "Rows of a table: all of them at the start and after every reconnect, and what changes.",
);

/** Checked settings of the `table` source. */
export type TableConfig = z.output<typeof tableSchema>;
