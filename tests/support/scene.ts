/**
 * The whole of the main job for one test: links of the kernel in a namespace of their own, a Redis,
 * and the product between them.
 *
 * @module
 */
import { eventually, pause } from "./eventually.ts";
import { createNetns, type Netns } from "./netns.ts";
import { type Portsync, type PortsyncOptions, startPortsync } from "./portsync.ts";
import { type RedisOptions, type RedisServer, startRedis } from "./redis.ts";
import { differences, embeddedTable, kernelTable, stateTable, type Table } from "./tables.ts";

/** What stands where. */
export interface SceneOptions {
  /** How many links, `Ethernet0`, `Ethernet4` and so on, all up; default 128. */
  readonly ports?: number;
  readonly redis?: RedisOptions;
  /** Where the rows go: to the Redis, or to a file of the embedded store. Default `redis`. */
  readonly store?: "redis" | "sqlite";
  /** Settings of the netlink source beside its interfaces. */
  readonly source?: Readonly<Record<string, unknown>>;
  /** Settings of ksync. */
  readonly ksync?: Readonly<Record<string, unknown>>;
  /** Settings of the sink beside its address. */
  readonly sink?: Readonly<Record<string, unknown>>;
  /** Transforms before ksync. */
  readonly transforms?: readonly unknown[];
  /** Runs before the product starts. */
  readonly before?: (scene: { readonly netns: Netns; readonly redis: RedisServer }) => unknown;
  /** Keys of rows that others own. */
  readonly foreign?: readonly string[];
  /** The ports that have rows at the start; every link that is followed when left out. */
  readonly known?: readonly string[];
  /** How the product is started. */
  readonly product?: PortsyncOptions;
}

/** How to hold a table against the kernel. */
export interface EqualOptions {
  /** Give up after this long; default 20 s. */
  readonly withinMs?: number;
  /** How long it must stay right; default 250 ms. */
  readonly holdMs?: number;
  /** Only these ports have rows; every link that is followed when left out. */
  readonly known?: ReadonlySet<string>;
}

/** The pipeline's name in every scene. */
export const PIPELINE = "port-sync";

/** Makes a scene and waits until the rows are right for the first time. */
export async function createScene(options: SceneOptions = {}): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const netns = stack.use(await createNetns());
  if (options.ports !== 0) await netns.addLinks(options.ports ?? 128, { up: true });
  const redis = stack.use(await startRedis(options.redis));
  await options.before?.({ netns, redis });
  const file = options.store === "sqlite" ? `${redis.folder}/state.db` : undefined;
  const spec = sceneSpec(netns, file === undefined ? redis.url : `sqlite:${file}`, options);
  const product = stack.use(await startPortsync(spec, options.product));
  const scene = new Scene({ netns, redis, product, spec, file }, options, stack.move());
  try {
    await scene.right({ holdMs: 0, ...(options.known && { known: new Set(options.known) }) });
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
  return scene;
}

/** The spec of the main job between a namespace and a store. */
export function sceneSpec(
  netns: Netns,
  url: string,
  options: SceneOptions = {},
): { readonly pipelines: Readonly<Record<string, unknown>> } {
  return {
    pipelines: {
      [PIPELINE]: {
        namespace: netns.name,
        source: { type: "netlink", interfaces: ["Ethernet*", "PortChannel*"], ...options.source },
        transforms: [
          ...options.transforms ?? [{ type: "validate" }],
          { type: "ksync", ...options.ksync },
        ],
        sinks: [{ type: "state_db", url, database: "STATE_DB", ...options.sink }],
      },
    },
  };
}

/** What a test plays with. */
export class Scene implements AsyncDisposable {
  readonly netns: Netns;
  readonly redis: RedisServer;
  /** The product; another one after `start()`. */
  product: Portsync;
  /** The spec that it was started with. */
  readonly spec: ReturnType<typeof sceneSpec>;
  /** The embedded store, where that is used. */
  readonly file: string | undefined;
  readonly #foreign: ReadonlySet<string>;
  readonly #options: PortsyncOptions;
  readonly #stack: AsyncDisposableStack;

  /** Not for callers: use {@linkcode createScene}. */
  constructor(
    parts: Pick<Scene, "netns" | "redis" | "product" | "spec" | "file">,
    options: SceneOptions,
    stack: AsyncDisposableStack,
  ) {
    this.netns = parts.netns;
    this.redis = parts.redis;
    this.product = parts.product;
    this.spec = parts.spec;
    this.file = parts.file;
    this.#foreign = new Set(options.foreign);
    this.#options = options.product ?? {};
    this.#stack = stack;
  }

  /** The process between the kernel and Redis. */
  get pipelinePid(): Promise<number> {
    return this.product.pipelinePid(PIPELINE);
  }

  /** The rows that are there now. */
  async rows(): Promise<Table> {
    return this.file === undefined ? await stateTable(this.redis) : embeddedTable(this.file);
  }

  /**
   * Waits until STATE_DB equals the kernel and checks that it stays so for a moment. Nothing is
   * changed while it waits, so no event can help.
   */
  async right(options: EqualOptions = {}): Promise<void> {
    const { withinMs = 20_000, holdMs = 250, known } = options;
    const look = async () => {
      const [kernel, state] = await Promise.all([kernelTable(this.netns), this.rows()]);
      const expected = new Map([...kernel].filter(([key]) => known?.has(key) ?? true));
      const wrong = differences(expected, state, this.#foreign);
      if (wrong.length === 0) return undefined;
      const more = wrong.length > 8 ? `\n  … and ${wrong.length - 8} more` : "";
      return `${wrong.length} of ${expected.size} rows are wrong:\n  ` +
        `${wrong.slice(0, 8).join("\n  ")}${more}\n${this.product.log}`;
    };
    await eventually(look, { withinMs, everyMs: 50 });
    if (holdMs === 0) return;
    await pause(holdMs);
    const later = await look();
    if (later !== undefined) {
      throw new Error(`The rows were right and became wrong again: ${later}`);
    }
  }

  /** Starts the product again on the same spec, after the test has stopped or killed it. */
  async start(options: PortsyncOptions = {}): Promise<void> {
    await this.product[Symbol.asyncDispose]();
    this.product = this.#stack.use(
      await startPortsync(this.spec, { ...this.#options, ...options }),
    );
  }

  /** Sets or reads a row of STATE_DB with redis-cli. */
  cli(...args: readonly string[]): Promise<string> {
    return this.redis.cli("-n", "6", ...args);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
