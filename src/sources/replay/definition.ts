/**
 * What the `replay` source says about itself.
 *
 * @module
 */
import { resolve } from "node:path/posix";
import type {
  ComponentConfig,
  Definition,
  GrantPart,
  ResolveContext,
} from "../../core/component.ts";
import { SettingError } from "../../core/setting_error.ts";
import type { ReplayConfig } from "../../../schemas/replay.ts";

/** The `replay` source. */
export const definition: Definition<ReplayConfig> = {
  kind: "source",
  type: "replay",
  summary: "Plays a recording of link datagrams through the decoder of the netlink source, " +
    "without a kernel and without privileges.",
  examples: [
    {
      title: "A recording as fast as it goes",
      config: { type: "replay", file: "links.psnl" },
    },
    {
      title: "The ports of a recording, with the pauses they had",
      config: {
        type: "replay",
        file: "/var/tmp/links.psnl",
        interfaces: ["Ethernet*"],
        pace: "recorded",
      },
    },
  ],
  async resolve(config: ReplayConfig, context: ResolveContext): Promise<ComponentConfig> {
    const file = resolve(context.folder, config.file);
    if (await context.isFile(file)) return { ...config, file };
    throw new SettingError(`There is no recording ${file}`, ["file"]);
  },
  grants(config: ComponentConfig, { library }: ResolveContext): GrantPart[] {
    return [
      { why: "the native library decodes the recording", ffi: [library] },
      { why: "the recording is read", read: [String(config["file"])] },
    ];
  },
};
