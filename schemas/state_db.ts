/**
 * Settings of the `state_db` sink.
 *
 * @module
 */
import * as z from "zod";
import { filePath, milliseconds, secret, storeUrl, tableName } from "./fields.ts";

/** Settings of the `state_db` sink. */
export const stateDbSchema = z.strictObject({
  type: z.literal("state_db").describe("Rows of a SONiC database, in Redis or embedded."),
  url: storeUrl({ sqlite: true }).optional().describe(
    "`unix:///path`, `redis://host:port`, `rediss://host:port` with TLS, or `sqlite:FILE` for the " +
      "embedded store. May be left out where `database_config.json` answers.",
  ),
  database: z.union([
    z.string().regex(/^[A-Z][A-Z0-9_]*$/, "Expected a database's name, such as STATE_DB"),
    z.int().min(0).max(1023),
  ]).default("STATE_DB").describe(
    "Name or number of the database. Names are looked up in `database_config.json` where there " +
      "is one.",
  ),
  table: tableName().optional().describe(
    "The table to write. The change's own table when left out.",
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
  connect_timeout_ms: milliseconds(1, 600_000).default(5000).describe(
    "How long one attempt to connect may take.",
  ),
  request_timeout_ms: milliseconds(10, 600_000).default(3000).describe(
    "How long the server may leave a command unanswered before the connection is given up and " +
      "made again. Less than ksync's own, so that ksync hears which it was.",
  ),
  required: z.boolean().default(true).describe(
    "Whether a change counts as applied only when this sink has it.",
  ),
}).describe("The last state of each key, as hashes that SONiC's daemons read.");

/** Checked settings of the `state_db` sink. */
export type StateDbConfig = z.output<typeof stateDbSchema>;
