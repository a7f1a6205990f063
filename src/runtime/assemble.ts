/**
 * From a plan to the parts of a pipeline, by the registry and nothing else.
 *
 * @module
 */
import type { ComponentConfig, Context } from "../core/component.ts";
import { ExitCode, StopError } from "../core/errors.ts";
import { type Inspectable, isInspectable } from "../core/introspection.ts";
import type { Source, Stage, StateSink } from "../core/stage.ts";
import * as registry from "../registry.ts";
import type { PipelinePlan } from "../spec/plan.ts";
import { type Branch, FanOut } from "./fan_out.ts";
import type { Parts } from "./pipeline.ts";

/** What the parts are given by who assembles them. */
export interface Surroundings {
  /** The context of one component; `component` is its name for numbers, as `sink.state_db`. */
  context(component: string): Context;
  /** Takes the failure of a part that nobody waits for. */
  fail(error: Error): void;
}

/** A stage that can be asked, by its name: that of the sink behind it, or its own. */
export interface Inspected {
  readonly name: string;
  readonly stage: Inspectable;
}

/** The parts, and who of them can be asked. */
export interface Assembly extends Parts {
  /** Stages that keep state for each key, in the order of the data. */
  readonly inspectables: readonly Inspected[];
  /** The state sinks, for people who look on. */
  readonly stateSinks: readonly StateSink[];
}

/**
 * Sources that gain nothing by waiting: they cannot be asked again, or they tell the last state of
 * each row and have nobody to answer to.
 */
const NEED_NO_RECEIPTS: ReadonlySet<string> = new Set(["netlink", "replay", "table"]);

/** When the source of a plan wants its receipts. */
export function acknowledgement({ source }: PipelinePlan): Context["acknowledge"] {
  if (NEED_NO_RECEIPTS.has(source.type)) return "accepted";
  return source["acknowledge"] === "accepted" ? "accepted" : "applied";
}

/**
 * Makes every part of a pipeline: the sinks first, the source last, so that what the source says
 * has a way to go. A failure closes what was made before it.
 *
 * @throws {StopError} when a part cannot be made as the plan says
 */
export async function assemble(
  plan: PipelinePlan,
  surroundings: Surroundings,
): Promise<Assembly> {
  // All modules load at once; one after the other would cost a turn of the disk each.
  const loading = load(plan);
  const [createSource, transforms, makers] = await Promise.all([
    loading.source,
    Promise.all(loading.transforms),
    Promise.all(loading.branches),
  ]);
  await using undo = new AsyncDisposableStack();
  const branches: (Branch & Made)[] = [];
  const inspectables: Inspected[] = [];
  for (const [index, config] of plan.sinks.entries()) {
    const make = makers[index];
    if (make === undefined) continue;
    const required = config["required"] !== false;
    const around = required
      ? surroundings
      : { ...surroundings, context: dispensable(surroundings) };
    const made = await make(numbered(config.type, index), around);
    undo.defer(() => made.stage.close(performance.now()));
    branches.push({ ...made, required });
    const { stage } = made;
    if (isInspectable(stage)) inspectables.push({ name: numbered(config.type, index), stage });
  }
  const [only] = branches;
  let head: Stage = only !== undefined && branches.length === 1
    ? only.stage
    : new FanOut(branches, surroundings.fail);
  const stages = [head];
  for (const [index, { create, config }] of [...transforms.entries()].reverse()) {
    const context = surroundings.context(`transform.${numbered(config.type, index)}`);
    head = await create(config, context, head);
    const made = head;
    undo.defer(() => made.close(performance.now()));
    stages.unshift(made);
    if (isInspectable(made)) inspectables.unshift({ name: config.type, stage: made });
  }
  const context = surroundings.context(`source.${plan.source.type}`);
  const source: Source = await createSource(plan.source, context);
  undo.move();
  return {
    source,
    stages,
    inspectables,
    stateSinks: branches.flatMap(({ sink }) => sink ?? []),
    connections: branches.flatMap(({ sink, required }) =>
      required && sink !== undefined ? sink.connection : []
    ),
  };
}

/** Contexts for a sink that the pipeline can do without: its failure is told and goes no further. */
function dispensable({ context }: Surroundings): Surroundings["context"] {
  return (component) => {
    const own = context(component);
    const { log } = own.telemetry;
    return {
      ...own,
      fail: (error) =>
        log.error("A sink that is not required cannot go on, and is done without", { error }),
    };
  };
}

/** The first has the plain name, so that dashboards need no number. */
function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}.${index}`;
}

/** What stands at the end of a way. */
interface Made {
  readonly stage: Stage;
  readonly sink?: StateSink;
}

type MakeBranch = (name: string, surroundings: Surroundings) => Promise<Made>;

/** Starts loading every implementation that the plan names. */
function load(plan: PipelinePlan) {
  const ksync = plan.transforms.find(({ type }) => Object.hasOwn(registry.reconcilers, type));
  return {
    source: take(registry.sources, "source", plan.source).implementation().then((module) =>
      module.default
    ),
    transforms: plan.transforms.filter((config) => config !== ksync).map(async (config) => {
      const { default: create } = await take(registry.transforms, "transform", config)
        .implementation();
      return { create, config };
    }),
    branches: plan.sinks.map((config) => loadBranch(plan, ksync, config)),
  };
}

async function loadBranch(
  plan: PipelinePlan,
  ksync: ComponentConfig | undefined,
  config: ComponentConfig,
): Promise<MakeBranch> {
  if (Object.hasOwn(registry.eventSinks, config.type)) {
    const { default: create } = await take(registry.eventSinks, "sink", config).implementation();
    return async (name, { context }) => ({
      stage: await create(config, context(`sink.${name}`)),
    });
  }
  const sinkModule = take(registry.stateSinks, "sink", config).implementation();
  if (ksync === undefined) {
    throw new StopError(
      `Pipeline ${plan.name} has the state sink ${config.type} but no ksync transform before it`,
      { exitCode: ExitCode.config },
    );
  }
  const engine = await take(registry.reconcilers, "transform", ksync).implementation();
  const { default: createSink } = await sinkModule;
  return async (name, { context }) => {
    const sink = await createSink(config, context(`sink.${name}`));
    return { stage: await engine.default(ksync, context(`ksync.${name}`), sink), sink };
  };
}

function take<T>(
  table: Readonly<Record<string, T>>,
  kind: string,
  { type }: ComponentConfig,
): T {
  const entry = Object.hasOwn(table, type) ? table[type] : undefined;
  if (entry !== undefined) return entry;
  throw new StopError(`There is no ${kind} ${type}`, { exitCode: ExitCode.config });
}

/** Makes only the state sinks of a plan, to look at their rows. The caller opens and closes them. */
export async function assembleStateSinks(
  plan: PipelinePlan,
  { context }: Pick<Surroundings, "context">,
): Promise<StateSink[]> {
  const own = plan.sinks.filter(({ type }) => Object.hasOwn(registry.stateSinks, type));
  return await Promise.all(own.map(async (config, index) => {
    const { default: create } = await take(registry.stateSinks, "sink", config).implementation();
    return await create(config, context(`sink.${numbered(config.type, index)}`));
  }));
}

/** The tables whose rows a plan's ksync keeps, as far as the plan says. */
export function tablesOf(plan: PipelinePlan): readonly string[] {
  const ksync = plan.transforms.find(({ type }) => Object.hasOwn(registry.reconcilers, type));
  const tables = ksync?.["tables"];
  return Array.isArray(tables) ? tables.filter((table) => typeof table === "string") : [];
}
