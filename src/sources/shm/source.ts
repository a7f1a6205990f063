/**
 * The `shm` source: changes of other processes through shared memory.
 *
 * @module
 */
import type { Context } from "../../core/component.ts";
import { StopError } from "../../core/errors.ts";
import type { Source } from "../../core/stage.ts";
import { createPollSource } from "../netipc/poll.ts";
import { createRingSource } from "../netipc/ring.ts";
import { createServeSource } from "../netipc/serve.ts";
import { settingsOf } from "../netipc/settings.ts";
import type { ShmConfig } from "../../../schemas/shm.ts";

/** Makes a server, a client, or the consumer of a ring. */
export default async function createShmSource(
  config: ShmConfig,
  context: Context,
): Promise<Source> {
  if (config.protocol === "ring") {
    const { file, capacity_bytes } = config;
    if (file === undefined) throw new StopError("The ring has no file");
    return await createRingSource({ file, capacity_bytes }, context);
  }
  const settings = settingsOf(config);
  return await (config.mode === "serve"
    ? createServeSource(settings, context)
    : createPollSource(settings, context));
}
