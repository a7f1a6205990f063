/**
 * Settings of the `replay` source.
 *
 * @module
 */
import * as z from "zod";
import { extraFields, filePath, interfaces } from "./fields.ts";

/** Settings of the `replay` source. */
export const replaySchema = z.strictObject({
  type: z.literal("replay").describe("Datagrams that `portsync record` wrote to a file."),
  file: filePath().describe("The recording; a relative path starts at the folder of the spec."),
  interfaces: interfaces(),
  extra_fields: extraFields(),
  pace: z.enum(["fast", "recorded"]).default("fast").describe(
    "`fast` plays the datagrams without a pause, `recorded` with the pauses they were recorded " +
      "with.",
  ),
}).describe("A recording of links, played through the same decoder, without root or a kernel.");

/** Checked settings of the `replay` source. */
export type ReplayConfig = z.output<typeof replaySchema>;
