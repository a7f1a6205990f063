/**
 * Dependencies as a spec declares them: a form of keys, and what such a key needs.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import type { Reference } from "./container.ts";

/** One rule of `depends_on`. */
export interface DependencyRule {
  readonly table: string;
  readonly key?: string | undefined;
  readonly needs: readonly string[];
}

/** What a row needs, by its key and its fields. */
export type Dependencies = (key: string, fields: Fields) => readonly Reference[];

type Parts = ReadonlyMap<string, string>;
type Fill = (parts: Parts, fields: Fields) => string | undefined;

const BRACES = /\{([^{}]*)\}/g;
const FIELD = "field:";

/**
 * What is wrong with a rule, as a sentence for the operator; undefined when it is fine.
 *
 * @example
 * ```ts
 * import { checkRule } from "./rules.ts";
 * checkRule({ table: "T", key: "{a}|{b}", needs: ["U|{c}"] });
 * // "Nothing in the key is called {c}"
 * ```
 */
export function checkRule(rule: DependencyRule): string | undefined {
  try {
    compileRule(rule);
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/**
 * Makes one function of the rules for a table; undefined when there are none.
 *
 * @throws {SyntaxError} for a rule of which `checkRule` complains
 */
export function compileRules(
  rules: readonly DependencyRule[],
  table: string,
): Dependencies | undefined {
  const compiled = rules.filter((rule) => rule.table === table).map(compileRule);
  if (compiled.length === 0) return undefined;
  return (key, fields) => compiled.flatMap((rule) => rule(key, fields));
}

function compileRule(rule: DependencyRule): Dependencies {
  const match = compileForm(rule.key ?? "{key}", rule.key === undefined);
  const needs = rule.needs.map((need) => compileNeed(need, match.names));
  return (key, fields) => {
    const parts = match.match(key);
    if (parts === undefined) return [];
    return needs.flatMap((need) => {
      const found = need(parts, fields);
      return found === undefined ? [] : [found];
    });
  };
}

interface Form {
  readonly names: ReadonlySet<string>;
  match(key: string): Parts | undefined;
}

/** A form is pieces between `|`, each with at most one name, so that matching takes one pass. */
function compileForm(form: string, isWhole: boolean): Form {
  if (isWhole) {
    return { names: new Set(["key"]), match: (key) => new Map([["key", key]]) };
  }
  const names = new Set(["key"]);
  const pieces = form.split("|").map((piece) => {
    const [found, another] = piece.matchAll(BRACES);
    if (another !== undefined) {
      throw new SyntaxError(`More than one name between two | in ${form}`);
    }
    const name = found?.[1];
    if (name === undefined || found === undefined) {
      if (/[{}]/.test(piece)) throw new SyntaxError(`A brace in ${form} has no partner`);
      return { head: piece, tail: "", name: undefined };
    }
    if (!/^[a-z][a-z0-9_]*$/.test(name) || names.has(name)) {
      throw new SyntaxError(`{${name}} in ${form} is no name, or stands there twice`);
    }
    names.add(name);
    const head = piece.slice(0, found.index);
    const tail = piece.slice(found.index + found[0].length);
    if (/[{}]/.test(head + tail)) throw new SyntaxError(`A brace in ${form} has no partner`);
    return { head, tail, name };
  });
  const match = (key: string): Parts | undefined => {
    const texts = key.split("|");
    if (texts.length !== pieces.length) return undefined;
    const parts = new Map([["key", key]]);
    for (const [at, { head, tail, name }] of pieces.entries()) {
      const text = texts[at] ?? "";
      if (name === undefined) {
        if (text !== head) return undefined;
        continue;
      }
      const isLongEnough = text.length > head.length + tail.length;
      if (!isLongEnough || !text.startsWith(head) || !text.endsWith(tail)) return undefined;
      parts.set(name, text.slice(head.length, text.length - tail.length));
    }
    return parts;
  };
  return { names, match };
}

/** A need is `TABLE|key`, with names in braces in its key only. */
function compileNeed(
  need: string,
  names: ReadonlySet<string>,
): (parts: Parts, fields: Fields) => Reference | undefined {
  const [table = "", ...rest] = need.split("|");
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(table) || rest.length === 0) {
    throw new SyntaxError(`Expected a table, | and a key, not ${need}`);
  }
  const fill = compileTemplate(rest.join("|"), names, need);
  return (parts, fields) => {
    const key = fill(parts, fields);
    return key === undefined ? undefined : { table, key };
  };
}

function compileTemplate(template: string, names: ReadonlySet<string>, need: string): Fill {
  const literals: string[] = [];
  const holes: string[] = [];
  let at = 0;
  for (const found of template.matchAll(BRACES)) {
    const name = found[1] ?? "";
    if (!name.startsWith(FIELD) && !names.has(name)) {
      throw new SyntaxError(`Nothing in the key is called {${name}}`);
    }
    literals.push(template.slice(at, found.index));
    holes.push(name);
    at = found.index + found[0].length;
  }
  literals.push(template.slice(at));
  if (literals.some((literal) => /[{}]/.test(literal))) {
    throw new SyntaxError(`A brace in ${need} has no partner`);
  }
  return (parts, fields) => {
    let text = literals[0] ?? "";
    for (const [index, hole] of holes.entries()) {
      const value = hole.startsWith(FIELD) ? fields[hole.slice(FIELD.length)] : parts.get(hole);
      // A row whose field is missing or empty needs nothing by it: a port without a master.
      if (value === undefined || value === "") return undefined;
      text += value + (literals[index + 1] ?? "");
    }
    return text;
  };
}
