/**
 * The whole spec: version, service and pipelines, composed of the components' schemas.
 *
 * A new component is added to the list of its kind here, and to `src/registry.ts`.
 *
 * @module
 */
import * as z from "zod";
import { kernelSchema } from "./kernel.ts";
import { ksyncSchema } from "./ksync.ts";
import { netlinkSchema } from "./netlink.ts";
import { replaySchema } from "./replay.ts";
import { serviceSchema } from "./service.ts";
import { shmSchema } from "./shm.ts";
import { stateDbSchema } from "./state_db.ts";
import { tableSchema } from "./table.ts";
import { udsSchema } from "./uds.ts";
import { validateSchema } from "./validate.ts";

/** The longest lists that a spec may have. */
const MOST = 64;

/** Every source. */
export const sourceSchema = z.discriminatedUnion("type", [
  netlinkSchema,
  replaySchema,
  shmSchema,
  tableSchema,
  udsSchema,
]);

/** Every transform; ksync is one of them and stands last. */
export const transformSchema = z.discriminatedUnion("type", [validateSchema, ksyncSchema]);

/** Every sink. */
export const sinkSchema = z.discriminatedUnion("type", [stateDbSchema, kernelSchema]);

/** A pipeline's name becomes part of file names, metrics and log lines. */
export const pipelineNameSchema = z.string().regex(
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  "A pipeline's name has up to 64 letters, digits, dashes and underscores, a letter or digit first",
);

/** One source, any transforms, one or more sinks. */
export const pipelineSchema = z.strictObject({
  namespace: z.string().max(255).regex(
    /^(?!\.{1,2}$)[A-Za-z0-9_.-]+$/,
    "Expected the name of a network namespace, as `ip netns` lists it",
  ).optional().describe(
    "The network namespace that the pipeline's native source works in, as `ip netns` names it.",
  ),
  source: sourceSchema.describe("Where changes come from."),
  transforms: z.array(transformSchema).max(MOST).default([]).describe(
    "What is done to the changes, in this order.",
  ),
  sinks: z.array(sinkSchema).min(1).max(MOST).describe("Where changes go, all of them."),
}).describe("One source, any transforms, one or more sinks.");

/** The whole spec. */
export const specSchema = z.strictObject({
  version: z.literal(1).describe("The version of this format."),
  service: serviceSchema.prefault({}).describe(
    "Settings of the service around the pipelines.",
  ),
  pipelines: z.record(pipelineNameSchema, pipelineSchema).describe(
    "The pipelines by name. Each runs in a process of its own, under its own permissions.",
  ),
}).describe("A portsync spec.");

/** A checked spec, every default filled in. */
export type SpecConfig = z.output<typeof specSchema>;

/** A checked pipeline. */
export type PipelineConfig = z.output<typeof pipelineSchema>;
