/**
 * Settings of the `netlink` source.
 *
 * @module
 */
import * as z from "zod";
import { extraFields, interfaces, milliseconds } from "./fields.ts";

/** Settings of the `netlink` source. */
export const netlinkSchema = z.strictObject({
  type: z.literal("netlink").describe("Links of the kernel: a dump at the start, then its events."),
  interfaces: interfaces(),
  extra_fields: extraFields(),
  receive_buffer_bytes: z.int().min(64 * 1024).max(256 * 1024 * 1024).default(16 * 1024 * 1024)
    .describe(
      "Size of the socket's receive buffer. What the kernel refuses is asked for again within " +
        "its limit, and the size that was reached is logged.",
    ),
  linger_ms: milliseconds(0, 1).default(1).describe(
    "How long to gather events that follow each other within 2 ms before they are handed on; " +
      "0 for the shortest way, 1 for half the wake-ups.",
  ),
}).describe("Links of this machine's kernel, or of the pipeline's network namespace.");

/** Checked settings of the `netlink` source. */
export type NetlinkConfig = z.output<typeof netlinkSchema>;
