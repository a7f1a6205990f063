/**
 * Dependencies as a spec declares them: a form of keys, and what such a key needs.
 *
 * @module
 */
import type { Fields } from "../../core/change.ts";
import type { Reference } from "./container.ts";
import { itemAt } from "./item_at.ts";

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

/** Takes what is wrong with a rule. It may return; the rule then means nothing. */
type Complain = (complaint: string) => void;

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
  const complaints: string[] = [];
  compileRule(rule, (complaint) => complaints.push(complaint));
  return complaints[0];
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
  const compiled = rules.filter((rule) => rule.table === table).map((rule) =>
    compileRule(rule, (complaint) => {
      throw new SyntaxError(complaint);
    })
  );
  if (compiled.length === 0) return undefined;
  return (key, fields) => compiled.flatMap((rule) => rule(key, fields));
}

function compileRule({ key: form, needs }: DependencyRule, complain: Complain): Dependencies {
  const pieces = form === undefined ? undefined : parseForm(form, complain);
  const names = new Set(["key", ...(pieces ?? []).map(({ name }) => name)]);
  const compiled = needs.map((need) => compileNeed(need, names, complain));
  return (key, fields) => {
    const parts = pieces === undefined ? new Map() : match(pieces, key);
    if (parts === undefined) return [];
    parts.set("key", key);
    return compiled.flatMap((need) => need(parts, fields));
  };
}

/** What stands between two `|` of a form: text, then perhaps a name, then text. */
interface Piece {
  readonly head: string;
  readonly name: string | undefined;
  readonly tail: string;
}

/** Each piece has one name at most, so that matching takes one pass. */
function parseForm(form: string, complain: Complain): Piece[] {
  const names = new Set<string | undefined>(["key"]);
  return form.split("|").map((piece) => {
    const [found, another] = piece.matchAll(BRACES);
    if (another !== undefined) complain(`More than one name between two | in ${form}`);
    const name = found?.[1];
    if (name !== undefined && (!/^[a-z][a-z0-9_]*$/.test(name) || names.has(name))) {
      complain(`{${name}} in ${form} is no name, or stands there twice`);
    }
    names.add(name);
    const [head = "", tail = ""] = name === undefined ? [piece] : piece.split(`{${name}}`);
    if (/[{}]/.test(head + tail)) complain(`A brace in ${form} has no partner`);
    return { head, name, tail };
  });
}

/** The parts of a key by their names; undefined when the key has another form. */
function match(pieces: readonly Piece[], key: string): Map<string, string> | undefined {
  const texts = key.split("|");
  if (texts.length !== pieces.length) return undefined;
  const parts = new Map<string, string>();
  for (const [at, { head, name, tail }] of pieces.entries()) {
    const text = itemAt(texts, at);
    if (name === undefined) {
      if (text !== head) return undefined;
      continue;
    }
    const isLongEnough = text.length > head.length + tail.length;
    if (!isLongEnough || !text.startsWith(head) || !text.endsWith(tail)) return undefined;
    parts.set(name, text.slice(head.length, text.length - tail.length));
  }
  return parts;
}

/** A need is `TABLE|key`, with names in braces in its key only. */
function compileNeed(
  need: string,
  names: ReadonlySet<string | undefined>,
  complain: Complain,
): (parts: Parts, fields: Fields) => Reference[] {
  const bar = Math.max(0, need.indexOf("|"));
  const table = need.slice(0, bar);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(table)) {
    complain(`Expected a table, | and a key, not ${need}`);
  }
  const fill = compileTemplate(need.slice(bar + 1), names, complain);
  return (parts, fields) => {
    const key = fill(parts, fields);
    return key === undefined ? [] : [{ table, key }];
  };
}

function compileTemplate(
  template: string,
  names: ReadonlySet<string | undefined>,
  complain: Complain,
): Fill {
  const parts: { readonly literal: string; readonly hole: string }[] = [];
  let at = 0;
  for (const found of template.matchAll(BRACES)) {
    const hole = itemAt(found, 1);
    if (!hole.startsWith(FIELD) && !names.has(hole)) {
      complain(`Nothing in the key is called {${hole}}`);
    }
    parts.push({ literal: template.slice(at, found.index), hole });
    at = found.index + found[0].length;
  }
  const tail = template.slice(at);
  if (/[{}]/.test(parts.map(({ literal }) => literal).join("") + tail)) {
    complain(`A brace in ${template} has no partner`);
  }
  return (captured, fields) => {
    let text = "";
    for (const { literal, hole } of parts) {
      const value = hole.startsWith(FIELD) ? fields[hole.slice(FIELD.length)] : captured.get(hole);
      // A row whose field is missing or empty needs nothing by it: a port without a master.
      if (value === undefined || value === "") return undefined;
      text += literal + value;
    }
    return text + tail;
  };
}
