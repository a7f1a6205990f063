/**
 * Settings of the service around the pipelines.
 *
 * @module
 */
import * as z from "zod";
import { filePath, milliseconds } from "./fields.ts";

/** Settings of the service around the pipelines; folders are completed when the spec is resolved. */
export const serviceSchema = z.strictObject({
  runtime_folder: filePath().optional().describe(
    "Folder of the locks and of the control socket. When left out: `/run/portsync` for root, " +
      "`$XDG_RUNTIME_DIR/portsync` or `/tmp/portsync-UID` for others.",
  ),
  data_folder: filePath().optional().describe(
    "Folder of what outlives a restart of the machine. When left out: `/var/lib/portsync` for root, " +
      "`portsync` in `$XDG_STATE_HOME` or `~/.local/state` for others.",
  ),
  log_level: z.enum(["debug", "info", "warn", "error"]).default("info").describe(
    "The least important lines that are logged.",
  ),
  log_format: z.enum(["text", "json"]).default("text").describe(
    "`text` for people and journald, `json` for one object a line.",
  ),
  shutdown_ms: milliseconds(0, 600_000).default(5000).describe(
    "How long a shutdown may take until what is left is given up.",
  ),
}).describe("Settings of the service around the pipelines.");

/** Checked settings of the service. */
export type ServiceConfig = z.output<typeof serviceSchema>;
