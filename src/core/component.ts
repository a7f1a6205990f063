/**
 * What a component says about itself, and what it is given when it is made.
 *
 * A component is two modules: its definition (schema, prose, grants), which only the supervisor
 * and the commands load, and its implementation, which only the pipeline's own process loads. So
 * the process that moves data carries neither zod nor the parsers. `src/registry.ts` lists both.
 *
 * @module
 */
import type { Batch, Change } from "./change.ts";
import type { Source, Stage, StateSink } from "./stage.ts";
import type { Telemetry } from "./telemetry.ts";

/** The Deno permissions of one pipeline. Paths are absolute. */
export interface Grant {
  /** Files and folders. */
  readonly read: readonly string[];
  /** Files and folders. */
  readonly write: readonly string[];
  /** `host:port` or `unix:/path`. */
  readonly net: readonly string[];
  /** The native library, where a component needs it. */
  readonly ffi: readonly string[];
  /** Paths that the native library may open itself, sealed when it is loaded. */
  readonly native: readonly string[];
}

/** A part of a grant, with the reason that `explain` prints. */
export interface GrantPart extends Partial<Grant> {
  /** The reason, for people. */
  readonly why: string;
}

/** What the resolve phase may ask of the machine. */
export interface ResolveContext {
  /** The folder of the spec: relative paths start here. */
  readonly folder: string;
  /** Absolute path of the native library. */
  readonly library: string;
  /** Reads a whole file; fails as `Deno.readTextFile` does. */
  readTextFile(path: string): Promise<string>;
  /** Whether a regular file is there; false as well where the user may not look. */
  isFile(path: string): Promise<boolean>;
  /** The pipeline that the component stands in, as checked: for defaults that follow a neighbour. */
  readonly pipeline: PipelineShape;
}

/** A pipeline as the spec gives it, for components that follow a neighbour's settings. */
export interface PipelineShape {
  /** The name under `pipelines`. */
  readonly name: string;
  /** The network namespace of the native source, as `ip netns` names it. */
  readonly namespace?: string | undefined;
  /** Settings of the source. */
  readonly source: ComponentConfig;
  /** Settings of the transforms, in their order. */
  readonly transforms: readonly ComponentConfig[];
  /** Settings of the sinks. */
  readonly sinks: readonly ComponentConfig[];
}

/** The checked settings of a component; `type` picks the component. */
export interface ComponentConfig {
  /** Which component it is. */
  readonly type: string;
  /** The component's own settings. */
  readonly [option: string]: unknown;
}

/**
 * What the registry, the checker, the documentation and `explain` know of a component. `Config` is
 * what its schema gives, which has been checked before anything here is called: a definition loads
 * no schema, because every start loads the definitions.
 */
export interface Definition<Config extends ComponentConfig = ComponentConfig> {
  /** Where it may stand in a pipeline. */
  readonly kind: "source" | "transform" | "sink";
  /** The word that picks it in a spec. */
  readonly type: string;
  /** One sentence. */
  readonly summary: string;
  /** Complete settings that pass the schema, each with what it shows. */
  readonly examples: readonly { readonly title: string; readonly config: ComponentConfig }[];
  /** Only for sinks: a state sink is driven by ksync, an event sink keeps every change. */
  readonly keeps?: "state" | "events";
  /**
   * Completes the settings with what the machine says (a database file, a path made absolute).
   *
   * @throws {SpecError | StopError} when what the settings name is not there
   */
  resolve?(config: Config, context: ResolveContext): Promise<ComponentConfig>;
  /** The permissions that the resolved settings need, each with its reason. */
  grants(config: ComponentConfig, context: ResolveContext): GrantPart[];
}

/** What every implementation is given. */
export interface Context {
  /** The pipeline's name. */
  readonly pipeline: string;
  /**
   * The same for every process that ever runs this pipeline under its lock, so that at most one of
   * them is alive; absent where no lock is held.
   */
  readonly lineage?: string | undefined;
  /** Where it logs and counts. */
  readonly telemetry: Telemetry;
  /** Absolute path of the native library. */
  readonly library: string;
  /** The network namespace's name, for sources that open sockets of the kernel. */
  readonly namespace?: string | undefined;
  /** Write nothing, and say what would be written. */
  readonly dryRun: boolean;
  /**
   * When receipts are wanted: `applied` once the sinks have the change, `accepted` as soon as the
   * stage has taken it over (sources that cannot repeat, such as netlink).
   */
  readonly acknowledge: "applied" | "accepted";
  /** Ends the pipeline with an error that only an operator can mend. */
  fail(error: Error): void;
  /** Asks the source for a complete dump. */
  resync(): void;
}

/** The implementation of a source: the default export of its module. */
export type CreateSource<C> = (config: C, context: Context) => Source | Promise<Source>;

/** The implementation of a transform. */
export type CreateTransform<C> = (
  config: C,
  context: Context,
  next: Stage,
) => Stage | Promise<Stage>;

/**
 * The implementation of ksync: a transform whose next is a state sink. It opens the sink when it is
 * made, and closes it when it is closed itself.
 */
export type CreateReconciler<C> = (
  config: C,
  context: Context,
  sink: StateSink,
) => Stage | Promise<Stage>;

/** The implementation of a state sink. */
export type CreateStateSink<C> = (config: C, context: Context) => StateSink | Promise<StateSink>;

/** The implementation of an event sink. */
export type CreateEventSink<C> = (config: C, context: Context) => Stage | Promise<Stage>;

/** A user's transform: a module's default export, run in a Worker without permissions. */
export type ModuleTransform = (
  changes: Change[],
  context: { readonly pipeline: string; readonly mark: Batch["mark"] },
) => Change[] | Promise<Change[]>;
