/**
 * Settings of the `ksync` transform.
 *
 * @module
 */
import { z } from "zod";
import { milliseconds, patterns } from "./fields.ts";

const retrySchema = z.strictObject({
  initial_ms: milliseconds(1, 60_000).default(100).describe("The wait before the first retry."),
  max_ms: milliseconds(1, 3_600_000).default(30_000).describe("The longest wait between two."),
  factor: z.number().min(1).max(10).default(2).describe("By what each wait is longer."),
  jitter: z.number().min(0).max(1).default(0.2).describe(
    "The part of each wait that is random, so that not everybody knocks at once.",
  ),
  max_attempts: z.int().min(0).max(1_000_000).default(0).describe(
    "After how many attempts a key is given up and reported; 0 for never.",
  ),
});

const ownsSchema = z.strictObject({
  keys: patterns().optional().describe("Patterns of the keys that are ours."),
  field: z.string().min(1).max(128).optional().describe(
    "The field that every row of ours carries.",
  ),
});

const sweepSchema = z.strictObject({
  after_ms: milliseconds(0, 3_600_000).default(0).describe(
    "How long after the end of a complete dump the sweep begins.",
  ),
  interval_ms: milliseconds(1, 60_000).default(100).describe("The pause between two turns."),
  per_interval: z.int().min(1).max(100_000).default(32).describe(
    "How many rows one turn removes at most.",
  ),
});

/** Settings of the `ksync` transform. */
export const ksyncSchema = z.strictObject({
  type: z.literal("ksync").describe("Makes the state sinks equal to the source."),
  request_timeout_ms: milliseconds(1, 3_600_000).default(5000).describe(
    "How long a write may stay unanswered before it counts as failed.",
  ),
  retry: retrySchema.prefault({}).describe("The waits between the attempts of a failed write."),
  max_in_flight: z.int().min(1).max(100_000).default(200).describe(
    "How many keys may have a write outstanding at the same time; each key has one at most.",
  ),
  batch_operations: z.int().min(1).max(10_000).default(64).describe(
    "How many writes go to the sink in one call at most.",
  ),
  coalesce_ms: milliseconds(0, 60_000).default(0).describe(
    "How long an idle key waits for further changes before its first write; 0 writes at once.",
  ),
  settle_ms: milliseconds(0, 3_600_000).default(1000).describe(
    "How long a change may wait before its receipt says that it is deferred.",
  ),
  owns: ownsSchema.optional().describe(
    "Which rows of the table are ours to remove when no link stands behind them. Follows the " +
      "source when left out: its `interfaces`, and the field `state`.",
  ),
  sweep: sweepSchema.prefault({}).describe(
    "How rows are removed that a complete dump did not name.",
  ),
}).describe(
  "Keeps the desired and the believed state of every key and writes the difference, with one " +
    "request for each key at a time, retries, and mark and sweep after a dump.",
);

/** Checked settings of the `ksync` transform. */
export type KsyncConfig = z.output<typeof ksyncSchema>;
