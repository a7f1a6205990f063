/**
 * Settings of the `ksync` transform.
 *
 * @module
 */
import * as z from "zod";
import { milliseconds, patterns, tableName } from "./fields.ts";

const fieldName = () => z.string().min(1).max(128);

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
  on_change: z.enum(["wait", "now"]).default("wait").describe(
    "Whether a newer value of a key that failed waits for the next attempt or goes at once.",
  ),
});

const ownsSchema = z.strictObject({
  keys: patterns().optional().describe("Patterns of the keys that are ours."),
  field: fieldName().optional().describe("The field that every row of ours carries."),
  fields: z.array(fieldName()).max(256).optional().describe(
    "Fields that are ours in every row: one of these that the source no longer names is removed " +
      "from the row, also when an earlier run wrote it.",
  ),
});

const sweepSchema = z.strictObject({
  after_ms: milliseconds(0, 3_600_000).default(0).describe(
    "How long after the end of a complete dump the sweep begins.",
  ),
  interval_ms: milliseconds(1, 60_000).default(100).describe("The pause between two turns."),
  per_interval: z.int().min(1).max(100_000).default(512).describe(
    "How many rows one turn removes at most.",
  ),
  max_wait_ms: milliseconds(1000, 86_400_000).default(300_000).describe(
    "How long a dump may take before it is reported that unclaimed rows cannot be swept.",
  ),
  without_end: z.boolean().default(false).describe(
    "Whether to sweep after that time although no dump was complete.",
  ),
});

const dampingSchema = z.strictObject({
  penalty: z.number().positive().default(1000).describe("What one change of a key adds."),
  suppress_above: z.number().positive().default(2000).describe(
    "The penalty above which a key's writes are held back.",
  ),
  reuse_below: z.number().positive().default(750).describe(
    "The penalty below which they go again.",
  ),
  half_life_ms: milliseconds(1, 86_400_000).default(15_000).describe(
    "The time in which the penalty falls to its half.",
  ),
  max_suppress_ms: milliseconds(1, 86_400_000).default(60_000).describe(
    "The longest that a key is held back after its last change.",
  ),
}).refine((damping) => damping.reuse_below < damping.suppress_above, {
  path: ["reuse_below"],
  message: "Expected less than suppress_above",
});

const dependencySchema = z.strictObject({
  table: tableName().describe("The table whose rows depend on others."),
  key: z.string().min(1).max(256).optional().describe(
    "The form of the keys that this rule is for, with names in braces for parts of them: " +
      "`{vlan}|{port}`. A part has no `|` in it. Every key when left out.",
  ),
  needs: z.array(z.string().min(3).max(512)).min(1).max(16).describe(
    "What must be in the sink before: table and key, with the parts in braces, " +
      "`VLAN_TABLE|{vlan}`. `{key}` is the whole key, and `{field:NAME}` the value of a field.",
  ),
});

const resolvedSchema = z.strictObject({
  table: tableName().describe("The table whose rows others wait for."),
  field: fieldName().describe("The field that says that a row can be used."),
  equals: z.string().max(1024).describe("The value that it has then."),
});

/** Settings of the `ksync` transform. */
export const ksyncSchema = z.strictObject({
  type: z.literal("ksync").describe("Makes the state sinks equal to the source."),
  tables: z.array(tableName()).min(1).max(64).optional().describe(
    "The tables that are kept. Their rows are read as soon as the sink is there, and a change of " +
      "another table is rejected. Any table when left out, read when its first change comes.",
  ),
  request_timeout_ms: milliseconds(1, 3_600_000).default(5000).describe(
    "How long a write may stay unanswered before it counts as failed.",
  ),
  retry: retrySchema.prefault({}).describe("The waits between the attempts of a failed write."),
  max_in_flight: z.int().min(1).max(100_000).default(256).describe(
    "How many keys may have a write outstanding at the same time; each key has one at most.",
  ),
  batch_operations: z.int().min(1).max(10_000).default(256).describe(
    "How many writes go to the sink in one call at most.",
  ),
  batch_bytes: z.int().min(1024).max(64 * 1024 * 1024).default(65_536).describe(
    "How many bytes of keys, names and values go to the sink in one call, as far as one write " +
      "alone is not more.",
  ),
  coalesce_ms: milliseconds(0, 60_000).default(0).describe(
    "How long an idle key waits for further changes before its first write; 0 writes at once.",
  ),
  gather_ms: milliseconds(0, 60_000).default(0).describe(
    "How long changes of other keys may gather while any write is outstanding, so that fewer and " +
      "larger batches are sent. A key is written at once while nothing is outstanding.",
  ),
  settle_ms: milliseconds(0, 3_600_000).default(1000).describe(
    "How long a change may wait, for anything but a sink that is away or slow, before its receipt " +
      "says that it is deferred.",
  ),
  owns: ownsSchema.optional().describe(
    "Which rows of the table are ours to remove when no link stands behind them. Follows the " +
      "source when left out: its `interfaces`, and the field `state`; of a source with " +
      "`mode: poll` every row with the field `hash`. Behind other sources none.",
  ),
  numeric_fields: z.array(fieldName()).max(256).optional().describe(
    "Fields that are compared as numbers, so that 9100 equals 9100.0.",
  ),
  sweep: sweepSchema.prefault({}).describe(
    "How rows are removed that a complete dump did not name.",
  ),
  depends_on: z.array(dependencySchema).max(256).optional().describe(
    "What must be in the sink before a row is written. A row is not deleted while another that " +
      "needs it is there.",
  ),
  resolved_when: z.array(resolvedSchema).max(64).optional().describe(
    "When a row can be depended upon. As soon as it is in the sink, when left out.",
  ),
  resolve_on: z.enum(["acked", "sent"]).default("acked").describe(
    "Whether a row can be depended upon once the sink has confirmed it, or as soon as it is sent.",
  ),
  on_dependency_deleted: z.enum(["hold", "cascade"]).default("hold").describe(
    "Whether a row waits with its delete for the rows that need it, or takes them along and " +
      "brings them back when it returns.",
  ),
  on_cycle: z.enum(["report", "reject"]).default("report").describe(
    "Whether rows that need each other wait and are reported, or the change that closes the " +
      "circle is rejected.",
  ),
  renew: z.enum(["ignore", "hold"]).default("ignore").describe(
    "Whether a row that is deleted and added again leaves at once or waits for those that need it.",
  ),
  hold_warn_ms: milliseconds(0, 86_400_000).default(30_000).describe(
    "How long a delete may wait for other rows before this is reported; 0 for never.",
  ),
  compress_deletes: z.boolean().default(true).describe(
    "Whether a delete may be left out when nothing of the row is in the sink.",
  ),
  damping: dampingSchema.optional().describe(
    "Holds back the writes of keys that change too often, and writes their last value in the end.",
  ),
}).describe(
  "Keeps the desired and the believed state of every key and writes the difference, with one " +
    "request for each key at a time, retries, and mark and sweep after a dump.",
);

/** Checked settings of the `ksync` transform. */
export type KsyncConfig = z.output<typeof ksyncSchema>;
