/**
 * Specs for tests of the runtime: links of this machine into files, without root and without Redis.
 *
 * @module
 */

/** A folder with a spec in it. */
export interface Fixture extends AsyncDisposable {
  readonly folder: string;
  /** The spec's file. */
  readonly file: string;
  readonly runtimeFolder: string;
  /** The file of rows of a pipeline. */
  store(pipeline: string): string;
}

/** Pipelines of the loopback link, each into a file of its own, under these names. */
export async function makeFixture(
  names: readonly string[],
  pipelines: Readonly<Record<string, unknown>> = {},
): Promise<Fixture> {
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "portsync-runtime-" });
  const store = (pipeline: string) => `${folder}/${pipeline}.db`;
  const own = names.map((name) => [name, {
    // A buffer that everybody may have, so that nothing is warned of without root.
    source: { type: "netlink", interfaces: ["lo"], receive_buffer_bytes: 65536 },
    transforms: [{ type: "ksync" }],
    sinks: [{ type: "state_db", url: `sqlite:${store(name)}` }],
  }]);
  const spec = {
    version: 1,
    service: { runtime_folder: `${folder}/run`, data_folder: `${folder}/data` },
    pipelines: { ...Object.fromEntries(own), ...pipelines },
  };
  const file = `${folder}/spec.yaml`;
  await Deno.writeTextFile(file, JSON.stringify(spec));
  return {
    folder,
    file,
    runtimeFolder: `${folder}/run`,
    store,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** The processes of pipelines among the descendants of a supervisor, by pipeline. */
export function pipelineName(words: readonly string[]): string | undefined {
  const entry = words.findIndex((word) => /\/pipeline_main\.[jt]s$/.test(word));
  return entry < 0 ? undefined : words[entry + 1];
}
