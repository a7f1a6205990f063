/**
 * Every component there is. Each has two modules, imported only when asked for: the definition by
 * the supervisor and the commands, the implementation by the pipeline's own process.
 *
 * @module
 */
import type {
  CreateEventSink,
  CreateReconciler,
  CreateSource,
  CreateStateSink,
  CreateTransform,
  Definition,
} from "./core/component.ts";

interface Entry<Create> {
  definition(): Promise<{ readonly definition: Definition }>;
  implementation(): Promise<{ readonly default: Create }>;
}

// deno-lint-ignore no-explicit-any -- each implementation narrows the settings its schema checked
type Settings = any;

/** Sources by `type`. */
export const sources: Readonly<Record<string, Entry<CreateSource<Settings>>>> = {
  netlink: {
    definition: () => import("./sources/netlink/definition.ts"),
    implementation: () => import("./sources/netlink/source.ts"),
  },
  replay: {
    definition: () => import("./sources/replay/definition.ts"),
    implementation: () => import("./sources/replay/source.ts"),
  },
  shm: {
    definition: () => import("./sources/shm/definition.ts"),
    implementation: () => import("./sources/shm/source.ts"),
  },
  table: {
    definition: () => import("./sources/table/definition.ts"),
    implementation: () => import("./sources/table/source.ts"),
  },
  uds: {
    definition: () => import("./sources/uds/definition.ts"),
    implementation: () => import("./sources/uds/source.ts"),
  },
};

/** Transforms by `type`, without ksync. */
export const transforms: Readonly<Record<string, Entry<CreateTransform<Settings>>>> = {
  validate: {
    definition: () => import("./transforms/validate/definition.ts"),
    implementation: () => import("./transforms/validate/transform.ts"),
  },
};

/** The reconciler that stands before every state sink. */
export const reconcilers: Readonly<Record<string, Entry<CreateReconciler<Settings>>>> = {
  ksync: {
    definition: () => import("./transforms/ksync/definition.ts"),
    implementation: () => import("./transforms/ksync/transform.ts"),
  },
};

/** State sinks by `type`. */
export const stateSinks: Readonly<Record<string, Entry<CreateStateSink<Settings>>>> = {
  state_db: {
    definition: () => import("./sinks/state_db/definition.ts"),
    implementation: () => import("./sinks/state_db/sink.ts"),
  },
  kernel: {
    definition: () => import("./sinks/kernel/definition.ts"),
    implementation: () => import("./sinks/kernel/sink.ts"),
  },
};

/** Event sinks by `type`. */
export const eventSinks: Readonly<Record<string, Entry<CreateEventSink<Settings>>>> = {};

/** The recorder of link datagrams, for `portsync record`: what the replay source plays. */
export const recorder = (): Promise<typeof import("./sources/netlink/recorder.ts")> =>
  import("./sources/netlink/recorder.ts");
