/**
 * What zod and the rules say of a tree. Loaded only where the quick check has a doubt.
 *
 * @module
 */
import type { z } from "zod";
import { type SpecConfig, specSchema } from "../../schemas/pipeline.ts";
import type { Finding } from "./finding.ts";
import type { Interpolated } from "./interpolate.ts";
import { findingsOf, meantType, type Spec, stepsOf } from "./messages.ts";
import type { Overridden } from "./overrides.ts";
import { SINK_TYPES } from "./plain.gen.ts";
import { applyRules } from "./rules.ts";
import { isSecret } from "./schema_walk.ts";
import { isMapping, type Path, valueAt } from "./tree.ts";

/** A checked spec, or everything that is wrong with it. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly config: SpecConfig | undefined;
}

/** Judges a tree by the schema and by the rules. */
export function judge(overridden: Overridden, interpolated: Interpolated): Verdict {
  return new Judge(overridden, interpolated).judge();
}

/** Puts the schema and the rules to a tree. */
class Judge {
  readonly #interpolated: Interpolated;
  readonly #typed: ReadonlyMap<string, string>;
  #tree: unknown;

  constructor(overridden: Overridden, interpolated: Interpolated) {
    this.#interpolated = interpolated;
    this.#tree = interpolated.tree;
    this.#typed = new Map([...overridden.typed, ...interpolated.replaced]);
  }

  judge(): Verdict {
    let result = specSchema.safeParse(this.#tree);
    if (!result.success && this.#retype(result.error.issues)) {
      result = specSchema.safeParse(this.#tree);
    }
    const unset = new Set(this.#interpolated.findings.map(({ path }) => JSON.stringify(path)));
    const findings = [...this.#interpolated.findings, ...this.#misplacedSecrets()];
    const issues = result.success ? [] : result.error.issues;
    for (const finding of this.#findings(issues, this.#tree)) {
      // Where a name is not set there is no value to speak of.
      if (!unset.has(JSON.stringify(finding.path))) findings.push(finding);
    }
    findings.push(...applyRules(this.#tree, SINK_TYPES));
    return { findings, config: result.success ? result.data : undefined };
  }

  #findings(issues: readonly z.core.$ZodIssue[], tree: unknown): Finding[] {
    const isForeign = (path: Path) => this.#interpolated.replaced.has(JSON.stringify(path));
    const spec: Spec = { schema: specSchema, tree, isForeign };
    return issues.flatMap((issue) => [...findingsOf(issue, spec), ...this.#behind(issue, tree)]);
  }

  /** What is wrong inside of something whose name or type is wrong: the schema stops there. */
  #behind(issue: z.core.$ZodIssue, tree: unknown): Finding[] {
    const path = stepsOf(issue);
    if (issue.code === "invalid_key") {
      const mended = { version: 1, pipelines: { unnamed: valueAt(tree, path) } };
      return this.#below(["pipelines", "unnamed"], mended)
        .map((finding) => ({ ...finding, path: [...path, ...finding.path.slice(2)] }));
    }
    const meant = meantType(issue, valueAt(tree, path));
    return meant === undefined ? [] : this.#below(path.slice(0, -1), replaceAt(tree, path, meant));
  }

  /** The findings below a path in a tree that was mended there. */
  #below(top: Path, tree: unknown): Finding[] {
    const result = specSchema.safeParse(tree);
    if (result.success) return [];
    const inside = result.error.issues
      .filter((issue) => top.every((step, index) => issue.path[index] === step));
    return this.#findings(inside, tree);
  }

  /**
   * Gives texts from the environment and from `--set` the type that the schema wants: a text has
   * none of its own there. Says whether anything was changed.
   */
  #retype(issues: readonly z.core.$ZodIssue[]): boolean {
    let changed = false;
    for (const issue of issues) {
      const path = stepsOf(issue);
      const raw = this.#typed.get(JSON.stringify(path));
      if (raw === undefined) continue;
      const value = valueAt(this.#tree, path);
      if (typeof value === "object") continue;
      const other = typeof value === "string" ? plainValue(raw) : raw;
      if (other === undefined) continue;
      this.#tree = replaceAt(this.#tree, path, other);
      changed = true;
    }
    return changed;
  }

  #misplacedSecrets(): Finding[] {
    return this.#interpolated.references
      .filter((path) => !isSecret(specSchema, path, this.#tree))
      .map((path) => ({
        path,
        part: "value",
        message: "A secret's reference may only stand in an option for secrets, such as password",
      }));
  }
}

/** The number or truth value that a text is. */
function plainValue(text: string): number | boolean | undefined {
  if (text === "true") return true;
  if (text === "false") return false;
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined;
}

/** A tree with another value at a path; what is not on the way is shared. */
function replaceAt(tree: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(tree) && typeof step === "number") {
    return tree.with(step, replaceAt(tree[step], rest, value));
  }
  return isMapping(tree) ? { ...tree, [step]: replaceAt(tree[step], rest, value) } : tree;
}
