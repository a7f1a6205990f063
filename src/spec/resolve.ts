/**
 * The resolve phase: from a checked spec to the plan. It reads what the spec names, makes paths
 * absolute and fixes the grant of each pipeline; it starts nothing and writes nothing.
 *
 * @module
 */
import type {
  ComponentConfig,
  Definition,
  GrantPart,
  PipelineShape,
  ResolveContext,
} from "../core/component.ts";
import { StopError } from "../core/errors.ts";
import { SettingError } from "../core/setting_error.ts";
import type { ServiceConfig } from "../../schemas/service.ts";
import type { Checked } from "./check.ts";
import type { Finding } from "./finding.ts";
import { mergeGrants } from "./grant.ts";
import { absolutePath, type Machine } from "./machine.ts";
import { deriveOwnership } from "./ownership.ts";
import type { PipelinePlan, Plan, ServicePlan } from "./plan.ts";
import { resolveSecrets } from "./secrets.ts";
import type { Path } from "./tree.ts";

/** Finds the definition of a component; given, because this room does not know the registry. */
export type FindDefinition = (
  kind: Definition["kind"],
  type: string,
) => Promise<Definition>;

/** What the resolve phase is given beside the spec. */
export interface ResolveOptions {
  readonly machine: Machine;
  readonly definition: FindDefinition;
  /** Absolute path of the native library. */
  readonly library: string;
}

/** The plan, and what was read to make it: what a supervisor needs to be allowed. */
export interface Resolved {
  readonly plan: Plan;
  /** Absolute paths of every file that was read or looked at. */
  readonly reads: readonly string[];
}

/**
 * Resolves a checked spec.
 *
 * @throws {SpecError} with everything that the spec names and the machine does not have
 * @throws {StopError} when the native library is missing, or files of root's can be changed by others
 */
export async function resolve(checked: Checked, options: ResolveOptions): Promise<Resolved> {
  const { machine } = options;
  const reads = new Set<string>();
  const file = absolutePath(checked.file, machine.workingFolder);
  const watched = watch(machine, reads);
  const folder = absolutePath("..", file);
  const service = resolveService(checked.config.service, folder, machine);
  const findings: Finding[] = [];
  const pipelines: PipelinePlan[] = [];
  for (const [name, config] of Object.entries(checked.config.pipelines)) {
    const shape: PipelineShape = { name, ...config };
    const resolver = new PipelineResolver(shape, { ...options, machine: watched }, folder, service);
    const plan = await resolver.resolve();
    findings.push(...resolver.findings);
    if (plan !== undefined) pipelines.push(plan);
  }
  if (findings.length > 0) throw await checked.refuse(findings);
  const needsLibrary = pipelines.some(({ grant }) => grant.ffi.length > 0);
  await refuseForeignHands(watched, file, needsLibrary ? options.library : undefined);
  return { plan: deepFreeze({ file, service, pipelines }), reads: [...reads].sort() };
}

/** Notes what is read, for the supervisor's own permissions. */
function watch(machine: Machine, reads: Set<string>): Machine {
  return {
    ...machine,
    readTextFile: (path) => (reads.add(path), machine.readTextFile(path)),
    stat: (path) => (reads.add(path), machine.stat(path)),
  };
}

function resolveService(config: ServiceConfig, folder: string, machine: Machine): ServicePlan {
  const { runtime_folder, data_folder, ...rest } = config;
  return {
    runtime_folder: absolutePath(runtime_folder ?? runtimeFolder(machine), folder),
    data_folder: absolutePath(data_folder ?? dataFolder(machine), folder),
    ...rest,
  };
}

/** Where locks and the control socket stand when a spec does not say. */
export function runtimeFolder({ uid, environment }: Machine): string {
  if (uid === 0) return "/run/portsync";
  const runtime = environment("XDG_RUNTIME_DIR");
  if (runtime?.startsWith("/")) return `${runtime}/portsync`;
  return `/tmp/portsync${uid === undefined ? "" : `-${uid}`}`;
}

function dataFolder(machine: Machine): string {
  if (machine.uid === 0) return "/var/lib/portsync";
  const state = machine.environment("XDG_STATE_HOME");
  if (state?.startsWith("/")) return `${state}/portsync`;
  const home = machine.environment("HOME");
  if (home?.startsWith("/")) return `${home}/.local/state/portsync`;
  return `${runtimeFolder(machine)}/data`;
}

/** A component with its kind and its place in the pipeline. */
interface Place {
  readonly kind: Definition["kind"];
  readonly path: Path;
  readonly config: ComponentConfig;
}

/** Resolves one pipeline; what is wrong is collected, so that the next one is looked at too. */
class PipelineResolver {
  readonly findings: Finding[] = [];
  readonly #shape: PipelineShape;
  readonly #options: ResolveOptions;
  readonly #folder: string;
  readonly #service: ServicePlan;
  readonly #parts: GrantPart[] = [];

  constructor(
    shape: PipelineShape,
    options: ResolveOptions,
    folder: string,
    service: ServicePlan,
  ) {
    this.#shape = shape;
    this.#options = options;
    this.#folder = folder;
    this.#service = service;
  }

  async resolve(): Promise<PipelinePlan | undefined> {
    // Secrets come first: a component may follow a neighbour's settings, secrets included.
    const known = await this.#each(this.#shape, (place) => this.#secrets(place));
    const owning = await this.#each(known, (place) => Promise.resolve(this.#owning(place, known)));
    const resolved = await this.#each(owning, (place) => this.#settle(place, owning));
    // Settings that could not be completed have no permissions to speak of.
    if (this.findings.length > 0) return undefined;
    await this.#each(resolved, (place) => this.#grant(place, resolved));
    if (this.findings.length > 0) return undefined;
    const lock = `${this.#service.runtime_folder}/${this.#shape.name}.lock`;
    this.#parts.push({ why: "the lock that keeps two writers apart", read: [lock], write: [lock] });
    return {
      ...resolved,
      library: this.#options.library,
      grant: mergeGrants(this.#parts),
      reasons: this.#parts,
    };
  }

  /** Does a step with every component, and collects what is wrong with each. */
  async #each(
    shape: PipelineShape,
    step: (place: Place) => Promise<ComponentConfig>,
  ): Promise<PipelineShape> {
    // One after the other, so that the reasons always stand in the same order.
    const all = async (
      kind: Definition["kind"],
      name: string,
      list: readonly ComponentConfig[],
    ) => {
      const done: ComponentConfig[] = [];
      for (const [index, config] of list.entries()) {
        done.push(await this.#try({ kind, path: [name, index], config }, step));
      }
      return done;
    };
    const { name, namespace } = this.#shape;
    return {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      source: await this.#try({ kind: "source", path: ["source"], config: shape.source }, step),
      transforms: await all("transform", "transforms", shape.transforms),
      sinks: await all("sink", "sinks", shape.sinks),
    };
  }

  async #try(
    place: Place,
    step: (place: Place) => Promise<ComponentConfig>,
  ): Promise<ComponentConfig> {
    try {
      return await step(place);
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      this.#note(place.path, error);
      return place.config;
    }
  }

  async #secrets({ config, path }: Place): Promise<ComponentConfig> {
    const secrets = await resolveSecrets(config, this.#options.machine);
    for (const problem of secrets.problems) this.#note(path, problem);
    this.#parts.push(...secrets.parts);
    return secrets.config;
  }

  /** Completes ksync by what is ours in the table. */
  #owning({ config }: Place, pipeline: PipelineShape): ComponentConfig {
    if (config.type !== "ksync") return config;
    const { owns: _given, ...rest } = config;
    const owns = deriveOwnership(config, pipeline);
    return { ...rest, type: config.type, ...(owns === undefined ? {} : { owns }) };
  }

  async #settle({ kind, config }: Place, pipeline: PipelineShape): Promise<ComponentConfig> {
    const definition = await this.#options.definition(kind, config.type);
    return await definition.resolve?.(config, this.#context(pipeline)) ?? config;
  }

  async #grant({ kind, config }: Place, pipeline: PipelineShape): Promise<ComponentConfig> {
    const definition = await this.#options.definition(kind, config.type);
    for (const part of definition.grants(config, this.#context(pipeline))) {
      this.#parts.push({ ...part, why: `${config.type}: ${part.why}` });
    }
    return config;
  }

  #context(pipeline: PipelineShape): ResolveContext {
    return {
      folder: this.#folder,
      library: this.#options.library,
      readTextFile: (path) => this.#options.machine.readTextFile(path),
      isFile: (path) => isFile(this.#options.machine, path),
      pipeline,
    };
  }

  #note(path: Path, { path: below, message }: Pick<SettingError, "path" | "message">): void {
    const whole = ["pipelines", this.#shape.name, ...path, ...below];
    this.findings.push({ path: whole, part: "value", message });
  }
}

async function isFile(machine: Machine, path: string): Promise<boolean> {
  try {
    return (await machine.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotADirectory) return false;
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

/**
 * As root, files that others may change are refused: who changes them is root.
 *
 * @throws {StopError} with the command that mends it
 */
async function refuseForeignHands(
  machine: Machine,
  spec: string,
  library: string | undefined,
): Promise<void> {
  if (library !== undefined) await requireLibrary(machine, library);
  if (machine.uid !== 0) return;
  for (const path of library === undefined ? [spec] : [spec, library]) {
    const { mode } = await machine.stat(path);
    if (mode === null || (mode & 0o022) === 0) continue;
    throw new StopError(
      `${path} can be changed by others than root, and is not used by root; ` +
        `run chmod go-w ${path}`,
    );
  }
}

async function requireLibrary(machine: Machine, library: string): Promise<void> {
  try {
    await machine.stat(library);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new StopError(`The native library ${library} is missing; build it with deno task build`, {
      cause,
    });
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inside of Object.values(value)) deepFreeze(inside);
  }
  return value;
}
