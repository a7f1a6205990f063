/**
 * The `uds` source: changes of other processes by netipc.
 *
 * @module
 */
import type { Context } from "../../core/component.ts";
import type { Source } from "../../core/stage.ts";
import { createPollSource } from "../netipc/poll.ts";
import { createServeSource } from "../netipc/serve.ts";
import type { UdsConfig } from "../../../schemas/uds.ts";

/** Makes a server for producers, or a client of another program's service. */
export default function createUdsSource(config: UdsConfig, context: Context): Promise<Source> {
  return config.mode === "serve"
    ? createServeSource(config, context)
    : createPollSource(config, context);
}
