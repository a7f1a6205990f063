/**
 * Settings of the `kernel` sink.
 *
 * @module
 */
import * as z from "zod";
import { milliseconds } from "./fields.ts";

/** Settings of the `kernel` sink. */
export const kernelSchema = z.strictObject({
  type: z.literal("kernel").describe("Links of the kernel, changed over rtnetlink."),
  correction_max_ms: milliseconds(100, 3_600_000).default(10_000).describe(
    "The longest pause between two corrections of a link that somebody else changes again and " +
      "again. The first are made at once, the pauses between the next grow up to this.",
  ),
  required: z.boolean().default(true).describe(
    "Whether a change counts as applied only when this sink has it.",
  ),
}).describe(
  "Makes links what the rows say: `admin_status` (`up` or `down`), `mtu`, and `master`, the name " +
    "of the bridge or bond to belong to (empty for none). Other fields are left to others.",
);

/** Checked settings of the `kernel` sink. */
export type KernelConfig = z.output<typeof kernelSchema>;
