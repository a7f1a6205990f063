/**
 * Planning in a process of its own, for commands that start pipelines and live on.
 *
 * A supervisor needs the schemas and the parsers once, and would keep their memory for good. So it
 * lets `portsync explain --plan` read the spec, in a process that may read and nothing else, and
 * starts what that prints (`docs/decisions/0006-planning-in-a-process-of-its-own.md`).
 *
 * @module
 */
import { StopError } from "../core/errors.ts";
import type { Plan } from "../spec/plan.ts";
import { MAIN_ENTRY } from "../spec/programs.ts";
import type { SpecWords } from "./load_plan.ts";

/** What the planning process may do: read files, names of the environment and who we are. */
const GRANT = ["--allow-read", "--allow-env", "--allow-sys=uid"];

/** Room for most of what it makes before it ends: with fewer collections it ends 3 ms sooner. */
const HEAP = "--v8-flags=--min-semi-space-size=8";

/** A plan, or the exit code of a planner that has already said what is wrong. */
export type Planned = { readonly plan: Plan } | { readonly exitCode: number };

/**
 * Makes the plan of a spec. The planner is started before this first waits, so that its caller can
 * do something else meanwhile; what it has to say goes straight to our standard error.
 *
 * It plans in this process where that may do less than the planner is allowed, because it would
 * reach around its own walls, and where it may not start the planner.
 *
 * @param options `here` to plan in this process in any case: a lone pipeline starts no other
 * @throws {SpecError | StopError} when it plans here and something is wrong
 * @throws {StopError} when the planner was ended before it was done
 */
export async function makePlan(
  words: SpecWords,
  options: { readonly here?: boolean } = {},
): Promise<Planned> {
  const planner = options.here === true ? undefined : startPlanner(words);
  if (planner !== undefined) return await planOf(planner);
  const { loadPlan } = await import("./load_plan.ts");
  return { plan: (await loadPlan(words)).plan };
}

/** Starts the planner, or says by `undefined` that it must not be. */
function startPlanner({ file, overrides }: SpecWords): Deno.ChildProcess | undefined {
  const mayAsMuch = (["read", "env"] as const).every((name) => {
    const { state, partial } = Deno.permissions.querySync({ name });
    return state === "granted" && !partial;
  });
  if (!mayAsMuch) return undefined;
  // Other users see the arguments, as they see our own, where the values of --set stand already.
  const sets = overrides.map((override) => `--set=${override}`);
  try {
    return new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--cached-only", HEAP, ...GRANT, MAIN_ENTRY],
        ...["explain", "--plan", ...sets, "--", file],
      ],
      // The spec may name anything of our environment; DENO_DIR is among it.
      env: { DENO_NO_UPDATE_CHECK: "1" },
      stdin: "inherit", // a spec can be a link to it
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    // Deno passes no LD_PRELOAD and the like on without the permission to run everything.
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

async function planOf(planner: Deno.ChildProcess): Promise<Planned> {
  const { code, signal, stdout } = await planner.output();
  if (signal !== null) {
    throw new StopError(`The process that reads the spec was ended by ${signal}`);
  }
  if (code !== 0) return { exitCode: code };
  return { plan: readPlan(new TextDecoder().decode(stdout)) };
}

/** What our own `explain` has printed, unchangeable as it was there; only its outline is checked. */
function readPlan(text: string): Plan {
  const value: unknown = JSON.parse(text, (_key, inside) => Object.freeze(inside));
  if (!isPlan(value)) throw new StopError("The process that reads the spec printed no plan");
  return value;
}

function isPlan(value: unknown): value is Plan {
  return typeof value === "object" && value !== null &&
    "file" in value && typeof value.file === "string" &&
    "service" in value && typeof value.service === "object" && value.service !== null &&
    "runtime_folder" in value.service && typeof value.service.runtime_folder === "string" &&
    "pipelines" in value && Array.isArray(value.pipelines);
}
