/**
 * Settings of the `shm` source.
 *
 * @module
 */
import * as z from "zod";
import { filePath } from "./fields.ts";
import { netipcFields } from "./netipc.ts";

const { service, ...shared } = netipcFields();

/** Settings of the `shm` source. */
export const shmSchema = z.strictObject({
  type: z.literal("shm").describe("Changes of other processes through shared memory."),
  protocol: z.enum(["netipc", "ring"]).default("netipc").describe(
    "`netipc`: a region for each producer, that lives as long as its session. `ring`: one queue " +
      "in a file for one producer, that outlives both processes.",
  ),
  ...shared,
  service: service.optional().describe(`${service.description} Not for \`ring\`.`),
  file: filePath().optional().describe(
    "The ring's file; a relative path starts at the folder of the spec. On a tmpfs it survives " +
      "restarts of processes, on a disk also of the machine. Only for `ring`.",
  ),
  capacity_bytes: z.int().min(65536).max(2 ** 30).refine(
    (bytes) => (bytes & (bytes - 1)) === 0,
    "Expected a power of two",
  ).default(4 * 1024 * 1024).describe(
    "How much a new file holds, a power of two. A file that stands keeps its own. Only for `ring`.",
  ),
}).superRefine(({ protocol, file, service: name }, context) => {
  if (protocol === "ring" && file === undefined) {
    context.addIssue({ code: "custom", path: ["file"], message: "A ring needs a file" });
  }
  if (protocol === "netipc" && name === undefined) {
    const message = "A netipc service needs a name";
    context.addIssue({ code: "custom", path: ["service"], message });
  }
}).describe("Changes of other processes through shared memory.");

/** Checked settings of the `shm` source. */
export type ShmConfig = z.output<typeof shmSchema>;
