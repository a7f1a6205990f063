/**
 * Planning in a process of its own, for the supervisor.
 *
 * The parsers and the schemas are half of what a supervisor would weigh, and it needs them once. So
 * it lets `portsync explain --json` read the spec, in a process that may read and nothing else, and
 * starts what that prints.
 *
 * @module
 */
import { StopError } from "../core/errors.ts";
import type { Plan } from "../spec/plan.ts";
import { MAIN_ENTRY } from "../spec/programs.ts";
import type { SpecWords } from "./load_plan.ts";

/** What the planning process may do: read files, names of the environment and who we are. */
const GRANT = ["--allow-read", "--allow-env", "--allow-sys=uid"];

/** A plan, or the exit code of a planner that has already said what is wrong. */
export type Planned = { readonly plan: Plan } | { readonly exitCode: number };

/**
 * Makes the plan of a spec. A process that may do less than the planning process would be allowed
 * plans by itself, or it would reach around its own walls.
 *
 * @param options `here` to plan in this process in any case: a lone pipeline starts no other
 * @throws {SpecError | StopError} when it plans here and something is wrong
 */
export async function makePlan(
  words: SpecWords,
  options: { readonly here?: boolean } = {},
): Promise<Planned> {
  const mayPlanElsewhere = (["read", "env"] as const).every((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
  if (mayPlanElsewhere && options.here !== true) return await planElsewhere(words);
  const { loadPlan } = await import("./load_plan.ts");
  return await loadPlan(words);
}

/** Complaints about the spec go from there straight to standard error. */
async function planElsewhere({ file, overrides }: SpecWords): Promise<Planned> {
  const sets = overrides.flatMap((override) => ["--set", override]);
  const planner = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--cached-only", ...GRANT, MAIN_ENTRY],
      ...["explain", "--json", ...sets, "--", file],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  const { code, stdout } = await planner.output();
  if (code !== 0) return { exitCode: code };
  return { plan: readPlan(new TextDecoder().decode(stdout)) };
}

/** What our own `explain` has printed; only its outline is looked at. */
function readPlan(text: string): Plan {
  const value: unknown = JSON.parse(text);
  if (!isPlan(value)) throw new StopError("The planning process printed no plan");
  return value;
}

function isPlan(value: unknown): value is Plan {
  return typeof value === "object" && value !== null &&
    "file" in value && typeof value.file === "string" &&
    "service" in value && typeof value.service === "object" && value.service !== null &&
    "runtime_folder" in value.service && typeof value.service.runtime_folder === "string" &&
    "pipelines" in value && Array.isArray(value.pipelines);
}
