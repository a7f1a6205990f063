/**
 * Patterns for names of interfaces and keys: `*`, `?` and `[a-z]`, the whole name, case counts.
 *
 * A dot is only ever matched by a dot in the pattern. So `Ethernet*` leaves `Ethernet0.10` alone,
 * which is a sub-interface and belongs to somebody else, and `Ethernet*.*` takes it.
 *
 * @module
 */

/** Longest pattern that is taken, in UTF-16 units. */
const LONGEST = 255;

const STAR = "*";

/** One place in a pattern: any run, or one character that the test accepts. */
type Token = typeof STAR | ((codePoint: number) => boolean);

/** A class `[…]` as read from a pattern. */
interface CharacterClass {
  readonly accepts: (codePoint: number) => boolean;
  /** Index after the closing bracket. */
  readonly end: number;
}

/**
 * What is wrong with a pattern, as a sentence for the operator.
 *
 * @returns `undefined` when the pattern is fine, otherwise for example
 * `The bracket in column 9 is never closed`
 */
export function checkGlob(pattern: string): string | undefined {
  try {
    parse(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/**
 * Makes one test of several patterns: a name passes when any of them matches all of it.
 *
 * The test takes at most (length of the name) × (length of the pattern) steps, whatever the
 * pattern is.
 *
 * @throws {SyntaxError} for a pattern of which `checkGlob` complains
 *
 * @example
 * ```ts
 * import { checkGlob, compileGlobs } from "./glob.ts";
 * checkGlob("Ethernet[0-9"); // "The bracket in column 9 is never closed"
 * const isPort = compileGlobs(["Ethernet*", "PortChannel*"]);
 * isPort("Ethernet4"); // true
 * isPort("Ethernet4.10"); // false
 * ```
 */
export function compileGlobs(patterns: readonly string[]): (name: string) => boolean {
  const tests = patterns.map(compile);
  return (name) => {
    for (const test of tests) {
      if (test(name)) return true;
    }
    return false;
  };
}

function compile(pattern: string): (name: string) => boolean {
  const parts = parse(pattern);
  const prefix = /^([^*?[.]*)\*$/.exec(pattern)?.[1];
  if (prefix !== undefined) {
    return (name) => name.startsWith(prefix) && !name.includes(".", prefix.length);
  }
  return (name) => {
    const pieces = name.split(".");
    return pieces.length === parts.length &&
      parts.every((tokens, index) => matches(tokens, pieces[index] ?? ""));
  };
}

/** Splits a pattern at its dots, since nothing else matches one, into lists of tokens. */
function parse(pattern: string): Token[][] {
  if (pattern === "") throw new SyntaxError("The pattern is empty");
  if (pattern.length > LONGEST) {
    throw new SyntaxError(`The pattern is longer than ${LONGEST} characters`);
  }
  let tokens: Token[] = [];
  const parts = [tokens];
  for (let at = 0; at < pattern.length;) {
    const codePoint = pattern.codePointAt(at) ?? 0;
    const character = String.fromCodePoint(codePoint);
    if (character === "[") {
      const { accepts, end } = parseClass(pattern, at);
      tokens.push(accepts);
      at = end;
      continue;
    }
    if (character === ".") {
      tokens = [];
      parts.push(tokens);
    } else if (character === "?") {
      tokens.push(() => true);
    } else if (character === STAR) {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
    } else {
      tokens.push((other) => other === codePoint);
    }
    at += character.length;
  }
  return parts;
}

function parseClass(pattern: string, start: number): CharacterClass {
  const column = start + 1;
  const close = pattern.indexOf("]", start);
  if (close < 0) throw new SyntaxError(`The bracket in column ${column} is never closed`);
  const inside = Array.from(pattern.slice(start + 1, close), (c) => c.codePointAt(0) ?? 0);
  const negated = inside[0] === 0x21 || inside[0] === 0x5e; // `!` or `^`
  if (negated) inside.shift();
  if (inside.length === 0) throw new SyntaxError(`The brackets in column ${column} are empty`);
  const ranges: [low: number, high: number][] = [];
  for (let at = 0; at < inside.length; at++) {
    const low = inside[at] ?? 0;
    const isRange = inside[at + 1] === 0x2d && at + 2 < inside.length; // `-`
    const high = isRange ? inside[at + 2] ?? 0 : low;
    if (low > high) {
      throw new SyntaxError(`The range in the brackets of column ${column} runs backwards`);
    }
    if (low === 0x2e || high === 0x2e) {
      throw new SyntaxError(`The brackets in column ${column} hold a dot, which stands for itself`);
    }
    if (isRange) at += 2;
    ranges.push([low, high]);
  }
  const accepts = (codePoint: number) =>
    ranges.some(([low, high]) => low <= codePoint && codePoint <= high) !== negated;
  return { accepts, end: close + 1 };
}

/** Matches a piece without dots. Only the last star is ever taken up again, so this stays short. */
function matches(tokens: readonly Token[], piece: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let starAt = 0;
  while (at < piece.length) {
    const token = tokens[next];
    if (token === STAR) {
      star = next++;
      starAt = at;
      continue;
    }
    const codePoint = piece.codePointAt(at) ?? 0;
    if (token?.(codePoint)) {
      next++;
      at += width(codePoint);
    } else if (star >= 0) {
      starAt += width(piece.codePointAt(starAt) ?? 0);
      at = starAt;
      next = star + 1;
    } else {
      return false;
    }
  }
  while (tokens[next] === STAR) next++;
  return next === tokens.length;
}

function width(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}
