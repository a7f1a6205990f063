/**
 * Puts values of the environment into texts of a tree.
 *
 * This happens after parsing and only in texts that are values, so that no value can change the
 * shape of a spec. References to secrets are left as they are: only the process that needs a
 * secret reads it.
 *
 * - `${NAME}` is the value of NAME, which must be set;
 * - `${NAME:-default}` is the default where NAME is unset or empty;
 * - `$${` is a plain `${`.
 *
 * @module
 */
import type { Finding } from "./finding.ts";
import { quote } from "./printable.ts";
import { isMapping, type Path } from "./tree.ts";

/** Looks up a name in the environment. May throw where the process may not read it. */
export type Environment = (name: string) => string | undefined;

/** A tree with all names replaced. */
export interface Interpolated {
  readonly tree: unknown;
  readonly findings: readonly Finding[];
  /** The texts that came of names, by `JSON.stringify(path)`: the schema decides their type. */
  readonly replaced: ReadonlyMap<string, string>;
  /** Where references to secrets stand. */
  readonly references: readonly Path[];
  /** Every name that was asked for. */
  readonly names: ReadonlySet<string>;
}

/** Replaces the names in all texts of a tree. */
export function interpolate(tree: unknown, environment: Environment): Interpolated {
  const interpolation = new Interpolation(environment);
  return {
    tree: interpolation.walk(tree, []),
    findings: interpolation.findings,
    replaced: interpolation.replaced,
    references: interpolation.references,
    names: interpolation.names,
  };
}

/** One piece of a text: itself, or what stands between `${` and `}`. */
type Piece = { readonly text: string } | { readonly name: string; readonly source: string };

/** What stands for a piece: a text, or the complaint that there is none. */
type Replacement = { readonly text: string } | { readonly complaint: string };

class Interpolation {
  readonly findings: Finding[] = [];
  readonly replaced = new Map<string, string>();
  readonly references: Path[] = [];
  readonly names = new Set<string>();
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  walk(value: unknown, path: Path): unknown {
    if (typeof value === "string") return value.includes("${") ? this.#text(value, path) : value;
    if (Array.isArray(value)) return value.map((item, index) => this.walk(item, [...path, index]));
    if (!isMapping(value)) return value;
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [key, this.walk(item, [...path, key])]));
  }

  #text(text: string, path: Path): string {
    let result = "";
    let changed = false;
    for (const piece of split(text)) {
      if ("text" in piece) {
        result += piece.text;
        continue;
      }
      if (/^(file|credential):/.test(piece.name)) {
        this.references.push(path);
        return text;
      }
      const replacement = this.#replace(piece.name, piece.source);
      if ("complaint" in replacement) {
        const { complaint: message } = replacement;
        this.findings.push({ path, part: "value", message, fragment: piece.source });
      } else result += replacement.text;
      changed = true;
    }
    if (changed) this.replaced.set(JSON.stringify(path), result);
    return result;
  }

  #replace(inner: string, source: string): Replacement {
    if (!source.endsWith("}")) {
      return { complaint: "This ${ is never closed; a plain ${ is written $${" };
    }
    const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/.exec(inner) ?? [];
    if (name === undefined) {
      return { complaint: `${quote(source)} is no name; write \${NAME} or \${NAME:-default}` };
    }
    this.names.add(name);
    let value: string | undefined;
    try {
      value = this.#environment(name);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return { complaint: `${name} may not be read; start with --allow-env=${name}` };
    }
    if (fallback !== undefined && (value === undefined || value === "")) return { text: fallback };
    if (value !== undefined) return { text: value };
    return { complaint: `${name} is not set; set it, or write a default: \${${name}:-default}` };
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied;
}

function split(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${", from)) {
    if (text[at - 1] === "$" && at > from) {
      pieces.push({ text: text.slice(from, at - 1) + "${" });
      from = at + 2;
      continue;
    }
    const close = text.indexOf("}", at);
    const end = close < 0 ? text.length : close + 1;
    pieces.push({ text: text.slice(from, at) });
    pieces.push({ name: text.slice(at + 2, end - 1), source: text.slice(at, end) });
    from = end;
  }
  pieces.push({ text: text.slice(from) });
  return pieces;
}
