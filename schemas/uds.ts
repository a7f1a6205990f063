/**
 * Settings of the `uds` source.
 *
 * @module
 */
import * as z from "zod";
import { netipcFields } from "./netipc.ts";

/** Settings of the `uds` source. */
export const udsSchema = z.strictObject({
  type: z.literal("uds").describe("Changes of other processes by netipc, over a unix socket."),
  ...netipcFields(),
  profile: z.enum(["auto", "uds", "shm"]).default("auto").describe(
    "How messages travel after the handshake: `uds` over the socket, `shm` through shared memory, " +
      "`auto` through shared memory with those that can.",
  ),
}).describe("Changes of other processes by netipc, over a unix socket.");

/** Checked settings of the `uds` source. */
export type UdsConfig = z.output<typeof udsSchema>;
